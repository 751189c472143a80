/* SPDX-License-Identifier: MIT */
#include "job.h"

#include <stdio.h>
#include <stdlib.h>

#include "backplane/iface/queue.h"
#include "message.h"
#include "seal.h"

/* text, or that sealed. */
struct letter {
    bp_str to, subject, text, sealed;
};

static const struct bp_field letter_rows[] = {
    BP_TEXT(struct letter, to, .flags = BP_REQUIRED, .max = MESSAGE_ADDRESS_MAX),
    BP_TEXT(struct letter, subject, .flags = BP_REQUIRED, .max = MESSAGE_SUBJECT_MAX),
    BP_TEXT(struct letter, text, .flags = BP_NULLABLE | BP_SECRET, .max = MESSAGE_TEXT_MAX),
    BP_TEXT(struct letter, sealed, .flags = BP_NULLABLE | BP_SECRET, .max = 2 * MESSAGE_TEXT_MAX), BP_END};

/* 0; BP_JOB_DEAD with the reason, as no other attempt will open it; BP_NOMEM. */
static int read_text(const struct mailer *mailer, const struct letter *letter, bp_str *ret_text,
                     char ret_why[BP_MAIL_WHY])
{
    *ret_text = letter->text;
    int status = letter->sealed.ptr ? seal_open(mailer->secret, letter->sealed, bp_fiber_arena(), ret_text) : 0;
    if (status <= 0)
        return status;
    (void)snprintf(ret_why, BP_MAIL_WHY, "It was sealed with another secret, or changed since");
    return BP_JOB_DEAD;
}

/* Twice the same message has twice the same identifier, and is the same file. */
static int send_one(struct mailer *mailer, const struct bp_job *job, bp_str text, char ret_why[BP_MAIL_WHY])
{
    const struct letter *letter = job->payload;
    struct queued queued = {
        .to = (char *)(uintptr_t)bp_arena_copy(bp_fiber_arena(), letter->to).ptr,
        .message = message_make(mailer->from, letter->to, letter->subject, text, job->enqueued_at, &job->id)};
    bp_uuid_format(&job->id, queued.name);
    int status = queued.to && queued.message ? queue_attempt(mailer, &queued, ret_why) : BP_NOMEM;
    free(queued.message);
    return status;
}

static int run(struct bp_job *job, void *argument)
{
    struct mailer *mailer = argument;
    char why[BP_MAIL_WHY] = "";
    bp_str text;
    if (mailer->transport == TRANSPORT_NONE) /* it was not when the message was written */
        return 0;
    int status = read_text(mailer, job->payload, &text, why);
    if (status == 0)
        status = send_one(mailer, job, text, why);
    if (status == 0 || status == BP_CANCELED)
        return status;
    bool dead = status > 0, last = dead || job->attempt >= mailer->attempts;
    bp_str reason = bp_str_of(dead || status == BP_ERROR ? why : bp_status_name(status));
    queue_log(mailer, ((const struct letter *)job->payload)->to, job->attempt, last, reason);
    bp_job_reason(mailer->jobs, job, reason);
    return dead ? BP_JOB_DEAD : status;
}

int job_init(struct mailer *mailer)
{
    (void)snprintf(mailer->job_name, sizeof(mailer->job_name), "%" BP_STR_FMT ".send",
                   BP_STR_ARG(bp_instance_name(mailer->host)));
    const struct bp_job_kind kinds[] = {
        BP_JOB_KIND(.name = mailer->job_name, .doc = "Sends a message.", .queue = "mail", .payload = letter_rows,
                    .payload_size = sizeof(struct letter), .run = run, .attempts = mailer->attempts,
                    .retry_after = mailer->retry_after, .timeout = 5 * BP_MINUTE),
        BP_JOB_KIND_END};
    return bp_jobs_add(mailer->host, mailer->jobs, kinds, mailer);
}

int job_add(struct mailer *mailer, bp_str to, bp_str subject, bp_str text)
{
    struct letter letter = {.to = to, .subject = subject};
    if (mailer->secret.len == 0)
        letter.text = text;
    else if (!(letter.sealed = seal_text(mailer->secret, text, bp_fiber_arena())).ptr)
        return BP_NOMEM;
    return bp_enqueue(mailer->jobs, NULL, &BP_JOB(.kind = mailer->job_name, .payload = &letter), NULL);
}
