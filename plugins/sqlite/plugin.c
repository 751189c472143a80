/* SPDX-License-Identifier: MIT */
/* The database in one file, for a server without a database server. */
#include <stdio.h>
#include <stdlib.h>

#include "database.h"

static const struct bp_field options[] = {
    BP_TEXT(struct database, file, .def = "todo.db", .min = 1, .max = 1024,
            .doc = "The database file, relative to the data folder. Created when it is missing."),
    BP_SPAN(struct database, transaction_deadline, .def = "5s", .min = 10 * BP_MILLISECOND, .max = BP_MINUTE,
            .doc = "How long a transaction of several statements may hold up other writers before it is rolled back."),
    BP_SPAN(struct database, busy_timeout, .def = "5s", .min = 0, .max = BP_MINUTE,
            .doc = "How long to wait for a lock that another program holds on the file."),
    BP_SIZE(struct database, cache_size, .def = "4MiB", .min = 64 * 1024, .max = INT64_C(1) << 32,
            .doc = "Memory for pages of the file, per connection; each worker has two."),
    BP_U32(struct database, queue, .def = "4096", .min = 1, .max = 1000000,
           .doc = "Statements that may wait for their turn, per worker and direction; more are refused with 503."),
    BP_END};

static const struct bp_provide provides[] = {BP_PROVIDE(BP_DATABASE, BP_DATABASE_VERSION, &database_vtable),
                                             BP_PROVIDE_END};

static int sqlite_init(struct bp_host *host, void *self)
{
    struct database *database = self;
    bp_str folder = bp_data_dir(host);
    bool absolute = database->file.ptr[0] == '/';
    database->host = host;
    if (memchr(database->file.ptr, '\0', database->file.len))
        return bp_config_error(host, "file", "must not hold a NUL");
    if (asprintf(&database->path, "%" BP_STR_FMT "%s%" BP_STR_FMT, BP_STR_ARG(absolute ? BP_STR("") : folder),
                 absolute ? "" : "/", BP_STR_ARG(database->file)) < 0) {
        database->path = NULL;
        return BP_NOMEM;
    }
    return bp_health_new(host, &database_health_check);
}

static struct bp_mutex *write_lock(struct database *database)
{
    char name[256];
    bp_str instance = bp_instance_name(database->host);
    snprintf(name, sizeof(name), "%" BP_STR_FMT ".write_lock", BP_STR_ARG(instance));
    return bp_shared(database->host, name, 1, sizeof(struct bp_mutex));
}

static void sqlite_stop(struct bp_host *host, void *self)
{
    struct database *database = self;
    (void)host;
    database->reader = lane_stop(database->reader);
    database->writer = lane_stop(database->writer);
}

static int start_lane(struct database *database, struct lane **ret_lane, struct lane_options *wanted)
{
    struct failure failure = {0};
    char line[1024];
    int status;
    wanted->host = database->host;
    wanted->limit = database->queue;
    status = lane_start(wanted, ret_lane, &failure);
    if (status != BP_BUSY && status != BP_ERROR)
        return status;
    failure_explain(&failure, database->path, line, sizeof(line));
    return bp_start_error(database->host, "%s", line);
}

static int sqlite_start(struct bp_host *host, void *self)
{
    struct database *database = self;
    struct lane_options writer = {.connection = database_connection(database, false),
                                  .transaction_deadline = database->transaction_deadline,
                                  .write_lock = write_lock(database),
                                  .waiting = database_waiting(database, "write"),
                                  .work = writer_work,
                                  .name = "sqlite-writer"};
    struct lane_options reader = {.connection = database_connection(database, true),
                                  .waiting = database_waiting(database, "read"),
                                  .work = reader_work,
                                  .name = "sqlite-reader"};
    int status;
    if (!writer.write_lock)
        return bp_start_error(host, "no shared memory is left for the lock of the writers");
    status = start_lane(database, &database->writer, &writer);
    if (status == 0)
        status = start_lane(database, &database->reader, &reader);
    if (status != 0)
        sqlite_stop(host, self);
    return status;
}

static void sqlite_deinit(struct bp_host *host, void *self)
{
    struct database *database = self;
    (void)host;
    free(database->path);
    database->path = NULL;
}

BP_PLUGIN(.name = "sqlite", .version = "1.0.0", .doc = "Keeps data in an SQLite file on this machine.",
          .self_size = sizeof(struct database), .options = options, .provides = provides, .metrics = database_metrics,
          .init = sqlite_init, .start = sqlite_start, .stop = sqlite_stop, .deinit = sqlite_deinit);
