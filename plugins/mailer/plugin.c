/* SPDX-License-Identifier: MIT */
/* mailer: sends messages by SMTP, or writes them into a folder. */
#include <curl/curl.h>
#include <stdlib.h>

#include "backplane/iface/mailer.h"
#include "message.h"
#include "queue.h"

static const char *const transports[] = {
    [TRANSPORT_AUTO] = "auto", [TRANSPORT_NONE] = "none", [TRANSPORT_FILE] = "file", [TRANSPORT_SMTP] = "smtp", NULL};
static const char *const encryptions[] = {
    [ENCRYPTION_REQUIRED] = "required", [ENCRYPTION_OPPORTUNISTIC] = "opportunistic", [ENCRYPTION_NONE] = "none", NULL};

static void check_from(const struct bp_field *row, const void *value, struct bp_problems *problems)
{
    if (!message_address_valid(*(const bp_str *)value))
        bp_problem_add(problems, row, "mailer.from", "must be an address: name@example.com");
}

static const struct bp_field options[] = {
    BP_CHOICE(struct mailer, transport, .choices = transports, .def = "auto",
              .doc =
                  "smtp: to a mail server. file: into a folder, for development. none: nowhere. auto: smtp when url is "
                  "set, else file in development and none in production."),
    BP_TEXT(struct mailer, url, .def = "", .doc = "\"smtp://mail.example.com:587\", \"smtps://mail.example.com\"."),
    BP_TEXT(struct mailer, user, .def = "", .doc = "Logs in to the mail server; empty: without."),
    BP_TEXT(struct mailer, password, .def = "", .flags = BP_SECRET, .doc = "Its password."),
    BP_TEXT(struct mailer, from, .def = "no-reply@localhost.localdomain", .check = check_from,
            .doc = "Whom messages are from."),
    BP_CHOICE(struct mailer, encryption, .choices = encryptions, .def = "required",
              .doc = "smtp://: whether STARTTLS must work, is tried, or is not; smtps:// always encrypts."),
    BP_TEXT(struct mailer, ca_file, .def = "", .doc = "Authorities in PEM, in place of the system's."),
    BP_TEXT(struct mailer, folder, .def = "mail",
            .doc = "file: where messages are written, one a file; relative to the data folder."),
    BP_U32(struct mailer, queue, .def = "256", .min = 1, .max = 65536,
           .doc = "Messages of each worker that may wait to be delivered."),
    BP_U32(struct mailer, attempts, .def = "5", .min = 1, .max = 20, .doc = "How often one is tried."),
    BP_SPAN(struct mailer, retry_after, .def = "10s", .min = BP_MILLISECOND, .max = BP_HOUR,
            .doc = "The pause after the first failure; it doubles with each further one."),
    BP_SPAN(struct mailer, timeout, .def = "30s", .min = BP_SECOND, .max = 10 * BP_MINUTE,
            .doc = "How long one delivery may take."),
    BP_END,
};

static const struct bp_mailer_vtable vtable = {.size = sizeof(vtable), .send = queue_send};
static const struct bp_provide provides[] = {BP_PROVIDE(BP_MAILER, BP_MAILER_VERSION, &vtable), BP_PROVIDE_END};

static int mailer_init(struct bp_host *host, void *self)
{
    struct mailer *mailer = self;
    mailer->host = host;
    mailer->last = &mailer->first;
    if (mailer->transport == TRANSPORT_SMTP && mailer->url.len == 0)
        return bp_config_error(host, "url", "is needed by transport = \"smtp\"");
    if (mailer->url.len > 0 && !bp_str_starts(mailer->url, BP_STR("smtp://")) &&
        !bp_str_starts(mailer->url, BP_STR("smtps://")))
        return bp_config_error(host, "url", "must begin with smtp:// or smtps://");
    return 0;
}

static char *copy(bp_str text)
{
    return strndup(text.ptr ? text.ptr : "", text.len);
}

static enum transport transport_of(const struct bp_host *host, const struct mailer *mailer)
{
    if (mailer->transport != TRANSPORT_AUTO)
        return (enum transport)mailer->transport;
    if (mailer->url.len > 0)
        return TRANSPORT_SMTP;
    return bp_is_production(host) ? TRANSPORT_NONE : TRANSPORT_FILE;
}

static int mailer_start(struct bp_host *host, void *self)
{
    struct mailer *mailer = self;
    char *folder = NULL;
    bp_str data = bp_data_dir(host);
    bool absolute = bp_str_starts(mailer->folder, BP_STR("/"));
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        return bp_start_error(host, "libcurl could not be set up");
    if (asprintf(&folder, "%" BP_STR_FMT "%s%" BP_STR_FMT, BP_STR_ARG(absolute ? BP_STR("") : data),
                 absolute ? "" : "/", BP_STR_ARG(mailer->folder)) < 0)
        folder = NULL;
    mailer->settings = (struct delivery){.transport = transport_of(host, mailer),
                                         .folder = folder,
                                         .url = copy(mailer->url),
                                         .user = copy(mailer->user),
                                         .password = copy(mailer->password),
                                         .from = copy(mailer->from),
                                         .ca_file = copy(mailer->ca_file),
                                         .encryption = (enum encryption)mailer->encryption,
                                         .timeout = mailer->timeout};
    const struct delivery *settings = &mailer->settings;
    if (!settings->folder || !settings->url || !settings->user || !settings->password || !settings->from ||
        !settings->ca_file)
        return BP_NOMEM;
    if (settings->transport == TRANSPORT_NONE && mailer->transport == TRANSPORT_AUTO)
        bp_log(host, BP_LOG_WARN, "mailer.none", "No mail server is configured: messages are dropped");
    return 0;
}

static void release(const char *text)
{
    free((void *)(uintptr_t)text);
}

static void mailer_deinit(struct bp_host *host, void *self)
{
    struct mailer *mailer = self;
    (void)host;
    queue_drop(mailer);
    release(mailer->settings.folder);
    release(mailer->settings.url);
    release(mailer->settings.user);
    release(mailer->settings.password);
    release(mailer->settings.from);
    release(mailer->settings.ca_file);
}

BP_PLUGIN(.name = "mailer", .version = "1.0.0", .doc = "Sends messages by SMTP, or writes them into a folder.",
          .self_size = sizeof(struct mailer), .options = options, .provides = provides, .init = mailer_init,
          .start = mailer_start, .deinit = mailer_deinit);
