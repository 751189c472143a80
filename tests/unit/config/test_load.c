/* SPDX-License-Identifier: MIT */
#include "backplane/status.h"
#include "build_info.h"
#include "support.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <unistd.h>

Test(config_load, empty_file_means_defaults)
{
    struct sandbox sandbox;
    struct loaded loaded;
    sandbox_enter(&sandbox);
    load_text(&loaded, "", NULL, false);
    cr_assert_eq(loaded.status, 0, "%s", loaded.problems);
    const struct config_server *server = &loaded.config->server;
    const struct config_listen *listen = server->listen.ptr;
    cr_assert_eq(server->listen.len, 1);
    cr_expect(bp_str_is(listen[0].address, "127.0.0.1:3000"));
    cr_expect_eq(listen[0].backlog, 1024);
    cr_expect_eq(listen[0].unix_mode, 0660);
    const struct {
        const char *name;
        uint64_t value, expected;
    } values[] = {
        {"workers", server->workers, 0},
        {"profile", server->profile, 0},
        {"log_level", server->log_level, 1},
        {"log_format", server->log_format, 0},
        {"max_connections", server->max_connections, 16384},
        {"max_target", server->max_target, 8192},
        {"max_field", server->max_field, 16384},
        {"max_head", server->max_head, 32768},
        {"max_fields", server->max_fields, 100},
        {"max_trailer", server->max_trailer, 8192},
        {"body_limit", server->body_limit, 10 * 1024 * 1024},
        {"head_timeout", (uint64_t)server->head_timeout, 10 * BP_SECOND},
        {"idle_timeout", (uint64_t)server->idle_timeout, 75 * BP_SECOND},
        {"body_timeout", (uint64_t)server->body_timeout, 30 * BP_SECOND},
        {"write_timeout", (uint64_t)server->write_timeout, 30 * BP_SECOND},
        {"request_timeout", (uint64_t)server->request_timeout, 30 * BP_SECOND},
        {"fin_grace", (uint64_t)server->fin_grace, BP_SECOND},
        {"drain_delay", (uint64_t)server->drain_delay, 0},
        {"drain_timeout", (uint64_t)server->drain_timeout, 10 * BP_SECOND},
        {"stall_timeout", (uint64_t)server->stall_timeout, 10 * BP_SECOND},
        {"shared_memory", server->shared_memory, 256 * 1024 * 1024},
    };
    for (size_t i = 0; i < sizeof(values) / sizeof(*values); i++)
        cr_expect_eq(values[i].value, values[i].expected, "%s is %llu", values[i].name,
                     (unsigned long long)values[i].value);
    cr_expect(bp_str_is(server->data, "var"));
    cr_expect_eq(loaded.config->plugin_count + loaded.config->pipeline_count + loaded.config->route_count, 0);
    unload(&loaded);
    sandbox_leave(&sandbox);
}

Test(config_load, every_option_has_a_sentence)
{
    const struct bp_field *const tables[] = {config_server_rows, config_listen_rows, config_plugin_rows,
                                             config_stage_rows, config_route_rows};
    for (size_t i = 0; i < sizeof(tables) / sizeof(*tables); i++)
        for (const struct bp_field *row = tables[i]; row->type != BP_TYPE_END; row++) {
            size_t len = row->doc ? strlen(row->doc) : 0;
            cr_expect_gt(len, 10, "%s", row->name);
            cr_expect(len > 0 && row->doc[len - 1] == '.', "%s", row->name);
        }
}

Test(config_load, everything_that_can_be_written)
{
    static const char text[] = "server = { listen = ( { address = \"unix:/run/x.sock\"; mode = \"0600\"; backlog = 7; "
                               "}, { address = \"[::1]:0\"; },\n"
                               "           { address = \"fd:3\"; }, { address = \"host-1.example:80\"; } );\n"
                               "  workers = 3, body_limit = 5000000000L; idle_timeout = 5; log_level = \"debug\"; "
                               "profile = \"production\"; }\n"
                               "plugins: ( { use = \"a\"; }, { use = \"b\"; name = \"bee\"; optional = true; }, );\n";
    struct sandbox sandbox;
    struct loaded loaded;
    sandbox_enter(&sandbox);
    load_text(&loaded, text, NULL, false);
    /* libconfig 1.5 takes no comma behind the last item. */
    cr_expect_eq(loaded.status, BP_INVALID);
    unload(&loaded);
    sandbox_write("b.cfg",
                  "server = { listen = ( { address = \"unix:/run/x.sock\"; mode = \"0600\"; backlog = 7; },\n"
                  "  { address = \"[::1]:0\"; }, { address = \"fd:3\"; }, { address = \"host-1.example:80\"; } );\n"
                  "  workers = 3, body_limit = 4000000000L; idle_timeout = 5; log_level = \"debug\"; }\n"
                  "plugins: ( { use = \"a\"; x = [ 1, 2 ]; },\n"
                  "  { use = \"b\"; name = \"bee\"; optional = true; } ) // a comment\n"
                  "pipelines: { one = ( \"a\",\n"
                  "\"bee\"\n"
                  "), two = ( \"@one\", \"-a\", { use = \"a\"; as = \"again\"; locked = true; key = \"ip\"; },\n"
                  "  { use = \"-bee\"; unless = \"CONFIG_TEST_UNSET\"; } ); }; /* another\n one */\n"
                  "routes: ( { match = \"/x\"; pipeline = \"one\"; },\n"
                  "  { match = \"/*\"; pipeline = \"two\"; } );");
    load_file(&loaded, "b.cfg", NULL, false);
    cr_assert_eq(loaded.status, 0, "%s", loaded.problems);
    const struct config *config = loaded.config;
    const struct config_listen *listen = config->server.listen.ptr;
    cr_assert_eq(config->server.listen.len, 4);
    cr_expect_eq(listen[0].unix_mode, 0600);
    cr_expect_eq(listen[0].backlog, 7);
    cr_expect(bp_str_is(listen[3].address, "host-1.example:80"));
    cr_expect_eq(config->server.workers, 3);
    cr_expect_eq(config->server.body_limit, 4000000000u);
    cr_expect_eq(config->server.idle_timeout, 5 * BP_SECOND);
    cr_expect_eq(config->server.log_level, 0);

    cr_assert_eq(config->plugin_count, 2);
    cr_expect_str_eq(config->plugins[0].name, "a");
    cr_expect_not(config->plugins[0].optional);
    cr_expect_str_eq(config->plugins[1].use, "b");
    cr_expect_str_eq(config->plugins[1].name, "bee");
    cr_expect(config->plugins[1].optional);
    cr_expect_eq(config->plugins[1].place.line, 5);
    cr_expect_eq(option_of(config, "a", "x")->kind, CONFIG_LIST);
    cr_expect_eq(option_of(config, "a", "x")->items[1].integer, 2);

    cr_assert_eq(config->pipeline_count, 2);
    const struct config_pipeline *one = &config->pipelines[0], *two = &config->pipelines[1];
    cr_expect_str_eq(one->name, "one");
    cr_assert_eq(one->entry_count, 2);
    cr_expect_str_eq(one->entries[1].stage.use, "bee");
    cr_expect_null(one->entries[1].stage.setting);
    /* libconfig itself would say 8, the line of the bracket. */
    cr_expect_eq(one->entries[1].stage.place.line, 7);
    cr_assert_eq(two->entry_count, 4);
    cr_expect_eq(two->entries[0].kind, CONFIG_ENTRY_INCLUDE);
    cr_expect_str_eq(two->entries[0].stage.use, "one");
    cr_expect_eq(two->entries[1].kind, CONFIG_ENTRY_REMOVE);
    cr_expect_str_eq(two->entries[1].stage.use, "a");
    cr_expect_eq(two->entries[2].kind, CONFIG_ENTRY_STAGE);
    cr_expect_str_eq(two->entries[2].stage.as, "again");
    cr_expect(two->entries[2].stage.locked);
    cr_expect(bp_str_is(config_get(two->entries[2].stage.setting, "key")->text, "ip"));
    cr_expect_eq(two->entries[3].kind, CONFIG_ENTRY_REMOVE);
    cr_expect_eq(two->entries[3].stage.place.line, 9);

    cr_assert_eq(config->route_count, 2);
    cr_expect_str_eq(config->routes[1].match, "/*");
    cr_expect_str_eq(config->routes[1].pipeline, "two");
    cr_expect_eq(config->routes[1].place.line, 12);
    unload(&loaded);
    sandbox_leave(&sandbox);
}

Test(config_load, includes_are_merged_where_they_stand)
{
    struct sandbox sandbox;
    struct loaded loaded;
    sandbox_enter(&sandbox);
    setenv("CONFIG_TEST_FOLDER", "parts", 1);
    sandbox_write("etc/main.cfg", "plugins: ( { use = \"a\"; } );\n"
                                  "include = ( \"${CONFIG_TEST_FOLDER}/*.cfg\", \"one.cfg\", \"empty*.cfg\" );\n"
                                  "routes: ( { match = \"/*\"; pipeline = \"p\"; } );\n"
                                  "server: { @include \"server.inc\"\n };\n");
    sandbox_write("etc/parts/20.cfg",
                  "plugins: ( { use = \"d\"; } ); routes: ( { match = \"/d\"; pipeline = \"p\"; } );");
    sandbox_write("etc/parts/10.cfg", "plugins: ( { use = \"b\"; }\n, @include \"more.inc\"\n );");
    sandbox_write("etc/parts/more.inc", "\n{ use = \"c\"; file = \"${file:c.txt}\"; }");
    sandbox_write("etc/parts/c.txt", "beside\n");
    sandbox_write("etc/one.cfg", "pipelines: { p = ( \"a\", \"b\", \"c\", \"d\" ); };");
    sandbox_write("etc/server.inc", "workers = 4;");
    load_file(&loaded, "etc/main.cfg", NULL, false);
    cr_assert_eq(loaded.status, 0, "%s", loaded.problems);
    const struct config *config = loaded.config;
    cr_assert_eq(config->plugin_count, 4);
    for (size_t i = 0; i < 4; i++)
        cr_expect_eq(config->plugins[i].name[0], (char)('a' + (int)i));
    cr_expect_str_eq(config->plugins[2].place.file, "etc/parts/more.inc");
    cr_expect_eq(config->plugins[2].place.line, 2);
    cr_expect(bp_str_is(option_of(config, "c", "file")->text, "beside"));
    cr_assert_eq(config->route_count, 2);
    cr_expect_str_eq(config->routes[0].match, "/d");
    cr_expect_str_eq(config->routes[1].match, "/*");
    cr_expect_eq(config->server.workers, 4);
    unload(&loaded);
    sandbox_leave(&sandbox);
}

Test(config_load, when_and_unless)
{
    static const char text[] =
        "server: { listen = ( { address = \"*:1\"; }, { address = \"${CONFIG_TEST_NO}\"; when = \"CONFIG_TEST_NO\"; } "
        "); };\n"
        "plugins: ( { use = \"sqlite\"; name = \"main\"; unless = \"CONFIG_TEST_YES\"; },\n"
        "           { use = \"postgres\"; name = \"main\"; when = \"CONFIG_TEST_YES\"; },\n"
        "           { use = \"cache\"; when = \"CONFIG_TEST_NO\"; url = \"${CONFIG_TEST_NO}\"; },\n"
        "           { use = \"empty\"; when = \"CONFIG_TEST_EMPTY\"; },\n"
        "           { use = \"several\"; when = \"CONFIG_TEST_NO CONFIG_TEST_EMPTY\"; },\n"
        "           { use = \"neither\"; unless = \"CONFIG_TEST_NO CONFIG_TEST_YES\"; },\n"
        "           { use = \"both\"; when = \"CONFIG_TEST_NO CONFIG_TEST_YES\"; unless = \"CONFIG_TEST_NO\"; } );\n"
        "pipelines: { p = ( { use = \"cache\"; when = \"CONFIG_TEST_NO\"; }, \"both\" ); };\n"
        "routes: ( { match = \"/*\"; pipeline = \"none\"; when = \"CONFIG_TEST_NO\"; },\n"
        "          { match = \"/*\"; pipeline = \"p\"; unless = \"CONFIG_TEST_NO\"; } );";
    struct sandbox sandbox;
    struct loaded loaded;
    sandbox_enter(&sandbox);
    setenv("CONFIG_TEST_YES", "1", 1);
    setenv("CONFIG_TEST_EMPTY", "", 1);
    load_text(&loaded, text, NULL, false);
    cr_assert_eq(loaded.status, 0, "%s", loaded.problems);
    cr_expect_eq(loaded.config->server.listen.len, 1);
    cr_assert_eq(loaded.config->plugin_count, 2);
    cr_expect_str_eq(loaded.config->plugins[0].use, "postgres");
    cr_expect_str_eq(loaded.config->plugins[0].name, "main");
    cr_expect_str_eq(loaded.config->plugins[1].use, "both");
    cr_assert_eq(loaded.config->pipelines[0].entry_count, 1);
    cr_assert_eq(loaded.config->route_count, 1);
    unload(&loaded);
    sandbox_leave(&sandbox);
}

/* An instance that is left out takes its stages with it, and is no mistake; one that is not there is none either. */
Test(config_load, without_some_instances)
{
    static const char text[] =
        "plugins: ( { use = \"one\"; }, { use = \"two\"; name = \"second\"; }, { use = \"three\"; } );\n"
        "pipelines: { p = ( \"one\", { use = \"second\"; as = \"own\"; }, \"three\" );\n"
        "             q = ( \"@p\", \"-one\", \"second\" ); };\n";
    const struct config_load_options options = {.file = "a.cfg", .without = "one,nobody,second"};
    struct sandbox sandbox;
    struct report report = {0};
    struct config *config;
    sandbox_enter(&sandbox);
    sandbox_write("a.cfg", text);
    cr_assert_eq(config_load(&options, &report, &config), 0, "%.*s", (int)report.text.len, report.text.ptr);
    cr_assert_eq(config->plugin_count, 1);
    cr_expect_str_eq(config->plugins[0].name, "three");
    cr_assert_eq(config->pipelines[0].entry_count, 1);
    cr_expect_str_eq(config->pipelines[0].entries[0].stage.use, "three");
    cr_assert_eq(config->pipelines[1].entry_count, 1);
    cr_expect_eq(config->pipelines[1].entries[0].kind, CONFIG_ENTRY_INCLUDE);
    config_free(config);
    report_deinit(&report);
    sandbox_leave(&sandbox);
}

/* NAME_FILE sets NAME, unless the file is empty: an optional key of a mounted secret. */
Test(config_load, when_and_unless_of_mounted_files)
{
    struct sandbox sandbox;
    struct loaded loaded;
    sandbox_enter(&sandbox);
    sandbox_write("url", "postgres://\n");
    sandbox_write("nothing", "\n");
    setenv("CONFIG_TEST_A_FILE", "url", 1);
    setenv("CONFIG_TEST_B_FILE", "nothing", 1);
    load_text(&loaded,
              "plugins: ( { use = \"a\"; when = \"CONFIG_TEST_A\"; }, { use = \"b\"; unless = \"CONFIG_TEST_A\"; },\n"
              "           { use = \"c\"; when = \"CONFIG_TEST_B\"; }, { use = \"d\"; unless = \"CONFIG_TEST_B\"; } );",
              NULL, false);
    cr_assert_eq(loaded.status, 0, "%s", loaded.problems);
    cr_assert_eq(loaded.config->plugin_count, 2);
    cr_expect_str_eq(loaded.config->plugins[0].use, "a");
    cr_expect_str_eq(loaded.config->plugins[1].use, "d");
    unload(&loaded);
    sandbox_leave(&sandbox);
}

Test(config_load, sets_replace_and_add)
{
    static const char text[] = "server: { workers = 1; data = \"${CONFIG_TEST_NO}\"; };\n"
                               "plugins: ( { use = \"auth\"; secret = \"${CONFIG_TEST_NO}\"; },\n"
                               "           { use = \"sqlite\"; name = \"main\"; file = \"a.db\"; } );";
    static const char *const sets[] = {"server.workers=5",
                                       "server.data=/a=b",
                                       "plugins.auth.secret=p$a${HOME}$$",
                                       "plugins.main.queue=",
                                       "plugins.main.optional=true",
                                       "server.workers=6",
                                       NULL};
    struct sandbox sandbox;
    struct loaded loaded;
    sandbox_enter(&sandbox);
    load_text(&loaded, text, sets, false);
    cr_assert_eq(loaded.status, 0, "%s", loaded.problems);
    const struct config *config = loaded.config;
    cr_expect_eq(config->server.workers, 6);
    cr_expect(bp_str_is(config->server.data, "/a=b"));
    cr_expect(bp_str_is(option_of(config, "auth", "secret")->text, "p$a${HOME}$$"));
    cr_expect_str_eq(option_of(config, "auth", "secret")->place.file, "--set");
    cr_expect_eq(option_of(config, "main", "queue")->text.len, 0);
    cr_expect(bp_str_is(option_of(config, "main", "file")->text, "a.db"));
    cr_expect(config->plugins[1].optional);
    unload(&loaded);
    sandbox_leave(&sandbox);
}

Test(config_load, unreadable_main_file)
{
    static const struct {
        const char *file, *problem;
    } cases[] = {
        {"missing.cfg", "missing.cfg: cannot be read: No such file or directory\n"},
        {".", ".: cannot be read: is a folder\n"},
        {"/dev/null", "/dev/null: cannot be read: not a regular file\n"},
        {"large.cfg", "large.cfg: cannot be read: too large\n"},
    };
    struct sandbox sandbox;
    sandbox_enter(&sandbox);
    sandbox_write("large.cfg", "");
    cr_assert_eq(truncate("large.cfg", 1024 * 1024 + 1), 0);
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct loaded loaded;
        load_file(&loaded, cases[i].file, NULL, false);
        cr_expect_eq(loaded.status, BP_INVALID);
        cr_expect_str_eq(loaded.problems, cases[i].problem);
        unload(&loaded);
    }
    sandbox_leave(&sandbox);
}

Test(config_load, shipped_configuration)
{
    static const char *const names[] = {"HOST",       "PORT",          "BACKPLANE_DATA", "BACKPLANE_WORKERS",
                                        "LOG_LEVEL",  "DRAIN_DELAY",   "DRAIN_TIMEOUT",  "NODE_ENV",
                                        "JWT_SECRET", "METRICS_LISTEN"};
    static const char *const developers[] = {"dev", "development", ""};
    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
        unsetenv(names[i]);
    struct loaded loaded;
    load_file(&loaded, BACKPLANE_SOURCE_ROOT "/config/backplane.cfg", NULL, false);
    cr_assert_eq(loaded.status, 0, "%s", loaded.problems);
    const struct config_listen *listen = loaded.config->server.listen.ptr;
    cr_expect(bp_str_is(listen[0].address, "127.0.0.1:3000"));
    cr_expect_eq(loaded.config->server.listen.len, 1);
    for (size_t i = 0; i < loaded.config->route_count; i++)
        cr_expect_null(loaded.config->routes[i].listener, "%s", loaded.config->routes[i].match);
    cr_expect_eq(loaded.config->server.profile, 0);
    cr_expect_eq(loaded.config->server.workers, 1);
    cr_expect_eq(loaded.config->server.body_limit, 10 * 1024 * 1024);
    unload(&loaded);

    for (size_t i = 0; i < sizeof(developers) / sizeof(*developers); i++) {
        setenv("NODE_ENV", developers[i], 1);
        load_file(&loaded, BACKPLANE_SOURCE_ROOT "/config/backplane.cfg", NULL, false);
        cr_assert_eq(loaded.status, 0, "%s", loaded.problems);
        cr_expect_eq(loaded.config->server.profile, 0);
        cr_expect_eq(loaded.config->server.workers, 1);
        unload(&loaded);
    }

    setenv("NODE_ENV", "production", 1);
    setenv("METRICS_LISTEN", "0.0.0.0:9464", 1);
    setenv("HOST", "0.0.0.0", 1);
    setenv("PORT", "8080", 1);
    setenv("DRAIN_DELAY", "5s", 1);
    load_file(&loaded, BACKPLANE_SOURCE_ROOT "/config/backplane.cfg", NULL, false);
    cr_assert_eq(loaded.status, 0, "%s", loaded.problems);
    listen = loaded.config->server.listen.ptr;
    cr_expect(bp_str_is(listen[0].address, "0.0.0.0:8080"));
    cr_expect_null(listen[0].name);
    cr_expect(bp_str_is(listen[1].address, "0.0.0.0:9464"));
    for (size_t i = 0; i < loaded.config->route_count; i++) {
        const struct config_route *route = &loaded.config->routes[i];
        cr_expect_eq(route->listener, strcmp(route->match, "/metrics") == 0 ? listen[1].name : NULL, "%s",
                     route->match);
    }
    cr_expect_eq(loaded.config->server.profile, 1);
    cr_expect_eq(loaded.config->server.workers, 0);
    cr_expect_eq(loaded.config->server.log_format, 1);
    cr_expect_eq(loaded.config->server.drain_delay, 5 * BP_SECOND);
    unload(&loaded);
}
