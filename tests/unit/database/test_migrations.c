/* SPDX-License-Identifier: MIT */
/* The order of migrations, what is refused, and what is asked of a database. */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "backplane/iface/database.h"
#include "backplane/status.h"
#include "core/base/arena.h"
#include "core/database/migrations.h"
#include "core/database/schema_history.h"
#include "tests/plugins/trace.h"
#include "tests/plugins/world.h"

#define ROUTES "pipelines: { p = (); };\nroutes: ({ match = \"/*\"; pipeline = \"p\"; });"
#define ITEMS "plugins: ({ use = \"items\"; }, { use = \"store\"; "

static char log_path[] = "/tmp/backplane-test-XXXXXX";

static void log_to_file(void)
{
    int fd = mkstemp(log_path);
    cr_assert_eq(dup2(fd, STDERR_FILENO), STDERR_FILENO);
    close(fd);
}

static void remove_log(void)
{
    unlink(log_path);
}

TestSuite(migrations, .init = log_to_file, .fini = remove_log);

/* What was logged since the last call. */
static const char *take_log(void)
{
    static char text[4096];
    int fd = open(log_path, O_RDWR | O_CLOEXEC);
    ssize_t len = read(fd, text, sizeof(text) - 1);
    text[len > 0 ? len : 0] = 0;
    cr_assert_eq(ftruncate(fd, 0), 0);
    close(fd);
    (void)lseek(STDERR_FILENO, 0, SEEK_SET);
    return text;
}

static void load(struct world *world, const char *what, const char *text)
{
    world_load(world, text);
    cr_assert_not_null(world->assembly, "%s: %s", what, world_report(world));
}

static const struct {
    const char *what, *config;
    bool at_start;
    const char *trace;
    int status;
    unsigned applied;
    const char *log;
} ups[] = {
    {"without start",
     "plugins: ({ use = \"items\"; database = \"main\"; }, { use = \"store\"; name = \"main\"; });\n" ROUTES, true,
     "main open; main up items 1; main up items 2; main close; ", 0, 2, "\"migrate.applied\""},
    {"two instances on one database are one owner",
     "plugins: ({ use = \"lists\"; name = \"a\"; }, { use = \"lists\"; name = \"b\"; }, { use = \"store\"; "
     "});\n" ROUTES,
     true, "store open; store up lists 1; store up lists 2; store close; ", 0, 2, ""},
    {"in start order, and one database after the other",
     "plugins: ({ use = \"lists\"; database = \"s\"; }, { use = \"items\"; database = \"t\"; },"
     " { use = \"lists\"; name = \"b\"; database = \"t\"; },"
     " { use = \"store\"; name = \"s\"; }, { use = \"store\"; name = \"t\"; });\n" ROUTES,
     true,
     "s open; s up lists 1; s up lists 2; s close; t open; t up items 1; t up items 2; t up lists 1; t up lists 2; t "
     "close; ",
     0, 6, ""},
    {"nothing to migrate", "plugins: ({ use = \"store\"; });\n" ROUTES, false, "", 0, 0, ""},
    {"not at the start", ITEMS "late = true; });\n" ROUTES, true, "", 0, 0, ""},
    {"but when told to", ITEMS "late = true; });\n" ROUTES, false,
     "store open; store up items 1; store up items 2; store close; ", 0, 2, "\"migrate.applied\""},
    {"it fails", ITEMS "refuses = \"items\"; });\n" ROUTES, false, "store open; store up items 1; store close; ",
     BP_ERROR, 99, "migration 1 (create_items) of items failed and was undone: no such table"},
    {"a newer server was here", ITEMS "has = \"items\"; });\n" ROUTES, false, "store open; store close; ", BP_ERROR, 99,
     "the database has migration 9 (of_tomorrow) of items, but this version of the program knows only 2: a newer one "
     "has "
     "used it"},
};

Test(migrations, up)
{
    for (size_t i = 0; i < sizeof(ups) / sizeof(*ups); i++) {
        struct world world;
        unsigned applied = 99;
        load(&world, ups[i].what, ups[i].config);
        int status = migrations_up(world.assembly, ups[i].at_start, &applied);
        cr_expect_eq(status, ups[i].status, "%s: %d", ups[i].what, status);
        cr_expect_eq(applied, ups[i].applied, "%s: %u", ups[i].what, applied);
        const char *trace = test_trace_take();
        cr_expect_str_eq(trace, ups[i].trace, "%s: %s", ups[i].what, trace);
        const char *log = take_log();
        cr_expect_not_null(strstr(log, ups[i].log), "%s: %s", ups[i].what, log);
        if (status == 0) {
            cr_expect_eq(migrations_up(world.assembly, ups[i].at_start, &applied), 0);
            cr_expect_eq(applied, 0, "%s: again: %u", ups[i].what, applied);
            test_trace_take();
            take_log();
        }
        world_free(&world);
    }
}

static const char *target_text(const struct migration_target *target)
{
    static char text[80];
    snprintf(text, sizeof(text), "%s %s %u", target->owner ? target->owner : "(anybody)",
             target->to_version ? "to" : "steps", target->to_version ? target->to : target->steps);
    return text;
}

static const struct {
    struct migration_target target;
    int status;
    unsigned undone;
    const char *trace, *problem;
} downs[] = {
    {{.owner = "lists", .steps = 1}, 0, 1, "store open; store down lists 2; store close; ", ""},
    {{.owner = "lists", .steps = 2}, 0, 2, "store open; store down lists 2; store down lists 1; store close; ", ""},
    {{.owner = "lists", .to_version = true, .to = 1}, 0, 1, "store open; store down lists 2; store close; ", ""},
    {{.owner = "lists", .to_version = true, .to = 0},
     0,
     2,
     "store open; store down lists 2; store down lists 1; store close; ",
     ""},
    {{.owner = "lists", .to_version = true, .to = 2}, 0, 0, "store open; store close; ", ""},
    {{.steps = 1}, 0, 1, "store open; store down lists 2; store close; ", ""},
    {{.steps = 3}, 0, 3, "store open; store down lists 2; store down lists 1; store down items 2; store close; ", ""},
    {{.steps = 4},
     BP_INVALID,
     99,
     "store open; store close; ",
     "migration 1 (create_items) of items cannot be undone: it has no down text"},
    {{.steps = 5}, BP_INVALID, 99, "store open; store close; ", "5 migrations cannot be undone: 4 are applied"},
    {{.owner = "items", .steps = 2},
     BP_INVALID,
     99,
     "store open; store close; ",
     "migration 1 (create_items) of items cannot be undone: it has no down text"},
    {{.owner = "lists", .to_version = true, .to = 3},
     BP_INVALID,
     99,
     "store open; store close; ",
     "lists is at version 2, older than 3"},
    {{.owner = "auth", .steps = 1}, BP_INVALID, 99, "", "no plugin \"auth\" with migrations is configured"},
};

Test(migrations, down)
{
    for (size_t i = 0; i < sizeof(downs) / sizeof(*downs); i++) {
        const char *what = target_text(&downs[i].target);
        struct world world;
        struct buffer problems = {0};
        unsigned applied, undone = 99;
        load(&world, what, "plugins: ({ use = \"items\"; }, { use = \"lists\"; }, { use = \"store\"; });\n" ROUTES);
        cr_assert_eq(migrations_up(world.assembly, false, &applied), 0);
        cr_assert_eq(applied, 4);
        test_trace_take();
        int status = migrations_down(world.assembly, &downs[i].target, &problems, &undone);
        cr_expect_eq(status, downs[i].status, "%s: %d", what, status);
        cr_expect_eq(undone, downs[i].undone, "%s: %u", what, undone);
        const char *trace = test_trace_take();
        cr_expect_str_eq(trace, downs[i].trace, "%s: %s", what, trace);
        cr_expect(bp_str_is(buffer_str(&problems), downs[i].problem), "%s: %.*s", what, (int)problems.len,
                  problems.ptr);
        buffer_deinit(&problems);
        world_free(&world);
    }
    take_log();
}

static const struct {
    const char *config, *trace, *problem, *log;
} refusals[] = {
    {ITEMS "has = \"items\"; });\n" ROUTES, "store open; store close; ", "",
     "the database has migration 9 (of_tomorrow) of items"},
    {"plugins: ({ use = \"lists\"; database = \"s\"; }, { use = \"items\"; database = \"t\"; },"
     " { use = \"store\"; name = \"s\"; }, { use = \"store\"; name = \"t\"; });\n" ROUTES,
     "", "there are migrations on \"s\" and on \"t\": leave one database in the configuration given with -c", ""},
    {"plugins: ({ use = \"store\"; });\n" ROUTES, "", "no plugin has migrations", ""},
    {ITEMS "});\n" ROUTES, "store open; store close; ", "1 migration cannot be undone: 0 are applied", ""},
};

Test(migrations, down_is_refused)
{
    const struct migration_target target = {.steps = 1};
    for (size_t i = 0; i < sizeof(refusals) / sizeof(*refusals); i++) {
        struct world world;
        struct buffer problems = {0};
        unsigned undone = 99;
        load(&world, refusals[i].config, refusals[i].config);
        cr_expect_lt(migrations_down(world.assembly, &target, &problems, &undone), 0);
        cr_expect_eq(undone, 99);
        const char *trace = test_trace_take();
        cr_expect_str_eq(trace, refusals[i].trace, "%zu: %s", i, trace);
        cr_expect(bp_str_is(buffer_str(&problems), refusals[i].problem), "%zu: %.*s", i, (int)problems.len,
                  problems.ptr);
        const char *log = take_log();
        cr_expect_not_null(strstr(log, refusals[i].log), "%zu: %s", i, log);
        buffer_deinit(&problems);
        world_free(&world);
    }
}

Test(migrations, status)
{
    static const struct {
        uint32_t version;
        const char *name;
        enum migration_state state;
    } expected[] = {{1, "create_items", MIGRATION_MISSING},
                    {2, "index_items", MIGRATION_MISSING},
                    {9, "of_tomorrow", MIGRATION_UNKNOWN}};
    struct world world;
    struct bp_arena *arena = arena_new();
    struct migration_row *rows = NULL;
    size_t count = 0;
    unsigned applied;
    load(&world, "status", ITEMS "has = \"items\"; });\n" ROUTES);
    cr_assert_eq(migrations_status(world.assembly, arena, &rows, &count), 0);
    cr_assert_eq(count, 3);
    for (size_t i = 0; i < count; i++) {
        cr_expect_eq(rows[i].version, expected[i].version);
        cr_expect_str_eq(rows[i].name, expected[i].name);
        cr_expect_eq(rows[i].state, expected[i].state);
        cr_expect_str_eq(rows[i].owner, "items");
        cr_expect_str_eq(rows[i].database, "store");
    }
    cr_expect_str_eq(test_trace_take(), "store open to read; store close; ");
    world_free(&world);

    load(&world, "status", "plugins: ({ use = \"lists\"; }, { use = \"store\"; });\n" ROUTES);
    cr_assert_eq(migrations_up(world.assembly, false, &applied), 0);
    cr_assert_eq(migrations_status(world.assembly, arena, &rows, &count), 0);
    cr_assert_eq(count, 2);
    cr_expect_eq(rows[1].state, MIGRATION_APPLIED);
    cr_expect_eq(rows[1].applied_at, 2);
    world_free(&world);
    arena_free(arena);
    test_trace_take();
    take_log();
}

Test(migrations, workers_say_what_they_need)
{
    struct world world;
    load(&world, "start", ITEMS "late = true; });\n" ROUTES);
    migrations_expect(world.assembly);
    cr_expect_str_eq(test_trace_take(), "store expect items 2; ");
    world_free(&world);
}

static const struct bp_migration texts[] = {
    BP_MIGRATION(.version = 1, .name = "one", .up = "A", .up_postgres = "B", .down = "C", .down_postgres = "D"),
    BP_MIGRATION(.version = 2, .name = "two", .up = "A", .down = "C"),
    BP_MIGRATION(.version = 3, .name = "three", .up = "A"), BP_MIGRATION_END};

/* A checksum is of what was run: the text for one database may be mended after another was migrated. */
Test(migrations, texts_are_those_for_the_database)
{
    static const struct bp_database_vtable sqlite = {.system = "sqlite"}, postgres = {.system = "postgresql"};
    const struct owner here = {.name = "x", .migrations = texts, .count = 3, .vtable = &sqlite};
    const struct owner there = {.name = "x", .migrations = texts, .count = 3, .vtable = &postgres};
    char checksum[CHECKSUM_SIZE], other[CHECKSUM_SIZE];
    cr_expect_str_eq(owner_up(&here, 1), "A");
    cr_expect_str_eq(owner_up(&there, 1), "B");
    cr_expect_str_eq(owner_down(&here, 1), "C");
    cr_expect_str_eq(owner_down(&there, 1), "D");
    cr_expect_str_eq(owner_up(&there, 2), "A");
    cr_expect_str_eq(owner_down(&there, 2), "C");
    cr_expect_null(owner_down(&here, 3));
    history_checksum(&here, 1, checksum);
    cr_expect_str_eq(checksum, "a3a0081351bb785d0758ddf68076a95ffd3f10b88bbc9911e9fea4d793c06414");
    history_checksum(&there, 1, other);
    cr_expect_str_neq(checksum, other);
    struct bp_db_applied record = {.version = 1, .name = BP_STR("one"), .checksum = bp_str_of(checksum)};
    cr_expect_eq(history_state(&here, &record), MIGRATION_APPLIED);
    cr_expect_eq(history_state(&there, &record), MIGRATION_CHANGED);
    record.name = BP_STR("eins");
    cr_expect_eq(history_state(&here, &record), MIGRATION_CHANGED);
    record.version = 4;
    cr_expect_eq(history_state(&here, &record), MIGRATION_UNKNOWN);
}
