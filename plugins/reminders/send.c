/* SPDX-License-Identifier: MIT */
#include "send.h"

#include <stdio.h>

#include "backplane/iface/database.h"
#include "backplane/iface/events.h"
#include "backplane/iface/mailer.h"
#include "backplane/iface/queue.h"
#include "letter.h"
#include "todo.h"

/* After `late`, when a reminder of that time is planned no more: how long it is known all the same that it was sent, as what happened to the todo may be
 * taken notice of later; and after how long one that was not sent has no job any more. */
#define KEPT (30 * BP_DAY)
#define LOST (365 * BP_DAY)
#define CLEAN_ROWS 1000

static const struct bp_field reminder_rows[] = {BP_UUID(struct reminder, todo_id, .flags = BP_REQUIRED),
                                                BP_DATE(struct reminder, remind_at, .flags = BP_REQUIRED), BP_END};

struct owner {
    bp_str email;
};

static const struct bp_field owner_rows[] = {BP_TEXT(struct owner, email), BP_END};

static const struct bp_statement claim =
    BP_STATEMENT(.name = "reminders.claim",
                 .sql = "UPDATE reminders SET sent_at = $3 WHERE todo_id = $1 AND remind_at = $2 AND sent_at IS NULL");
static const struct bp_statement forget =
    BP_STATEMENT(.name = "reminders.forget", .sql = "DELETE FROM reminders WHERE todo_id = $1");
static const struct bp_statement find = BP_STATEMENT(.name = "reminders.find_todo", .flags = BP_SQL_READ,
                                                     .sql = "SELECT " TODO_COLUMNS " FROM todos WHERE id = $1",
                                                     .rows = todo_rows, .row_size = sizeof(struct todo));
static const struct bp_statement find_owner =
    BP_STATEMENT(.name = "reminders.find_owner", .flags = BP_SQL_READ,
                 .sql = "SELECT email FROM users WHERE id = $1 AND NOT disabled AND (email_verified_at IS NOT NULL OR "
                        "NOT $2)",
                 .rows = owner_rows, .row_size = sizeof(struct owner));
static const struct bp_statement clean =
    BP_STATEMENT(.name = "reminders.clean", .flags = BP_SQL_IDEMPOTENT,
                 .sql = "DELETE FROM reminders WHERE todo_id IN (SELECT todo_id FROM reminders WHERE remind_at <= $1 "
                        "AND (sent_at IS NOT NULL OR remind_at <= $2) ORDER BY remind_at LIMIT $3)");

static int done(int status)
{
    return status > 0 ? BP_ERROR : status;
}

/* In the transaction, too, where messages are jobs. */
static int send_mail(const struct reminders *reminders, struct bp_tx *tx, const struct todo *todo)
{
    struct bp_arena *arena = bp_fiber_arena();
    struct bp_result result;
    int status =
        bp_db_query(reminders->db, tx, &find_owner,
                    BP_VALUES(bp_db_uuid(&todo->user_id), bp_db_bool(reminders->verified_only)), arena, &result);
    if (status != 0 || result.len == 0)
        return done(status);
    bp_str subject = letter_subject(todo, arena), text = letter_text(todo, reminders->link, arena);
    if (!subject.ptr || !text.ptr)
        return BP_NOMEM;
    struct bp_tx *before = bp_db_enlist(tx);
    status = bp_mail_send(reminders->mailer, ((const struct owner *)result.rows)->email, subject, text);
    (void)bp_db_enlist(before);
    if (status != BP_MISUSE)
        return done(status);
    bp_log(reminders->host, BP_LOG_WARN, "reminders.no_message", "A message cannot be sent to an account's address");
    return 0; /* the event can */
}

static int publish(const struct reminders *reminders, struct bp_tx *tx, const struct todo *todo)
{
    bp_str data = bp_object_encode(todo_rows, todo, bp_fiber_arena());
    if (!data.ptr)
        return BP_NOMEM;
    const struct bp_events_item item = {
        .user_id = todo->user_id, .subject_id = todo->id, .type = BP_STR(REMINDER_EVENT), .data = data};
    return done(bp_events_publish(reminders->events, tx, &item));
}

/* The todo as it is now, which may be gone, done, or moved: then its reminder is forgotten, and what has become of it says the next event. */
static int send_claimed(const struct reminders *reminders, struct bp_tx *tx, const struct reminder *reminder, bp_str id)
{
    struct bp_result result;
    bp_date at;
    int status =
        bp_db_query(reminders->db, tx, &find, BP_VALUES(bp_db_uuid(&reminder->todo_id)), bp_fiber_arena(), &result);
    if (status != 0)
        return done(status);
    const struct todo *todo = result.rows;
    if (result.len == 0 || !todo_reminds(todo, reminders->due, &at) || at != reminder->remind_at)
        return done(bp_db_query(reminders->db, tx, &forget, BP_VALUES(bp_db_text(id)), NULL, NULL));
    status = publish(reminders, tx, todo);
    return status == 0 && reminders->mail && reminders->mailer.vtable ? send_mail(reminders, tx, todo) : status;
}

/* Sent once, however often the job is run: what says so, the message and the event are committed together. */
static int run(struct bp_job *job, void *argument)
{
    const struct reminders *reminders = argument;
    const struct reminder *reminder = job->payload;
    struct bp_result result;
    struct bp_tx *tx;
    char text[BP_UUID_LEN];
    bp_uuid_format(&reminder->todo_id, text);
    bp_str id = bp_str_n(text, sizeof(text));
    int status = bp_db_begin(reminders->db, &tx);
    if (status != 0)
        return done(status);
    status = bp_db_query(reminders->db, tx, &claim,
                         BP_VALUES(bp_db_text(id), bp_db_date(reminder->remind_at), bp_db_date(bp_date_now())), NULL,
                         &result);
    if (status == 0 && result.changes > 0)
        status = send_claimed(reminders, tx, reminder, id);
    if (status == 0)
        return bp_db_commit(reminders->db, tx);
    bp_db_rollback(reminders->db, tx);
    return done(status);
}

static int run_clean(struct bp_job *job, void *argument)
{
    const struct reminders *reminders = argument;
    struct bp_result result = {.changes = CLEAN_ROWS};
    bp_date now = bp_date_now(), sent = now - (reminders->late + KEPT) / BP_MILLISECOND,
            lost = now - (reminders->late + LOST) / BP_MILLISECOND;
    int status = 0;
    (void)job;
    while (status == 0 && result.changes == CLEAN_ROWS)
        status = bp_db_query(reminders->db, NULL, &clean,
                             BP_VALUES(bp_db_date(sent), bp_db_date(lost), bp_db_i64(CLEAN_ROWS)), NULL, &result);
    return done(status);
}

int send_init(struct reminders *reminders)
{
    bp_str name = bp_instance_name(reminders->host);
    (void)snprintf(reminders->send_name, sizeof(reminders->send_name), "%" BP_STR_FMT ".send", BP_STR_ARG(name));
    (void)snprintf(reminders->clean_name, sizeof(reminders->clean_name), "%" BP_STR_FMT ".clean", BP_STR_ARG(name));
    const struct bp_job_kind kinds[] = {
        BP_JOB_KIND(.name = reminders->send_name, .doc = "Reminds of a todo.", .payload = reminder_rows,
                    .payload_size = sizeof(struct reminder), .run = run),
        BP_JOB_KIND(.name = reminders->clean_name, .doc = "Forgets reminders that were sent.", .cron = "11 4 * * *",
                    .timeout = BP_HOUR, .run = run_clean),
        BP_JOB_KIND_END};
    return bp_jobs_add(reminders->host, reminders->queue, kinds, reminders);
}
