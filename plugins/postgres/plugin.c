/* SPDX-License-Identifier: MIT */
/* The database on a PostgreSQL server, or behind a pooler. */
#include <stdio.h>
#include <stdlib.h>

#include "at_start.h"
#include "database.h"

static const struct bp_field options[] = {
    BP_TEXT(
        struct database, url, .flags = BP_REQUIRED | BP_SECRET, .min = 1, .max = 4096,
        .doc = "Where the database is: postgres://user:password@host:port/database, with parameters of libpq (sslmode, "
               "sslrootcert, target_session_attrs …), or of Prisma: schema, pgbouncer, connection_limit (pool), "
               "pool_timeout, connect_timeout."),
    BP_TEXT(struct database, direct_url, .def = "", .flags = BP_SECRET, .max = 4096,
            .doc = "The server itself, where url is that of a pooler: for LISTEN and migrations. Empty: url."),
    BP_TEXT(struct database, read_url, .def = "", .flags = BP_SECRET, .max = 4096,
            .doc =
                "A replica that answers reads outside of transactions, as long as it is there. It lags: who has just "
                "written may read what was before. Empty: the primary answers all."),
    BP_U32(struct database, readers, .def = "2", .min = 1, .max = 64,
           .doc = "Shared connections for reads, per worker; as many again to the replica."),
    BP_U32(struct database, writers, .def = "1", .min = 1, .max = 64,
           .doc = "Shared connections for single writes, per worker."),
    BP_U32(struct database, pool, .def = "4", .min = 1, .max = 1000,
           .doc = "Connections for transactions, per worker; made when they are first needed."),
    BP_U32(struct database, queue, .def = "4096", .min = 1, .max = 1000000,
           .doc = "Statements that may wait for their turn, per worker and direction; more are refused with 503."),
    BP_BOOL(struct database, pooler, .def = "false",
            .doc = "A pooler in transaction mode (pgbouncer) is in between: nothing is prepared, no session is set up. "
                   "Found out when it is not said."),
    BP_SPAN(struct database, statement_timeout, .def = "5s", .min = 100 * BP_MILLISECOND, .max = BP_HOUR,
            .doc =
                "How long a statement may run. An answer that is 2 s later than this shows that the server hangs: its "
                "connection is given up."),
    BP_SPAN(struct database, lock_timeout, .def = "2s", .min = 10 * BP_MILLISECOND, .max = BP_HOUR,
            .doc = "How long a statement may wait for a lock; then 503."),
    BP_SPAN(struct database, connect_timeout, .def = "5s", .min = 100 * BP_MILLISECOND, .max = BP_MINUTE,
            .doc = "How long connecting may take, the name look-up included."),
    BP_SPAN(struct database, pool_timeout, .def = "2s", .min = 10 * BP_MILLISECOND, .max = BP_MINUTE,
            .doc = "How long a statement or transaction may wait for a connection; then 503."),
    BP_SPAN(struct database, transaction_deadline, .def = "5s", .min = 10 * BP_MILLISECOND, .max = BP_MINUTE,
            .doc = "How long a transaction of several statements may take before it is rolled back."),
    BP_BOOL(struct database, migrate, .def = "false",
            .doc =
                "Brings the schema up to date when the server starts. Else `backplane migrate up` does, and until then "
                "queries are refused with 503."),
    BP_CHOICE(
        struct database, at_start, .choices = at_start_choices, .def = "accepted",
        .doc = "What a start asks of the database. accepted: not to be refused; a wrong password, or a database that "
               "is not there, end the start, and a server that is away is waited for. reached: to be there within "
               "connect_timeout. nothing: nothing."),
    BP_SPAN(struct database, grace, .def = "10s", .min = 0, .max = BP_HOUR,
            .doc = "How long the database may be away before the server says that it is not ready."),
    BP_TEXT(struct database, sslmode, .def = "", .max = 16,
            .doc = "disable, allow, prefer, require, verify-ca or verify-full; goes before that of the URL."),
    BP_TEXT(struct database, sslrootcert, .def = "", .max = 1024,
            .doc = "File of the authorities that may have signed the server's certificate."),
    BP_TEXT(struct database, sslcert, .def = "", .max = 1024, .doc = "File of the client's certificate."),
    BP_TEXT(struct database, sslkey, .def = "", .max = 1024, .doc = "File of the client's private key."),
    BP_TEXT(struct database, application_name, .def = "backplane", .max = 63, .doc = "Shown in pg_stat_activity."),
    BP_END};

static const struct bp_provide provides[] = {BP_PROVIDE(BP_DATABASE, BP_DATABASE_VERSION, &database_vtable),
                                             BP_PROVIDE_END};

static int parse(struct bp_host *host, const char *option, bp_str url, struct target *ret_target)
{
    char why[URL_WHY];
    int status = target_parse(url, ret_target, why);
    return status == BP_INVALID ? bp_config_error(host, option, "must be %s", why) : status;
}

static int parse_all(struct bp_host *host, struct database *database)
{
    int status = parse(host, "url", database->url, &database->target);
    if (status == 0 && database->direct_url.len > 0)
        status = parse(host, "direct_url", database->direct_url, &database->direct);
    if (status == 0 && database->read_url.len > 0)
        status = parse(host, "read_url", database->read_url, &database->replica);
    return status;
}

static int check_sslmode(struct bp_host *host, bp_str mode)
{
    static const char *const modes[] = {"", "disable", "allow", "prefer", "require", "verify-ca", "verify-full"};
    for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++)
        if (bp_str_is(mode, modes[i]))
            return 0;
    return bp_config_error(host, "sslmode",
                           "must be disable, allow, prefer, require, verify-ca or verify-full, is \"%" BP_STR_FMT "\"",
                           BP_STR_ARG(mode));
}

/* SELECT set_config(…), …: one round trip, and the same words for a session and for a transaction. */
static char *settings(const struct database *database, bool local)
{
    const char *scope = local ? "true" : "false";
    /* Statements are prepared once, a text for each combination of filters, and each is right with any plan that its indexes allow. A
     * new plan for each set of values costs more than running it: the estimates for LIMIT and OFFSET alone would make Postgres choose that. */
    const char *plans = local ? "" : ", set_config('plan_cache_mode', 'force_generic_plan', false)";
    char path[128] = "", *sql = NULL;
    if (database->target.schema)
        snprintf(path, sizeof(path), ", set_config('search_path', '\"%s\"', %s)", database->target.schema, scope);
    if (asprintf(&sql, "SELECT set_config('statement_timeout', '%lld', %s), set_config('lock_timeout', '%lld', %s)%s%s",
                 (long long)(database->statement_timeout / BP_MILLISECOND), scope,
                 (long long)(database->lock_timeout / BP_MILLISECOND), scope, plans, path) < 0)
        return NULL;
    return sql;
}

static int postgres_init(struct bp_host *host, void *self)
{
    struct database *database = self;
    int status;
    database->host = host;
    status = parse_all(host, database);
    if (status == 0)
        status = check_sslmode(host, database->sslmode);
    if (status != 0)
        return status;
    database->pooler |= database->target.pooler;
    if (database->target.connection_limit)
        database->pool = database->target.connection_limit;
    if (database->target.pool_timeout)
        database->pool_timeout = database->target.pool_timeout;
    if (database->target.connect_timeout)
        database->connect_timeout = database->target.connect_timeout;
    database->session = settings(database, false);
    database->prelude = settings(database, true);
    if (!database->session || !database->prelude)
        return BP_NOMEM;
    return bp_health_new_with(host, &database_health, true, database->grace);
}

static int postgres_before_start(struct bp_host *host, void *self)
{
    (void)host;
    return at_start_ask(self);
}

/* Of a worker: never waits for the server. What needs it is answered with 503 until it is there. */
static int postgres_start(struct bp_host *host, void *self)
{
    struct database *database = self;
    int status = lane_start(database, LANE_READ, database->readers);
    (void)host;
    if (status == 0)
        status = lane_start(database, LANE_WRITE, database->writers);
    if (status == 0 && database->replica.options)
        status = lane_start(database, LANE_REPLICA, database->readers);
    if (status == 0)
        status = pool_start(database, database->pool);
    if (status == 0)
        status = schema_start(database);
    database->running = status == 0;
    return status;
}

/* The fibers of the connections are ended, and waited for, by the core after this. */
static void postgres_stop(struct bp_host *host, void *self)
{
    struct database *database = self;
    (void)host;
    database->running = false;
}

static void postgres_deinit(struct bp_host *host, void *self)
{
    struct database *database = self;
    (void)host;
    for (unsigned i = 0; i < LANES; i++)
        lane_free(&database->lanes[i]);
    pool_free(&database->pinned);
    listener_free(&database->listener);
    schema_free(&database->schema);
    target_deinit(&database->target);
    target_deinit(&database->direct);
    target_deinit(&database->replica);
    free(database->session);
    free(database->prelude);
    database->session = database->prelude = NULL;
}

BP_PLUGIN(.name = "postgres", .version = "1.0.0", .doc = "Keeps data on a PostgreSQL server.",
          .self_size = sizeof(struct database), .options = options, .provides = provides, .metrics = database_metrics,
          .init = postgres_init, .before_start = postgres_before_start, .start = postgres_start, .stop = postgres_stop,
          .deinit = postgres_deinit);
