/* SPDX-License-Identifier: MIT */
/* A plugin that is given events, two times over, and writes down which; and that publishes some. Files in the data folder say what goes wrong. For
 * black-box tests only. */
#include <stdio.h>
#include <unistd.h>

#include "backplane/backplane.h"
#include "backplane/iface/database.h"
#include "backplane/iface/events.h"

struct observer {
    struct bp_host *host;
    struct bp_service db, events;
};

static const struct bp_migration migrations[] = {
    BP_MIGRATION(
            .version = 1, .name = "create_observed",
            .up = "CREATE TABLE observed (name TEXT NOT NULL, position INTEGER NOT NULL, type TEXT NOT NULL, subject "
                  "TEXT NOT NULL,"
                  " owner TEXT NOT NULL, data TEXT NOT NULL, at INTEGER NOT NULL)",
            .up_postgres =
                "CREATE TABLE observed (name text NOT NULL, position bigint NOT NULL, type text NOT NULL, subject text"
                " NOT NULL, owner text NOT NULL, data text NOT NULL, at timestamptz NOT NULL)"),
    BP_MIGRATION_END};

static const struct bp_statement note =
    BP_STATEMENT(.name = "observer.note", .sql = "INSERT INTO observed (name, position, type, subject, owner, data, "
                                                 "at) VALUES ($1, $2, $3, $4, $5, $6, $7)");

static void path_of(const struct observer *observer, const char *name, char *ret_path, size_t size)
{
    bp_str folder = bp_data_dir(observer->host);
    snprintf(ret_path, size, "%" BP_STR_FMT "/%s", BP_STR_ARG(folder), name);
}

static bool is_there(const struct observer *observer, const char *name)
{
    char path[256];
    path_of(observer, name, path, sizeof(path));
    return access(path, F_OK) == 0;
}

static int write_down(const struct observer *observer, struct bp_tx *tx, bp_str name, const struct bp_events_item *item)
{
    char subject[BP_UUID_LEN], owner[BP_UUID_LEN];
    bp_uuid_format(&item->subject_id, subject);
    bp_uuid_format(&item->user_id, owner);
    return bp_db_query(observer->db, tx, &note,
                       BP_VALUES(bp_db_text(name), bp_db_i64(item->position), bp_db_text(item->type),
                                 bp_db_text(bp_str_n(subject, sizeof(subject))),
                                 bp_db_text(bp_str_n(owner, sizeof(owner))), bp_db_text(item->data),
                                 bp_db_date(item->at)),
                       NULL, NULL);
}

/* Tells the test that the events were written down, and waits for the file "go". */
static int wait_for_test(const struct observer *observer)
{
    char path[256];
    path_of(observer, "waiting", path, sizeof(path));
    FILE *file = fopen(path, "w");
    if (file)
        fclose(file);
    int status = 0;
    while (status == 0 && !is_there(observer, "go"))
        status = bp_sleep(2 * BP_MILLISECOND);
    return status;
}

static int observe_first(struct bp_tx *tx, const struct bp_events_item *items, size_t count, void *argument)
{
    const struct observer *observer = argument;
    int status = 0;
    for (size_t i = 0; i < count && status == 0; i++)
        status = write_down(observer, tx, BP_STR("first"), &items[i]);
    if (status == 0 && is_there(observer, "hold"))
        status = wait_for_test(observer);
    if (status == 0 && is_there(observer, "fail"))
        status = 1;
    return status;
}

static int observe_second(struct bp_tx *tx, const struct bp_events_item *items, size_t count, void *argument)
{
    int status = 0;
    for (size_t i = 0; i < count && status == 0; i++)
        status = write_down(argument, tx, BP_STR("second"), &items[i]);
    return status;
}

struct query {
    bp_str type, data, end;
    bp_uuid owner;
};
static const struct bp_field query[] = {BP_TEXT(struct query, type, .def = ""), BP_TEXT(struct query, data, .def = ""),
                                        BP_TEXT(struct query, end, .def = ""), BP_UUID(struct query, owner), BP_END};

/* Its name is that of a status, or of none. */
static int publish(struct bp_request *rq, void *self, const void *stage)
{
    const struct observer *observer = self;
    const struct query *asked = bp_query(rq);
    const struct bp_events_item item = {
        .user_id = asked->owner, .subject_id = asked->owner, .type = asked->type, .data = asked->data};
    struct bp_tx *tx = NULL;
    (void)stage;
    int status = asked->end.len > 0 ? bp_db_begin(observer->db, &tx) : 0;
    if (status == 0)
        status = bp_events_publish(observer->events, tx, &item);
    if (tx && status == 0 && bp_str_is(asked->end, "commit"))
        status = bp_db_commit(observer->db, tx);
    else if (tx)
        bp_db_rollback(observer->db, tx);
    return bp_reply_message(rq, 200, status <= 0 ? bp_status_name(status) : "a condition");
}

static int init(struct bp_host *host, void *self)
{
    struct observer *observer = self;
    observer->host = host;
    int status = bp_events_consume(host, observer->events, "first", observe_first, observer);
    return status == 0 ? bp_events_consume(host, observer->events, "second", observe_second, observer) : status;
}

static const struct bp_need needs[] = {BP_NEED(BP_DATABASE, BP_DATABASE_VERSION, struct observer, db),
                                       BP_NEED(BP_EVENTS, BP_EVENTS_VERSION, struct observer, events), BP_NEED_END};

static const struct bp_route routes[] = {BP_ROUTE(.method = BP_POST, .path = "/publish", .handler = publish,
                                                  .name = "observer.publish", .query = query,
                                                  .query_size = sizeof(struct query)),
                                         BP_ROUTE_END};

BP_PLUGIN(.name = "observer", .version = "1.0.0", .doc = "Writes down what it is told.",
          .self_size = sizeof(struct observer), .needs = needs, .routes = routes, .migrations = migrations,
          .init = init);
