/* SPDX-License-Identifier: MIT */
/* import_prisma: a command that copies the old system's accounts and todos. */
#include <stdio.h>

#include "batch.h"

static const struct bp_need needs[] = {BP_NEED(BP_DATABASE, BP_DATABASE_VERSION, struct import, db), BP_NEED_END};

static int copy(const struct import *import, struct source *source, const char *url, bool *ret_complete)
{
    const struct table *const tables[] = {&accounts_table, &todos_table};
    struct totals totals[2] = {{0}};
    int64_t ignored;
    int status = ask_number(import, NULL, todos_table.count_new, BP_NO_VALUES, bp_fiber_arena(), &ignored);
    if (status != 0) {
        fprintf(stderr, "the new database cannot be used (%s): is its schema up to date (backplane migrate status)?\n",
                bp_status_name(status));
        return status;
    }
    status = source_open(source, url);
    for (size_t i = 0; i < 2 && status == 0; i++)
        status = table_copy(import, source, tables[i], &totals[i]);
    *ret_complete = true;
    for (size_t i = 0; i < 2 && status == 0; i++) {
        bool complete = false;
        status = table_compare(import, source, tables[i], &totals[i], &complete);
        *ret_complete &= complete;
    }
    return status;
}

static int import_prisma(struct bp_host *host, void *self, const char *const *arguments, size_t count)
{
    struct source source = {NULL};
    bool complete = false;
    (void)host;
    if (count != 1) {
        fputs("the URL of the old database is needed\n", stderr);
        return 1;
    }
    int status = copy(self, &source, arguments[0], &complete);
    source_close(&source);
    return status == 0 && complete ? 0 : 1;
}

static const struct bp_command commands[] = {BP_COMMAND(.name = "import-prisma", .changes = 1,
                                                        .doc = "Copies the accounts and todos of the old system.",
                                                        .run = import_prisma),
                                             BP_COMMAND_END};

static int init(struct bp_host *host, void *self)
{
    ((struct import *)self)->host = host;
    return 0;
}

BP_PLUGIN(.name = "import_prisma", .version = "1.0.0", .doc = "Copies the accounts and todos of the old system.",
          .self_size = sizeof(struct import), .needs = needs, .commands = commands, .init = init);
