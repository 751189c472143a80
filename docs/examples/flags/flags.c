/* SPDX-License-Identifier: MIT */
/* flags: switches in a file, the name of each that is on in a line of its own. */
#include <backplane/backplane.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "flags.h"
#include "lines.h"

#define TEXT_MAX 4096

struct flags {
    bp_str file;
    bp_span interval;
    struct bp_host *host;
    char path[1024];
    bool reading; /* a fiber is at it */
    size_t len;
    char text[TEXT_MAX];
};

static const struct bp_field options[] = {
    BP_TEXT(struct flags, file, .def = "flags.txt", .min = 1, .max = 100, .doc = "Its name, in the data folder."),
    BP_SPAN(struct flags, interval, .def = "1s", .min = 10 * BP_MILLISECOND, .max = BP_HOUR,
            .doc = "How often it is read."),
    BP_END};

/* All that the other thread sees. */
struct job {
    const char *path;
    int error;
    size_t len;
    char text[TEXT_MAX];
};

static int read_file(void *argument)
{
    struct job *job = argument;
    int fd = open(job->path, O_RDONLY | O_CLOEXEC);
    ssize_t len = fd >= 0 ? read(fd, job->text, sizeof(job->text)) : -1;
    if (len < 0 && errno != ENOENT) /* no file: nothing is on */
        job->error = errno;
    if (fd >= 0)
        close(fd);
    job->len = len > 0 ? (size_t)len : 0;
    return job->error ? BP_ERROR : 0;
}

/* Reads the file and takes over what is in it, or leaves all as it was. Suspends. */
static int refresh(struct flags *flags, char *detail)
{
    struct job job = {.path = flags->path};
    int status = bp_offload(read_file, &job); /* a disk may be slow, and the loop waits for nobody */
    if (job.error && detail)
        snprintf(detail, BP_HEALTH_DETAIL, "cannot read the file: %s", strerror(job.error));
    if (status < 0)
        return status;
    memcpy(flags->text, job.text, job.len);
    flags->len = job.len;
    return 0;
}

static int refresh_later(void *argument)
{
    struct flags *flags = argument;
    int status = refresh(flags, NULL);
    flags->reading = false;
    return status == BP_ERROR ? 0 : status; /* the health check says so, once */
}

static void tick(void *argument)
{
    struct flags *flags = argument; /* on the loop, where nothing may suspend: a fiber does it */
    if (!flags->reading)
        flags->reading = bp_spawn(flags->host, "flags.refresh", refresh_later, flags, 10 * BP_SECOND) == 0;
}

static bool is_on(void *self, bp_str name)
{
    const struct flags *flags = self;
    return lines_hold(bp_str_n(flags->text, flags->len), name);
}

static int check(void *self, bp_span timeout, char *detail)
{
    (void)timeout;
    return refresh(self, detail);
}

static const struct bp_health_check health = {
    .size = sizeof(health), .required = 0, .name = "flags", .grace = 10 * BP_SECOND, .check = check};

static int flags_init(struct bp_host *host, void *self)
{
    struct flags *flags = self;
    flags->host = host;
    int len = snprintf(flags->path, sizeof(flags->path), "%" BP_STR_FMT "/%" BP_STR_FMT, BP_STR_ARG(bp_data_dir(host)),
                       BP_STR_ARG(flags->file));
    if (len >= (int)sizeof(flags->path))
        return bp_config_error(host, "file", "is too long behind the data folder");
    return bp_health_new(host, &health);
}

static int flags_start(struct bp_host *host, void *self)
{
    struct flags *flags = self;
    char detail[BP_HEALTH_DETAIL] = "";
    if (refresh(flags, detail) != 0)
        return bp_start_error(host, "%s", detail);
    return bp_timer_every(host, flags->interval, tick, flags) ? 0 : BP_NOMEM;
}

static const struct flags_vtable vtable = {.size = sizeof(vtable), .is_on = is_on};
static const struct bp_provide provides[] = {BP_PROVIDE(FLAGS, FLAGS_VERSION, &vtable), BP_PROVIDE_END};

BP_PLUGIN(.name = "flags", .version = "1.0.0", .doc = "Switches that an operator turns while the server runs.",
          .self_size = sizeof(struct flags), .options = options, .provides = provides, .init = flags_init,
          .start = flags_start);
