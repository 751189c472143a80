/* SPDX-License-Identifier: MIT */
#include "fixture.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/arena.h"
#include "core/base/log.h"
#include "core/database/migrations.h"
#include "core/plugin/assembly.h"
#include "core/schema/schema.h"
#include "core/supervisor/shared.h"
#include "core/worker/fiber.h"

extern const struct bp_plugin *backplane_plugin(void);

struct fixture fixture;
static struct shared *shared;
static struct bp_arena *options_arena;
static struct config config;
static struct config_plugin entry = {.use = "sqlite", .name = "main"};
static struct assembly assembly = {.config = &config};
static struct bp_host host = {.name = "main", .name_str = BP_STR_INIT("main"), .assembly = &assembly, .config = &entry};
static bool started;
static unsigned live;

#define must(condition)                                                      \
    do {                                                                     \
        if (!(condition)) {                                                  \
            fprintf(stderr, "fixture: line %d: %s\n", __LINE__, #condition); \
            abort();                                                         \
        }                                                                    \
    } while (0)

static void new_instance(void)
{
    struct loop_options options = {.offload_threads = 1};
    must(loop_new(&options, &assembly.loop) == 0);
    host.plugin = *backplane_plugin();
    host.self = calloc(1, host.plugin.self_size);
    must(host.self);
    must(schema_check(host.plugin.options) == NULL);
    must(schema_set_defaults(host.plugin.options, false, options_arena, host.self) == 0);
    assembly.initializing = &host;
    must(host.plugin.init(&host, host.self) == 0);
    assembly.initializing = NULL;
    host.state = HOST_READY;
    fixture.database = host.self;
    fixture.service = (struct bp_service){.vtable = &database_vtable, .self = host.self};
}

void fixture_new(const char *folder)
{
    const char *base = getenv("TMPDIR");
    int fd;
    if (folder)
        snprintf(fixture.folder, sizeof(fixture.folder), "%s", folder);
    else
        snprintf(fixture.folder, sizeof(fixture.folder), "%s/sqlite-test-XXXXXX", base ? base : "/tmp");
    must(folder || mkdtemp(fixture.folder));
    fd = open(fixture_path("log"), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    must(fd >= 0 && dup2(fd, STDERR_FILENO) >= 0);
    close(fd);
    log_setup(BP_LOG_DEBUG, LOG_JSON, "test");
    must(shared_new(1 << 24, &shared) == 0);
    options_arena = arena_new();
    must(options_arena);
    assembly.shared = shared;
    assembly.arena = options_arena;
    assembly.data_dir = fixture.folder;
    new_instance();
}

void fixture_child(void)
{
    /* The loop of the parent belongs to the parent: its descriptors are shared, so it is only forgotten here. */
    new_instance();
}

int fixture_migrate(const char *owner, const struct bp_migration *migrations, unsigned *ret_applied)
{
    static const struct bp_need needs[] = {
        {.size = sizeof(struct bp_need), .version = BP_DATABASE_VERSION, .interface = BP_DATABASE}, BP_NEED_END};
    struct bp_host *provider = &host;
    struct bp_host user = {.name = "user",
                           .plugin = {.name = owner, .migrations = migrations, .needs = needs},
                           .providers = &provider,
                           .assembly = &assembly};
    struct bp_host *hosts[] = {&host, &user};
    int status;
    assembly.hosts = hosts;
    assembly.host_count = 2;
    status = migrations_up(&assembly, true, ret_applied);
    assembly.hosts = NULL;
    assembly.host_count = 0;
    return status;
}

static void start_instance(void *argument)
{
    *(int *)argument = host.plugin.start(&host, host.self);
}

int fixture_start(void)
{
    int status = BP_MISUSE;
    fixture_run(start_instance, &status);
    started = status == 0;
    return status;
}

static void stop_instance(void *argument)
{
    (void)argument;
    host.plugin.stop(&host, host.self);
}

void fixture_stop(void)
{
    if (started)
        fixture_run(stop_instance, NULL);
    started = false;
}

static void remove_folder(void)
{
    DIR *folder = opendir(fixture.folder);
    struct dirent *file;
    while (folder && (file = readdir(folder)))
        if (file->d_name[0] != '.')
            unlinkat(dirfd(folder), file->d_name, 0);
    if (folder)
        closedir(folder);
    rmdir(fixture.folder);
}

void fixture_free(void)
{
    fixture_stop();
    host.plugin.deinit(&host, host.self);
    free(host.self);
    assembly.loop = loop_free(assembly.loop);
    fiber_pool_free();
    shared = shared_free(shared);
    options_arena = arena_free(options_arena);
    remove_folder();
}

struct run {
    void (*function)(void *argument);
    void *argument;
    struct bp_arena *arena;
};

static void run_function(void *argument)
{
    struct run *run = argument;
    run->function(run->argument);
}

static void run_ended(void *argument)
{
    struct run *run = argument;
    arena_free(run->arena);
    free(run);
    live--;
}

struct bp_fiber *fixture_begin(void (*function)(void *argument), void *argument, bp_time deadline)
{
    struct run *run = calloc(1, sizeof(*run));
    struct bp_fiber *fiber = NULL;
    must(run);
    *run = (struct run){.function = function, .argument = argument, .arena = arena_new()};
    live++;
    must(fiber_start(assembly.loop,
                     &(struct fiber_start){.function = run_function,
                                           .ended = run_ended,
                                           .argument = run,
                                           .arena = run->arena,
                                           .deadline = deadline,
                                           .name = "test"},
                     &fiber) == 0);
    return fiber;
}

void fixture_turn(void)
{
    loop_turn(assembly.loop, BP_SECOND / 10);
}

void fixture_wait(void)
{
    fixture_until(live == 0);
}

void fixture_run(void (*function)(void *argument), void *argument)
{
    unsigned before = live;
    fixture_begin(function, argument, BP_FOREVER);
    fixture_until(live == before);
}

struct query {
    const struct bp_statement *statement;
    const struct bp_db_value *values;
    size_t count;
    int status;
};

static void run_query(void *argument)
{
    struct query *query = argument;
    query->status =
        bp_db_query(fixture.service, NULL, query->statement, query->values, query->count, bp_fiber_arena(), NULL);
}

int fixture_query(const struct bp_statement *statement, const struct bp_db_value *values, size_t count)
{
    struct query query = {.statement = statement, .values = values, .count = count};
    fixture_run(run_query, &query);
    return query.status;
}

int fixture_exec(const char *sql)
{
    sqlite3 *db = NULL;
    int code = sqlite3_open(fixture.database->path, &db);
    if (code == SQLITE_OK) {
        sqlite3_busy_timeout(db, 5000);
        code = sqlite3_exec(db, sql, NULL, NULL, NULL);
    }
    sqlite3_close(db);
    return code;
}

int64_t fixture_integer(const char *sql)
{
    sqlite3 *db = NULL;
    sqlite3_stmt *stmt = NULL;
    int64_t value;
    must(sqlite3_open(fixture.database->path, &db) == SQLITE_OK);
    sqlite3_busy_timeout(db, 5000);
    must(sqlite3_prepare_v2(db, sql, -1, &stmt, NULL) == SQLITE_OK);
    must(sqlite3_step(stmt) == SQLITE_ROW);
    value = sqlite3_column_int64(stmt, 0);
    sqlite3_finalize(stmt);
    sqlite3_close(db);
    return value;
}

const char *fixture_log(void)
{
    static char text[1 << 16];
    FILE *file = fopen(fixture_path("log"), "re");
    size_t len = file ? fread(text, 1, sizeof(text) - 1, file) : 0;
    if (file)
        fclose(file);
    text[len] = '\0';
    return text;
}

bool fixture_logged(const char *text)
{
    return strstr(fixture_log(), text) != NULL;
}

const char *fixture_path(const char *name)
{
    static char paths[4][512];
    static unsigned next;
    char *path = paths[next++ % 4];
    snprintf(path, sizeof(paths[0]), "%s/%s", fixture.folder, name);
    return path;
}
