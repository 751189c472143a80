/* SPDX-License-Identifier: MIT */
/* A plugin that writes to the database and then answers as the query says: for a stage that keeps such replies. For black-box tests only. */
#include <stdio.h>
#include <unistd.h>

#include "backplane/backplane.h"
#include "backplane/iface/database.h"

struct keyed {
    struct bp_host *host;
    struct bp_service db;
};

struct query {
    bp_str mode;
};

static const struct bp_field query[] = {BP_TEXT(struct query, mode, .def = ""), BP_END};

static const struct bp_migration migrations[] = {BP_MIGRATION(.version = 1, .name = "create_marks",
                                                              .up = "CREATE TABLE marks (name TEXT NOT NULL)",
                                                              .up_postgres = "CREATE TABLE marks (name text NOT NULL)"),
                                                 BP_MIGRATION_END};

static const struct bp_statement mark =
    BP_STATEMENT(.name = "keyed.mark", .sql = "INSERT INTO marks (name) VALUES ($1)");
static const struct bp_statement broken =
    BP_STATEMENT(.name = "keyed.broken", .sql = "INSERT INTO marks (name) VALUES (NULL)");

/* Tells the test that the statement was sent, and waits for the file "go". */
static int wait_for_test(const struct keyed *keyed)
{
    char path[256];
    bp_str folder = bp_data_dir(keyed->host);
    snprintf(path, sizeof(path), "%" BP_STR_FMT "/waiting", BP_STR_ARG(folder));
    FILE *file = fopen(path, "w");
    if (file)
        fclose(file);
    snprintf(path, sizeof(path), "%" BP_STR_FMT "/go", BP_STR_ARG(folder));
    int status = 0;
    while (status == 0 && access(path, F_OK) != 0)
        status = bp_sleep(2 * BP_MILLISECOND);
    return status;
}

static int answer(struct bp_request *rq, const struct keyed *keyed, bp_str mode)
{
    static char big[4096];
    static const struct {
        const char *mode;
        unsigned status;
    } failures[] = {{"400", 400}, {"401", 401}, {"403", 403}, {"404", 404},
                    {"409", 409}, {"429", 429}, {"500", 500}, {"503", 503}};
    for (size_t i = 0; i < sizeof(failures) / sizeof(failures[0]); i++)
        if (bp_str_is(mode, failures[i].mode))
            return bp_fail(rq, failures[i].status, "keyed.failed", "As asked");
    if (bp_str_is(mode, "error"))
        return BP_ERROR;
    if (bp_str_is(mode, "busy"))
        return BP_BUSY;
    if (bp_str_is(mode, "conflict") || bp_str_is(mode, "hidden-conflict")) {
        int condition = bp_db_query(keyed->db, NULL, &broken, BP_NO_VALUES, NULL, NULL);
        if (condition <= 0)
            return condition < 0 ? condition : BP_ERROR;
        return bp_str_is(mode, "conflict") ? bp_fail(rq, 409, "keyed.conflict", "The database refused it")
                                           : bp_reply_message(rq, 201, "As if nothing had happened");
    }
    if (bp_str_is(mode, "part-undone")) {
        struct bp_tx *tx;
        int status = bp_db_begin(keyed->db, &tx);
        if (status != 0)
            return status;
        bp_db_rollback(keyed->db, tx);
        return bp_reply_message(rq, 201, "Said too much");
    }
    if (bp_str_is(mode, "empty"))
        return bp_reply_body(rq, 204, BP_STR(""), BP_STR(""));
    if (bp_str_is(mode, "big"))
        return bp_reply_body(rq, 200, BP_STR("application/octet-stream"), bp_str_n(big, sizeof(big)));
    if (bp_str_is(mode, "bytes"))
        return bp_reply_body(rq, 200, BP_STR("application/octet-stream"), BP_STR("\xff\xfe"));
    if (bp_str_is(mode, "stream")) {
        int status = bp_stream_begin(rq, 200, BP_STR("text/plain"));
        return status < 0 ? status : bp_stream_write(rq, BP_STR("streamed"));
    }
    return bp_reply_message(rq, 201, "Gr\xc3\xbc\xc3\x9f");
}

static int post(struct bp_request *rq, void *self, const void *stage)
{
    const struct keyed *keyed = self;
    const struct query *asked = bp_query(rq);
    (void)stage;
    int status = bp_db_query(keyed->db, NULL, &mark, BP_VALUES(bp_db_text(bp_request_path(rq))), NULL, NULL);
    if (status == 0 && bp_str_starts(asked->mode, BP_STR("wait")))
        status = wait_for_test(keyed);
    if (status == 0)
        status = bp_header_set(rq, BP_STR("Location"), BP_STR("/here"));
    if (status == 0)
        status = bp_header_add(rq, BP_STR("Set-Cookie"), BP_STR("a=b"));
    if (status == 0)
        status = bp_header_block(rq, BP_STR("X-Block: kept\r\nset-cookie: c=d\r\n"));
    return status == 0 ? answer(rq, keyed, asked->mode) : status;
}

static int init(struct bp_host *host, void *self)
{
    struct keyed *keyed = self;
    keyed->host = host;
    return 0;
}

static const struct bp_need needs[] = {BP_NEED(BP_DATABASE, BP_DATABASE_VERSION, struct keyed, db), BP_NEED_END};

static const struct bp_route routes[] = {
    BP_ROUTE(.method = BP_POST, .path = "/marks", .handler = post, .name = "keyed.post", .query = query,
             .query_size = sizeof(struct query)),
    BP_ROUTE(.method = BP_POST, .path = "/marks/{name}", .handler = post, .name = "keyed.named", .query = query,
             .query_size = sizeof(struct query)),
    BP_ROUTE(.method = BP_PUT, .path = "/marks", .handler = post, .name = "keyed.put", .query = query,
             .query_size = sizeof(struct query)),
    BP_ROUTE_END};

BP_PLUGIN(.name = "keyed", .version = "1.0.0", .doc = "Marks to repeat.", .self_size = sizeof(struct keyed),
          .needs = needs, .routes = routes, .migrations = migrations, .init = init);
