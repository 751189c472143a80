/* SPDX-License-Identifier: MIT */
/* smtp: hands messages to a mail server. */
#include <curl/curl.h>
#include <stdlib.h>

#include "backplane/backplane.h"
#include "converse.h"

struct smtp {
    /* options */
    bp_str url, user, password, ca_file;
    uint32_t encryption;
    bp_span timeout;
    /* what all conversations have in common */
    struct conversation settings;
};

static const char *const encryptions[] = {
    [ENCRYPTION_REQUIRED] = "required", [ENCRYPTION_OPPORTUNISTIC] = "opportunistic", [ENCRYPTION_NONE] = "none", NULL};

static const struct bp_field options[] = {
    BP_TEXT(struct smtp, url, .flags = BP_REQUIRED, .min = 1,
            .doc = "The mail server: \"smtp://mail.example.com:587\", \"smtps://mail.example.com\"."),
    BP_TEXT(struct smtp, user, .def = "", .doc = "Logs in to it; empty: without."),
    BP_TEXT(struct smtp, password, .def = "", .flags = BP_SECRET, .doc = "Its password."),
    BP_CHOICE(struct smtp, encryption, .choices = encryptions, .def = "required",
              .doc = "smtp://: whether STARTTLS must work, is tried, or is not; smtps:// always encrypts."),
    BP_TEXT(struct smtp, ca_file, .def = "", .doc = "Authorities in PEM, in place of the system's."),
    BP_SPAN(struct smtp, timeout, .def = "30s", .min = BP_SECOND, .max = 10 * BP_MINUTE,
            .doc = "How long the delivery of one message may take."),
    BP_END,
};

static int smtp_deliver(void *self, const struct bp_mail *mail, char ret_why[BP_MAIL_WHY])
{
    const struct smtp *smtp = self;
    struct conversation conversation = smtp->settings;
    conversation.mail = mail;
    struct bp_trace_span *span = bp_trace_begin("smtp send", BP_TRACE_CLIENT);
    int status = bp_offload(converse, &conversation);
    if (status == BP_ERROR || status == BP_MAIL_E_REFUSED)
        memcpy(ret_why, conversation.why, BP_MAIL_WHY);
    if (status != 0)
        bp_trace_error(span, status > 0 ? "refused" : bp_status_name(status));
    bp_trace_end(span);
    return status;
}

static const struct bp_mail_transport_vtable vtable = {.size = sizeof(vtable), .deliver = smtp_deliver};
static const struct bp_provide provides[] = {BP_PROVIDE(BP_MAIL_TRANSPORT, BP_MAIL_TRANSPORT_VERSION, &vtable),
                                             BP_PROVIDE_END};

static int smtp_init(struct bp_host *host, void *self)
{
    const struct smtp *smtp = self;
    if (!bp_str_starts(smtp->url, BP_STR("smtp://")) && !bp_str_starts(smtp->url, BP_STR("smtps://")))
        return bp_config_error(host, "url", "must begin with smtp:// or smtps://");
    return 0;
}

static char *copy(bp_str text)
{
    return strndup(text.ptr ? text.ptr : "", text.len);
}

static int smtp_start(struct bp_host *host, void *self)
{
    struct smtp *smtp = self;
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        return bp_start_error(host, "libcurl could not be set up");
    smtp->settings = (struct conversation){.url = copy(smtp->url),
                                           .user = copy(smtp->user),
                                           .password = copy(smtp->password),
                                           .ca_file = copy(smtp->ca_file),
                                           .encryption = (enum encryption)smtp->encryption,
                                           .timeout = smtp->timeout};
    const struct conversation *settings = &smtp->settings;
    return settings->url && settings->user && settings->password && settings->ca_file ? 0 : BP_NOMEM;
}

static void release(const char *text)
{
    free((void *)(uintptr_t)text);
}

static void smtp_deinit(struct bp_host *host, void *self)
{
    struct smtp *smtp = self;
    (void)host;
    release(smtp->settings.url);
    release(smtp->settings.user);
    release(smtp->settings.password);
    release(smtp->settings.ca_file);
}

BP_PLUGIN(.name = "smtp", .version = "1.0.0", .doc = "Hands messages to a mail server.",
          .self_size = sizeof(struct smtp), .options = options, .provides = provides, .init = smtp_init,
          .start = smtp_start, .deinit = smtp_deinit);
