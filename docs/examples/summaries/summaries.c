/* SPDX-License-Identifier: MIT */
/* summaries: what an account has to do, counted by a job, because counting may take long. */
#include <backplane/backplane.h>
#include <backplane/iface/database.h>
#include <backplane/iface/identity.h>
#include <backplane/iface/queue.h>
#include <backplane/iface/todos.h>

struct summaries {
    struct bp_service db, identity, todos, queue;
};

struct summary {
    bp_uuid id;
    bool done;
    int64_t todos, open;
};

static const struct bp_field summary_fields[] = {BP_UUID(struct summary, id), BP_BOOL(struct summary, done),
                                                 BP_I64(struct summary, todos), BP_I64(struct summary, open), BP_END};

static const struct bp_migration migrations[] = {
    BP_MIGRATION(.version = 1, .name = "create_summaries",
                 .up = "CREATE TABLE summaries (id BLOB PRIMARY KEY, user_id BLOB NOT NULL REFERENCES users (id) "
                       "ON DELETE CASCADE, done INTEGER NOT NULL DEFAULT 0, todos INTEGER NOT NULL DEFAULT 0, "
                       "open INTEGER NOT NULL DEFAULT 0, created_at INTEGER NOT NULL) STRICT",
                 .up_postgres = "CREATE TABLE summaries (id uuid PRIMARY KEY, user_id uuid NOT NULL REFERENCES users "
                                "(id) ON DELETE CASCADE, done boolean NOT NULL DEFAULT false, todos bigint NOT NULL "
                                "DEFAULT 0, open bigint NOT NULL DEFAULT 0, created_at timestamptz NOT NULL)"),
    BP_MIGRATION_END};

/* ---- the jobs ---- */

/* What a job is given. It is stored as JSON: a later version of the plugin may add rows with defaults, and must not take any away. */
struct count_payload {
    bp_uuid summary_id;
};

static const struct bp_field count_payload[] = {BP_UUID(struct count_payload, summary_id, .flags = BP_REQUIRED),
                                                BP_END};

/* It may run twice; that it then counts twice does no harm. */
static const struct bp_statement count =
    BP_STATEMENT(.name = "summaries.count",
                 .sql = "UPDATE summaries SET done = true, "
                        "todos = (SELECT count(*) FROM todos t WHERE t.user_id = summaries.user_id), "
                        "open = (SELECT count(*) FROM todos t WHERE t.user_id = summaries.user_id AND NOT t.completed) "
                        "WHERE id = $1");

static int count_todos(struct bp_job *job, void *self)
{
    const struct summaries *summaries = self;
    const struct count_payload *payload = job->payload;
    struct bp_result result;
    int status = bp_db_query(summaries->db, NULL, &count, BP_VALUES(bp_db_uuid(&payload->summary_id)), NULL, &result);
    if (status != 0)
        return status < 0 ? status : BP_ERROR; /* negative: again, later */
    if (result.changes == 0) {
        bp_job_reason(summaries->queue, job, BP_STR("The account is gone"));
        return BP_JOB_DEAD; /* never again */
    }
    return 0;
}

static const struct bp_statement prune =
    BP_STATEMENT(.name = "summaries.prune", .sql = "DELETE FROM summaries WHERE created_at < $1");

static int prune_old(struct bp_job *job, void *self)
{
    const struct summaries *summaries = self;
    bp_date week_ago = job->run_at - 7 * BP_DAY / BP_MILLISECOND;
    int status = bp_db_query(summaries->db, NULL, &prune, BP_VALUES(bp_db_date(week_ago)), NULL, NULL);
    return status <= 0 ? status : BP_ERROR;
}

static const struct bp_job_kind kinds[] = {
    BP_JOB_KIND(.name = "summaries.count", .doc = "Counts an account's todos.", .payload = count_payload,
                .payload_size = sizeof(struct count_payload), .run = count_todos, .attempts = 5),
    BP_JOB_KIND(.name = "summaries.prune", .doc = "Forgets summaries of last week.", .cron = "15 3 * * *",
                .run = prune_old),
    BP_JOB_KIND_END};

/* ---- POST /api/v1/summaries ---- */

static const struct bp_statement create =
    BP_STATEMENT(.name = "summaries.create",
                 .sql = "INSERT INTO summaries (id, user_id, created_at) VALUES ($1, $2, $3)");

/* The row and the job: both, or neither. */
static int create_with_job(const struct summaries *summaries, struct bp_tx *tx, const bp_uuid *id,
                           const bp_uuid *user_id)
{
    const struct count_payload payload = {.summary_id = *id};
    int status = bp_db_query(summaries->db, tx, &create,
                             BP_VALUES(bp_db_uuid(id), bp_db_uuid(user_id), bp_db_date(bp_date_now())), NULL, NULL);
    if (status == 0)
        status = bp_enqueue(summaries->queue, tx, &BP_JOB(.kind = "summaries.count", .payload = &payload), NULL);
    return status;
}

static int summaries_create(struct bp_request *rq, void *self, const void *stage)
{
    const struct summaries *summaries = self;
    struct summary summary = {.id = bp_uuid_new()};
    struct bp_tx *tx;
    (void)stage;
    int status = bp_db_begin(summaries->db, &tx);
    if (status != 0)
        return status;
    status = create_with_job(summaries, tx, &summary.id, &bp_identity(rq)->user_id);
    if (status == 0)
        status = bp_db_commit(summaries->db, tx);
    else
        bp_db_rollback(summaries->db, tx);
    if (status == BP_DB_FOREIGN)
        return bp_identity_gone(summaries->identity, rq);
    return status != 0 ? (status < 0 ? status : BP_ERROR)
                       : bp_reply_object(rq, 202, "Summary begun", summary_fields, &summary);
}

/* ---- GET /api/v1/summaries/{id} ---- */

struct summary_params {
    bp_uuid id;
};

static const struct bp_field params[] = {
    BP_UUID(struct summary_params, id, .flags = BP_REQUIRED, .invalid = "Invalid summary ID format"), BP_END};

static const struct bp_statement find =
    BP_STATEMENT(.name = "summaries.find", .flags = BP_SQL_READ,
                 .sql = "SELECT id, done, todos, open FROM summaries WHERE id = $1 AND user_id = $2",
                 .rows = summary_fields, .row_size = sizeof(struct summary));

static int summaries_find(struct bp_request *rq, void *self, const void *stage)
{
    const struct summaries *summaries = self;
    struct bp_result result;
    (void)stage;
    int status = bp_db_query(summaries->db, NULL, &find,
                             BP_VALUES(bp_db_uuid(bp_param_uuid(rq, "id")), bp_db_uuid(&bp_identity(rq)->user_id)),
                             bp_arena(rq), &result);
    if (status != 0)
        return status < 0 ? status : BP_ERROR;
    if (result.len == 0)
        return bp_fail(rq, 404, "summaries.not_found", "Summary not found");
    return bp_reply_object(rq, 200, "Summary retrieved", summary_fields, result.rows);
}

/* ---- the plugin ---- */

static const struct bp_need needs[] = {BP_NEED(BP_DATABASE, BP_DATABASE_VERSION, struct summaries, db),
                                       BP_NEED(BP_IDENTITY, BP_IDENTITY_VERSION, struct summaries, identity),
                                       BP_NEED(BP_TODOS, BP_TODOS_VERSION, struct summaries, todos),
                                       BP_NEED(BP_QUEUE, BP_QUEUE_VERSION, struct summaries, queue), BP_NEED_END};

static const struct bp_answer find_answers[] = {
    BP_ANSWER(.status = 404, .code = "summaries.not_found", .message = "Summary not found"), BP_ANSWER_END};

static const struct bp_route routes[] = {
    BP_ROUTE(.method = BP_POST, .path = "/api/v1/summaries", .handler = summaries_create, .name = "summaries.create",
             .doc = "Has the todos counted.", .reply = summary_fields, .reply_status = 202, .role = "user",
             .scope = "todos:read"),
    BP_ROUTE(.method = BP_GET, .path = "/api/v1/summaries/{id}", .handler = summaries_find, .name = "summaries.find",
             .doc = "What they came to.", .params = params, .params_size = sizeof(struct summary_params),
             .reply = summary_fields, .answers = find_answers, .role = "user", .scope = "todos:read"),
    BP_ROUTE_END};

static int summaries_init(struct bp_host *host, void *self)
{
    struct summaries *summaries = self;
    return bp_jobs_add(host, summaries->queue, kinds, summaries);
}

BP_PLUGIN(.name = "summaries", .version = "1.0.0", .doc = "Counts what there is to do.",
          .self_size = sizeof(struct summaries), .needs = needs, .routes = routes, .migrations = migrations,
          .init = summaries_init);
