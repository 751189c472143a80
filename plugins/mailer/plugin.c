/* SPDX-License-Identifier: MIT */
/* mailer: queues messages, and hands them to a transport or writes them into a folder. */
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>

#include "backplane/iface/mailer.h"
#include "backplane/iface/queue.h"
#include "job.h"
#include "message.h"
#include "queue.h"

#define SECRET_MIN 32u

static const char *const transports[] = {
    [TRANSPORT_AUTO] = "auto", [TRANSPORT_NONE] = "none", [TRANSPORT_FILE] = "file", [TRANSPORT_SMTP] = "smtp", NULL};

static void check_from(const struct bp_field *row, const void *value, struct bp_problems *problems)
{
    if (!message_address_valid(*(const bp_str *)value))
        bp_problem_add(problems, row, "mailer.from", "must be an address: name@example.com");
}

static const struct bp_field options[] = {
    BP_CHOICE(
        struct mailer, transport, .choices = transports, .def = "auto",
        .doc =
            "smtp: to the mail server of the plugin smtp. file: into a folder, for development. none: nowhere. auto: "
            "smtp when that is loaded, else file in development and none in production."),
    BP_TEXT(struct mailer, from, .def = "no-reply@localhost.localdomain", .check = check_from,
            .doc = "Whom messages are from."),
    BP_TEXT(struct mailer, folder, .def = "mail",
            .doc = "file: where messages are written, one a file; relative to the data folder."),
    BP_TEXT(struct mailer, secret, .def = "", .flags = BP_SECRET,
            .doc = "With a queue: the texts of messages that wait in the database are encrypted with it; 32 characters "
                   "or more. Empty: they are not."),
    BP_U32(struct mailer, queue, .def = "256", .min = 1, .max = 65536,
           .doc = "Messages of each worker that may wait to be delivered, without a queue."),
    BP_U32(struct mailer, attempts, .def = "0", .min = 0, .max = 20,
           .doc = "How often one is tried; 0: 5 times, with a queue 20 times, which takes about ten hours."),
    BP_SPAN(struct mailer, retry_after, .def = "10s", .min = BP_MILLISECOND, .max = BP_HOUR,
            .doc = "The pause after the first failure; it doubles with each further one, with a queue up to an hour."),
    BP_END,
};

static const struct bp_mailer_vtable vtable = {.size = sizeof(vtable), .send = queue_send};
static const struct bp_need needs[] = {
    BP_NEED(BP_MAIL_TRANSPORT, BP_MAIL_TRANSPORT_VERSION, struct mailer, mail_transport, .optional = 1),
    BP_NEED(BP_QUEUE, BP_QUEUE_VERSION, struct mailer, jobs, .optional = 1, .key = "jobs"), BP_NEED_END};
static const struct bp_provide provides[] = {BP_PROVIDE(BP_MAILER, BP_MAILER_VERSION, &vtable), BP_PROVIDE_END};

static size_t count_characters(bp_str text)
{
    size_t count = 0;
    for (size_t i = 0; i < text.len; i++)
        count += ((unsigned char)text.ptr[i] & 0xC0) != 0x80;
    return count;
}

static int mailer_init(struct bp_host *host, void *self)
{
    struct mailer *mailer = self;
    mailer->host = host;
    mailer->last = &mailer->first;
    if (mailer->transport == TRANSPORT_SMTP && !mailer->mail_transport.vtable)
        return bp_config_error(host, "transport",
                               "\"smtp\" needs a service \"mail_transport\", which no instance provides: add { use = "
                               "\"smtp\"; url = \"smtp://…\"; } to plugins");
    size_t characters = count_characters(mailer->secret);
    if (characters > 0 && characters < SECRET_MIN)
        return bp_config_error(host, "secret", "must have at least %u characters, has %zu", SECRET_MIN, characters);
    if (sodium_init() < 0)
        return bp_config_error(host, NULL, "libsodium could not be set up");
    if (mailer->attempts == 0)
        mailer->attempts = mailer->jobs.vtable ? 20 : 5;
    return mailer->jobs.vtable ? job_init(mailer) : 0;
}

static enum transport transport_of(const struct bp_host *host, const struct mailer *mailer)
{
    if (mailer->transport != TRANSPORT_AUTO)
        return (enum transport)mailer->transport;
    if (mailer->mail_transport.vtable)
        return TRANSPORT_SMTP;
    return bp_is_production(host) ? TRANSPORT_NONE : TRANSPORT_FILE;
}

/* Not in init: that check and migrate run, too. Once, not in each worker. */
static int mailer_before_start(struct bp_host *host, void *self)
{
    const struct mailer *mailer = self;
    if (mailer->jobs.vtable && mailer->secret.len == 0 && bp_is_production(host) &&
        transport_of(host, mailer) != TRANSPORT_NONE)
        bp_log(host, BP_LOG_WARN, "mailer.unsealed",
               "Messages wait in the database in clear text, with the tokens that are in them: set secret");
    return 0;
}

static int mailer_start(struct bp_host *host, void *self)
{
    struct mailer *mailer = self;
    bp_str data = bp_data_dir(host);
    bool absolute = bp_str_starts(mailer->folder, BP_STR("/"));
    if (asprintf(&mailer->folder_path, "%" BP_STR_FMT "%s%" BP_STR_FMT, BP_STR_ARG(absolute ? BP_STR("") : data),
                 absolute ? "" : "/", BP_STR_ARG(mailer->folder)) < 0)
        mailer->folder_path = NULL;
    mailer->sender = strndup(mailer->from.ptr, mailer->from.len);
    if (!mailer->folder_path || !mailer->sender)
        return BP_NOMEM;
    bool automatic = mailer->transport == TRANSPORT_AUTO;
    mailer->transport = transport_of(host, mailer);
    if (automatic && mailer->transport == TRANSPORT_NONE)
        bp_log(host, BP_LOG_WARN, "mailer.none", "No mail server is configured: messages are dropped");
    return 0;
}

static void mailer_deinit(struct bp_host *host, void *self)
{
    struct mailer *mailer = self;
    (void)host;
    queue_drop(mailer);
    free(mailer->folder_path);
    free(mailer->sender);
}

BP_PLUGIN(.name = "mailer", .version = "1.0.0", .doc = "Queues messages, for a mail server or a folder.",
          .self_size = sizeof(struct mailer), .options = options, .needs = needs, .provides = provides,
          .init = mailer_init, .before_start = mailer_before_start, .start = mailer_start, .deinit = mailer_deinit);
