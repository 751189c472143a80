/* SPDX-License-Identifier: MIT */
/* A database that only says what it was asked to do. */
#include "backplane/iface/database.h"
#include "trace.h"

struct store {
    const struct bp_host *host;
    bp_str refuses;
};

static const struct bp_field options[] = {BP_TEXT(struct store, refuses, .doc = "The plugin whose migrations fail."),
                                          BP_END};

static int migrate(void *self, const char *owner, const struct bp_migration *migrations, unsigned *ret_applied)
{
    const struct store *store = self;
    unsigned count = 0;
    while (migrations[count].size)
        count++;
    TRACE(store->host, "migrate %s %u", owner, count);
    if (bp_str_is(store->refuses, owner))
        return BP_ERROR;
    *ret_applied = count;
    return 0;
}

static int backup(void *self, const char *file)
{
    const struct store *store = self;
    TRACE(store->host, "backup %s", file);
    return 0;
}

static const struct bp_database_vtable vtable = {.size = sizeof(vtable), .migrate = migrate, .backup = backup};
static const struct bp_provide provides[] = {BP_PROVIDE(BP_DATABASE, BP_DATABASE_VERSION, &vtable), BP_PROVIDE_END};

static int init(struct bp_host *host, void *self)
{
    ((struct store *)self)->host = host;
    return 0;
}

static int start(struct bp_host *host, void *self)
{
    (void)self;
    TRACE(host, "start");
    return 0;
}

BP_PLUGIN(.name = "store", .version = "1.0.0", .doc = "Stores nothing.", .self_size = sizeof(struct store),
          .options = options, .provides = provides, .init = init, .start = start);
