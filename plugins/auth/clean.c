/* SPDX-License-Identifier: MIT */
#include "clean.h"

#include <stdio.h>

#include "backplane/iface/database.h"
#include "backplane/iface/queue.h"
#include "login_address.h"

/* So many at a time, so that no other writer waits for long. */
#define ROWS 1000

static const struct bp_statement sessions =
    BP_STATEMENT(.name = "auth.clean_sessions", .flags = BP_SQL_IDEMPOTENT,
                 .sql = "DELETE FROM sessions WHERE id IN (SELECT id FROM sessions WHERE expires_at <= $1 LIMIT $2)");
static const struct bp_statement mailed =
    BP_STATEMENT(.name = "auth.clean_mailed", .flags = BP_SQL_IDEMPOTENT,
                 .sql = "DELETE FROM mailed_tokens WHERE token_hash IN (SELECT token_hash FROM mailed_tokens WHERE "
                        "expires_at <= $1 LIMIT $2)");
static const struct bp_statement addresses =
    BP_STATEMENT(.name = "auth.clean_login_addresses", .flags = BP_SQL_IDEMPOTENT,
                 .sql = "DELETE FROM login_addresses WHERE (user_id, address_hash) IN (SELECT user_id, address_hash "
                        "FROM login_addresses WHERE used_at <= $1 LIMIT $2)");

static int run(struct bp_job *job, void *argument)
{
    const struct auth *auth = argument;
    bp_date now = bp_date_now();
    const struct {
        const struct bp_statement *statement;
        bp_date before;
    } steps[] = {{&sessions, now}, {&mailed, now}, {&addresses, now - LOGIN_ADDRESS_LIFETIME / BP_MILLISECOND}};
    (void)job;
    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        struct bp_result result = {.changes = ROWS};
        while (result.changes == ROWS) {
            int status = bp_db_query(auth->db, NULL, steps[i].statement,
                                     BP_VALUES(bp_db_date(steps[i].before), bp_db_i64(ROWS)), NULL, &result);
            if (status != 0)
                return status < 0 ? status : BP_ERROR;
        }
    }
    return 0;
}

int clean_init(struct auth *auth)
{
    (void)snprintf(auth->clean_name, sizeof(auth->clean_name), "%" BP_STR_FMT ".clean",
                   BP_STR_ARG(bp_instance_name(auth->host)));
    (void)snprintf(auth->clean_cron, sizeof(auth->clean_cron), "@every %llds", (long long)(auth->cleanup / BP_SECOND));
    const struct bp_job_kind kinds[] = {
        BP_JOB_KIND(.name = auth->clean_name, .cron = auth->clean_cron, .run = run, .timeout = 10 * BP_MINUTE,
                    .doc = "Deletes sessions and tokens of messages that have expired, and addresses of long ago."),
        BP_JOB_KIND_END};
    return bp_jobs_add(auth->host, auth->queue, kinds, auth);
}
