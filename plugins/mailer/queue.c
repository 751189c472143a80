/* SPDX-License-Identifier: MIT */
#include "queue.h"

#include <stdlib.h>

#include "job.h"
#include "message.h"

static void queued_free(struct queued *queued)
{
    if (!queued)
        return;
    free(queued->to);
    free(queued->message);
    free(queued);
}

/* Of whom, the log says no more than where: addresses are nobody's business there. */
static bp_str domain_of(bp_str to)
{
    const char *at = memchr(to.ptr, '@', to.len);
    return at ? bp_str_n(at + 1, to.len - (size_t)(at + 1 - to.ptr)) : BP_STR("");
}

void queue_log(const struct mailer *mailer, bp_str to, uint32_t attempt, bool last, bp_str reason)
{
    bp_log(mailer->host, last ? BP_LOG_ERROR : BP_LOG_WARN, last ? "mailer.given_up" : "mailer.failed",
           last ? "A message could not be delivered" : "A message could not be delivered yet",
           bp_log_str("domain", domain_of(to)), bp_log_int("attempt", attempt), bp_log_str("reason", reason));
}

int queue_attempt(struct mailer *mailer, const struct queued *queued, char ret_why[BP_MAIL_WHY])
{
    if (mailer->transport == TRANSPORT_SMTP) {
        const struct bp_mail mail = {.from = mailer->sender, .to = queued->to, .message = queued->message};
        return bp_mail_deliver(mailer->mail_transport, &mail, ret_why);
    }
    struct delivery delivery = {.folder = mailer->folder_path, .name = queued->name, .message = queued->message};
    int status = bp_offload(deliver, &delivery);
    if (status == BP_ERROR)
        memcpy(ret_why, delivery.why, BP_MAIL_WHY);
    return status;
}

static int deliver_one(struct mailer *mailer, const struct queued *queued)
{
    int status = 0;
    char why[BP_MAIL_WHY];
    bp_span pause = mailer->retry_after;
    for (uint32_t attempt = 1;; attempt++) {
        status = queue_attempt(mailer, queued, why);
        if (status == 0 || status == BP_CANCELED)
            return status;
        bool last = attempt >= mailer->attempts || status == BP_MAIL_E_REFUSED;
        queue_log(mailer, bp_str_of(queued->to), attempt, last,
                  bp_str_of(status > 0 || status == BP_ERROR ? why : bp_status_name(status)));
        if (last)
            return 0;
        status = bp_sleep(pause);
        if (status < 0)
            return status;
        pause *= 2;
    }
}

static int run(void *argument)
{
    struct mailer *mailer = argument;
    int status = 0;
    while (mailer->first && status == 0) {
        status = deliver_one(mailer, mailer->first);
        if (status < 0)
            break; /* the server stops: queue_drop() says what is lost */
        struct queued *done = mailer->first;
        mailer->first = done->next;
        if (!mailer->first)
            mailer->last = &mailer->first;
        mailer->length--;
        queued_free(done);
    }
    mailer->sending = false;
    return status;
}

int queue_send(void *self, bp_str to, bp_str subject, bp_str text)
{
    struct mailer *mailer = self;
    bp_uuid id = bp_uuid_new();
    if (!message_address_valid(to) || !message_subject_valid(subject) || text.len > MESSAGE_TEXT_MAX)
        return BP_MISUSE;
    if (mailer->transport == TRANSPORT_NONE)
        return 0;
    if (mailer->jobs.vtable)
        return job_add(mailer, to, subject, text);
    if (mailer->length >= mailer->queue)
        return BP_BUSY;
    struct queued *queued = calloc(1, sizeof(*queued));
    if (queued) {
        queued->to = strndup(to.ptr, to.len);
        queued->message = message_make(mailer->from, to, subject, text, bp_date_now(), &id);
        bp_uuid_format(&id, queued->name);
    }
    if (!queued || !queued->to || !queued->message) {
        queued_free(queued);
        return BP_NOMEM;
    }
    *mailer->last = queued;
    mailer->last = &queued->next;
    mailer->length++;
    if (!mailer->sending)
        mailer->sending = bp_spawn(mailer->host, "mailer", run, mailer, BP_FOREVER) == 0;
    return 0;
}

void queue_drop(struct mailer *mailer)
{
    if (mailer->length > 0)
        bp_log(mailer->host, BP_LOG_ERROR, "mailer.lost", "Messages were not delivered before the server stopped",
               bp_log_int("messages", mailer->length));
    while (mailer->first) {
        struct queued *next = mailer->first->next;
        queued_free(mailer->first);
        mailer->first = next;
    }
    mailer->length = 0;
}
