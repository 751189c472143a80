/* SPDX-License-Identifier: MIT */
/* A plugin whose health check says what a file says. For black-box tests only. */
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "backplane/backplane.h"

struct patient {
    bp_str check;
    bool required;
    bp_span grace;
    struct bp_host *host;
    struct bp_health_check definition;
};

static const struct bp_field options[] = {
    BP_TEXT(struct patient, check, .def = "patient", .doc = "The check's name."),
    BP_BOOL(struct patient, required, .def = "true", .doc = "Whether readiness depends on it."),
    BP_SPAN(struct patient, grace, .def = "0s", .doc = "How long it may be down before."), BP_END};

/* "<data>/<instance>": "up", "down", "late", "unfit", "slow" (takes all its time), "stuck", and behind a space the detail; no file: up. */
static void read_file(const struct patient *patient, const char *suffix, int flags, char text[200])
{
    char path[256];
    bp_str folder = bp_data_dir(patient->host), name = bp_instance_name(patient->host);
    snprintf(path, sizeof(path), "%" BP_STR_FMT "/%" BP_STR_FMT "%s", BP_STR_ARG(folder), BP_STR_ARG(name), suffix);
    int fd = open(path, flags | O_CLOEXEC, 0600);
    ssize_t len = 0;
    if (fd >= 0 && flags != O_RDONLY)
        len = write(fd, ".", 1);
    else if (fd >= 0)
        len = read(fd, text, 199);
    if (fd >= 0)
        close(fd);
    text[len > 0 ? len : 0] = '\0';
}

static int check(void *self, bp_span timeout, char *detail)
{
    struct patient *patient = self;
    char text[200];
    read_file(patient, ".asked", O_WRONLY | O_CREAT | O_APPEND, text);
    read_file(patient, "", O_RDONLY, text);
    for (int status; strncmp(text, "stuck", 5) == 0; read_file(patient, "", O_RDONLY, text))
        if ((status = bp_sleep(5 * BP_MILLISECOND)) != 0)
            return status;
    if (strncmp(text, "slow", 4) == 0) {
        int status = bp_sleep(timeout);
        return status != 0 ? status : BP_TIMEOUT;
    }
    const char *space = strchr(text, ' ');
    snprintf(detail, BP_HEALTH_DETAIL, "%.150s", space ? space + 1 : "");
    return strncmp(text, "down", 4) == 0    ? BP_BUSY
           : strncmp(text, "late", 4) == 0  ? BP_TIMEOUT
           : strncmp(text, "unfit", 5) == 0 ? BP_HEALTH_UNFIT
                                            : 0;
}

static int init(struct bp_host *host, void *self)
{
    struct patient *patient = self;
    patient->host = host;
    patient->definition =
        (struct bp_health_check){.size = sizeof(struct bp_health_check), .name = patient->check.ptr, .check = check};
    return bp_health_new_with(host, &patient->definition, patient->required, patient->grace);
}

BP_PLUGIN(.name = "patient", .version = "1.0.0", .doc = "Is as healthy as a file says.",
          .self_size = sizeof(struct patient), .options = options, .init = init);
