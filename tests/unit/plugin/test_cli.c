/* SPDX-License-Identifier: MIT */
/* The executable as a shell sees it: what it prints, and how it exits. */
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "tests/plugins/world.h"

static const char config[] =
    "server: { plugin_path = \"" TEST_PLUGIN_DIR "\"; data = \"data\"; "
    "listen = ({ name = \"inside\"; address = \"127.0.0.1:2\"; when = \"TEST_INSIDE\"; }, { address = "
    "\"${TEST_LISTEN:-127.0.0.1:1}\"; }); };\n"
    "plugins: (\n"
    "  { use = \"items\"; },\n"
    "  { use = \"store\"; name = \"main\"; },\n"
    "  { use = \"card\"; name = \"limit\"; phase = \"protect\"; note = \"${TEST_SECRET}\"; },\n"
    "  { use = \"card\"; name = \"auth\"; phase = \"identify\"; });\n"
    "pipelines: {\n"
    "  base = ( { use = \"limit\"; label = \"by address\"; locked = true; } );\n"
    "  api = ( \"@base\", \"auth\",\n"
    "          { use = \"limit\"; as = \"per_user\"; phase = \"shape\"; identity = true; } ); };\n"
    "routes: ( { match = \"/items/*\"; pipeline = \"api\"; listener = \"inside\"; }, { match = \"/*\"; pipeline = "
    "\"base\"; } );\n";

static char folder[] = "/tmp/backplane-test-XXXXXX";

static void write_file(const char *name, const char *text)
{
    FILE *file = fopen(name, "w");
    cr_assert_not_null(file);
    fputs(text, file);
    cr_assert_eq(fclose(file), 0);
}

static void set_up(void)
{
    cr_assert_not_null(mkdtemp(folder));
    cr_assert_eq(chdir(folder), 0);
    write_file("t.cfg", config);
    unsetenv("TEST_SECRET");
    unsetenv("TEST_INSIDE");
    setenv("LC_ALL", "C.UTF-8", 1);
}

static void tear_down(void)
{
    unlink("t.cfg");
    unlink("bad.cfg");
    unlink("s.sock");
    rmdir("data");
    if (chdir("/") == 0)
        rmdir(folder);
}

struct result {
    int status;
    char *text; /* both outputs; the folders of this machine replaced */
};

static struct result run(const char *words)
{
    struct buffer out = {0};
    char command[1024];
    snprintf(command, sizeof(command), "'%s' %s 2>&1", TEST_EXECUTABLE, words);
    FILE *pipe = popen(command, "r");
    cr_assert_not_null(pipe);
    for (int c; (c = fgetc(pipe)) != EOF;)
        buffer_add_char(&out, (char)c);
    int status = pclose(pipe);
    buffer_add_char(&out, 0);
    cr_assert(WIFEXITED(status), "%s: %s", words, out.ptr);
    struct result result = {WEXITSTATUS(status), text_replace(out.ptr, TEST_PLUGIN_DIR, "PLUGINS")};
    buffer_deinit(&out);
    return result;
}

static void expect(const char *words, int status, const char *text)
{
    struct result result = run(words);
    cr_expect_eq(result.status, status, "%s: exit status %d", words, result.status);
    cr_expect_str_eq(result.text, text, "%s:\n%s", words, result.text);
    free(result.text);
}

static void expect_golden(const char *words, const char *name)
{
    char path[512];
    struct buffer text = {0};
    snprintf(path, sizeof(path), TEST_SOURCE_ROOT "/tests/golden/%s", name);
    FILE *file = fopen(path, "r");
    if (file) {
        for (int c; (c = fgetc(file)) != EOF;)
            buffer_add_char(&text, (char)c);
        fclose(file);
    }
    buffer_add_char(&text, 0);
    if (getenv("UPDATE_GOLDEN")) {
        struct result result = run(words);
        write_file(path, result.text);
        free(result.text);
    } else {
        expect(words, 0, text.ptr);
    }
    buffer_deinit(&text);
}

Test(cli, golden, .init = set_up, .fini = tear_down)
{
    expect_golden("--help", "help.txt");
    expect_golden("plugins --help", "help-plugins.txt");
    expect_golden("migrate --help", "help-migrate.txt");
    expect_golden("migrate status --help", "help-migrate-status.txt");
    expect_golden("migrate down --help", "help-migrate-down.txt");
    expect_golden("migrate new --help", "help-migrate-new.txt");
    expect_golden("routes -c t.cfg", "routes.txt");
    expect_golden("explain GET /items/7?x=y -c t.cfg", "explain.txt");
    expect_golden("explain DELETE /items -c t.cfg", "explain-405.txt");
    expect_golden("explain GET //else/./where -c t.cfg", "explain-404.txt");
    setenv("TEST_INSIDE", "1", 1);
    expect_golden("routes -c t.cfg", "routes-listener.txt");
    expect_golden("explain GET /items/7 -c t.cfg", "explain-listener.txt");
    unsetenv("TEST_INSIDE");
    write_file("bad.cfg", "server: { plugin_path = \"" TEST_PLUGIN_DIR "\"; data = \"data\"; };\n"
                          "plugins: ( { use = \"guarded\"; } );\npipelines: { api = ( \"guarded\" ); };\n"
                          "routes: ( { match = \"/*\"; pipeline = \"api\"; } );\n");
    expect_golden("routes -c bad.cfg", "routes-access.txt");
    expect_golden("explain GET /mine -c bad.cfg", "explain-access.txt");
    write_file("bad.cfg",
               "server: { data = \"data\"; };\nplugins: ( { use = \"sqlite\"; }, { use = \"request_id\"; } );\n");
    expect_golden("metrics -c bad.cfg", "metrics.txt");
    expect_golden("metrics --markdown -c bad.cfg", "metrics.md");
    expect_golden("plugins card -c t.cfg", "plugins-card.txt");
    expect_golden("plugins card --markdown -c t.cfg", "plugins-card.md");
}

Test(cli, usage, .init = set_up, .fini = tear_down)
{
#define TRY "Try \"backplane --help\".\n"
    expect("chekc", 2, "backplane: unknown command \"chekc\"; did you mean \"check\"?\n" TRY);
    expect("config", 2, "backplane: unknown command \"config\"; did you mean \"config print\"?\n" TRY);
    expect("zzzzzz", 2, "backplane: unknown command \"zzzzzz\"\n" TRY);
    expect("check --jsom", 2, "backplane: unknown option \"--jsom\"; did you mean \"--json\"?\n" TRY);
    expect("check -x", 2, "backplane: unknown option \"-x\"\n" TRY);
    expect("check extra", 2, "backplane: unexpected argument \"extra\"\n" TRY);
    expect("explain GET", 2, "backplane: METHOD PATH is needed behind the command\n" TRY);
    expect("backup", 2, "backplane: FILE is needed behind the command\n" TRY);
    expect("migrate statsu", 2, "backplane: unexpected argument \"statsu\"; did you mean \"migrate status\"?\n" TRY);
    expect("migrate up --to 3", 2, "backplane: --to belongs to \"migrate down\"\n" TRY);
    expect("migrate status --steps=3", 2, "backplane: --steps belongs to \"migrate down\"\n" TRY);
    expect("migrate down --to", 2, "backplane: --to needs VERSION\n" TRY);
    expect("migrate down --to 1", 2, "backplane: --to needs OWNER\n");
    expect("migrate down items --to 1 --steps 2", 2, "backplane: --to and --steps exclude each other\n");
    expect("migrate down items --to x", 2, "backplane: --to must be an integer, at least 0\n");
    expect("migrate down --steps 0", 2, "backplane: --steps must be an integer, at least 1\n");
    expect("migrate new items", 2, "backplane: PLUGIN NAME is needed behind the command\n" TRY);
    expect("migrate new items Create", 2, "backplane: PLUGIN and NAME are lowercase letters, digits and underscores\n");
    expect("check -c", 2, "backplane: -c needs a file\n" TRY);
    expect("check --set x", 2, "backplane: --set needs PATH=VALUE\n" TRY);
    expect("routes --json", 2,
           "backplane: --json belongs to \"check\", \"status\", \"errors\" and \"migrate status\"\n" TRY);
    expect("plugins --markdown", 2,
           "backplane: --markdown belongs to \"plugins NAME\", \"metrics\" and \"config options\"\n" TRY);
    expect("explain FETCH / -c t.cfg", 2,
           "backplane: unknown method \"FETCH\": expected GET, HEAD, POST, PUT, PATCH, DELETE or OPTIONS\n");
    expect("explain GET items -c t.cfg", 2, "backplane: \"items\" is not a path\n");
    struct result result = run("");
    cr_expect_eq(result.status, 2);
    cr_expect_eq(strncmp(result.text, "usage: backplane", 16), 0);
    free(result.text);
}

Test(cli, check, .init = set_up, .fini = tear_down)
{
    expect("check -c t.cfg", 0, "configuration OK: 4 plugins, 2 pipelines, 3 routes\n");
    expect("-c t.cfg check", 0, "configuration OK: 4 plugins, 2 pipelines, 3 routes\n");
    expect("check --config=t.cfg --json", 0,
           "{\"ok\":true,\"errors\":0,\"warnings\":0,\"plugins\":4,\"pipelines\":2,\"routes\":3,\"problems\":[]}\n");
    expect(
        "check -c t.cfg --set plugins.limit.quota=0", 1,
        "--set: plugins.limit.quota: must be an integer from 1 to 100\nconfiguration refused: 1 error, 0 warnings\n");
    expect("check -c missing.cfg", 1,
           "missing.cfg: cannot be read: No such file or directory\nconfiguration refused: 1 error, 0 warnings\n");
    /* What the core's own part of the configuration lacks does not keep the plugins from being asked. */
    write_file(
        "bad.cfg",
        "server: { wrokers = 1; };\nplugins: ({ use = \"card\"; quota = \"x\\\"y\"; },\n{ use = \"taker\"; });\n");
    expect("check -c bad.cfg --set server.plugin_path=" TEST_PLUGIN_DIR " --json", 1,
           "{\"ok\":false,\"errors\":2,\"warnings\":0,\"plugins\":0,\"pipelines\":0,\"routes\":0,\"problems\":["
           "\"bad.cfg:1: server.wrokers: unknown setting; did you mean \\\"workers\\\"?\","
           "\"bad.cfg:2: plugins.card.quota: must be an integer from 1 to 100\"]}\n");
}

Test(cli, commands, .init = set_up, .fini = tear_down)
{
    struct result result = run("migrate -c t.cfg");
    cr_expect_eq(result.status, 0);
    cr_expect_not_null(strstr(result.text, "schema up to date: 2 migrations applied\n"), "%s", result.text);
    free(result.text);
    expect("migrate status -c t.cfg", 3,
           "DATABASE  OWNER  VERSION  NAME          STATE    APPLIED\n"
           "main      items  1        create_items  missing\n"
           "main      items  2        index_items   missing\n"
           "schema not up to date: 2 missing\n");
    expect("migrate status --json -c t.cfg --set plugins.main.has=items", 3,
           "{\"ok\":false,\"applied\":0,\"missing\":2,\"changed\":0,\"unknown\":1,\"migrations\":["
           "{\"database\":\"main\",\"owner\":\"items\",\"version\":1,\"name\":\"create_items\",\"state\":\"missing\","
           "\"appliedAt\":null},"
           "{\"database\":\"main\",\"owner\":\"items\",\"version\":2,\"name\":\"index_items\",\"state\":\"missing\","
           "\"appliedAt\":null},"
           "{\"database\":\"main\",\"owner\":\"items\",\"version\":9,\"name\":\"of_tomorrow\",\"state\":\"unknown\","
           "\"appliedAt\":\"1970-01-01T00:00:00.001Z\"}]}\n");
    expect("migrate down -c t.cfg", 1, "backplane: 1 migration cannot be undone: 0 are applied\n");
    expect("migrate down lists -c t.cfg", 1, "backplane: no plugin \"lists\" with migrations is configured\n");
    expect("backup -c t.cfg copy.db", 0, "main copied to copy.db\n");
    expect("backup t.cfg -c t.cfg", 1, "backplane: t.cfg exists already\n");
    expect("plugins nothing_like_it -c t.cfg", 1, "backplane: no plugin \"nothing_like_it\" in PLUGINS\n");
    expect("version", 0, "backplane 1.0.0 (plugin ABI 1.0)\n");
    expect("--version", 0, "backplane 1.0.0 (plugin ABI 1.0)\n");
    result = run("plugins -c t.cfg");
    cr_expect_eq(result.status, 0);
    cr_expect_not_null(strstr(result.text, "\nitems "), "%s", result.text);
    cr_expect_not_null(strstr(result.text, "giver "), "a plugin that is not used is listed, too:\n%s", result.text);
    free(result.text);
}

/* Listens on a free port of 127.0.0.1 or [::1], or as s.sock in the working directory. */
static int listen_on(int family, int *ret_port)
{
    struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    struct sockaddr_un local = {.sun_family = AF_UNIX, .sun_path = "s.sock"};
    struct sockaddr *address = family == AF_INET    ? (struct sockaddr *)&v4
                               : family == AF_INET6 ? (struct sockaddr *)&v6
                                                    : (struct sockaddr *)&local;
    socklen_t len = family == AF_INET ? sizeof(v4) : family == AF_INET6 ? sizeof(v6) : sizeof(local);
    int fd = socket(family, SOCK_STREAM, 0);
    cr_assert_eq(bind(fd, address, len), 0);
    cr_assert_eq(listen(fd, 1), 0);
    cr_assert_eq(getsockname(fd, address, &len), 0);
    *ret_port = family == AF_INET ? ntohs(v4.sin_port) : family == AF_INET6 ? ntohs(v6.sin6_port) : 0;
    return fd;
}

/* Answers one connection with reply. The exit code: whether it was asked what it should be. */
static int answer(int fd, const char *reply)
{
    char request[512];
    int client = accept(fd, NULL, NULL);
    ssize_t got = recv(client, request, sizeof(request) - 1, 0);
    request[got > 0 ? got : 0] = 0;
    if (strcmp(request, "GET /health/ready HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n") != 0)
        return 1;
    send(client, reply, strlen(reply), MSG_NOSIGNAL);
    return 0;
}

#define OK_REPLY "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"

static const struct {
    int family;
    const char *listen, *reply, *text; /* with PORT */
    int status;
} health_cases[] = {
    {AF_INET, "127.0.0.1:PORT", OK_REPLY, "ready\n", 0},
    {AF_INET, "*:PORT", OK_REPLY, "ready\n", 0},
    {AF_INET, "0.0.0.0:PORT", OK_REPLY, "ready\n", 0},
    {AF_INET6, "[::1]:PORT", OK_REPLY, "ready\n", 0},
    {AF_INET6, "[::]:PORT", OK_REPLY, "ready\n", 0},
    {AF_UNIX, "unix:s.sock", OK_REPLY, "ready\n", 0},
    {AF_INET, "127.0.0.1:PORT", "HTTP/1.1 503 Service Unavailable\r\n\r\n", "not ready: 127.0.0.1:PORT answered 503\n",
     1},
    {AF_INET, "127.0.0.1:PORT", "", "not ready: 127.0.0.1:PORT gave no HTTP answer within 5 s\n", 1},
    {AF_INET, "127.0.0.1:PORT", "SSH-2.0-OpenSSH\r\n", "not ready: 127.0.0.1:PORT gave no HTTP answer within 5 s\n", 1},
};

#define SECRET "JWT_SECRET=0123456789abcdef0123456789abcdef "
#define SHIPPED TEST_SOURCE_ROOT "/config/backplane.cfg"

/* The configuration that is shipped, by what an operator's environment says. */
static const struct {
    const char *environment, *text; /* of the first line, its beginning */
} shipped_cases[] = {
    {"", "configuration OK: "},
    {"NODE_ENV=dev DATABASE_URL=postgres://ann:secret@db/todo", "configuration OK: "},
    {"NODE_ENV=development REDIS_URL=redis://:secret@cache:6379/1", "configuration OK: "},
    {SECRET "NODE_ENV=production", "configuration OK: "},
    {SECRET "NODE_ENV=production DATABASE_URL='postgres://ann@db/todo?pgbouncer=true&connection_limit=3' "
            "DIRECT_URL=postgresql://ann@db/todo REDIS_URL=rediss://ann:secret@cache METRICS_LISTEN=0.0.0.0:9464 "
            "DATABASE_READERS=4 DATABASE_WRITERS=2 DATABASE_POOL=8 TRUSTED_PROXIES=10.0.0.0/8",
     "configuration OK: "},
    {SECRET "NODE_ENV=production DATABASE_URL=mysql://ann@db/todo", SHIPPED ":"},
    {SECRET "NODE_ENV=production DATABASE_URL=postgres://db/todo DATABASE_POOL=none", SHIPPED ":"},
    {"REDIS_URL=https://cache", SHIPPED ":"},
    {"METRICS_LISTEN=9464",
     SHIPPED ":17: server.listen[1].address: \"9464\" must be \"host:port\", \"unix:/path\" or \"fd:3\"\n"},
    {"NODE_ENV=test",
     SHIPPED ":27: cannot read \"" TEST_SOURCE_ROOT "/config/profiles/test.cfg\": No such file or directory\n"},
    {"UPSTASH_REDIS_URL=https://x",
     "environment variable UPSTASH_REDIS_URL is no longer used: set REDIS_URL instead\n"},
    {"UPSTASH_REDIS_TOKEN=x",
     "environment variable UPSTASH_REDIS_TOKEN is no longer used: put the password into REDIS_URL instead\n"},
    {"TEST_USER_ID=1", "environment variable TEST_USER_ID is no longer used: it has no replacement; unset it\n"},
};

Test(cli, shipped, .init = set_up, .fini = tear_down)
{
    for (size_t i = 0; i < sizeof(shipped_cases) / sizeof(*shipped_cases); i++) {
        const char *text = shipped_cases[i].text;
        char command[1024];
        snprintf(command, sizeof(command), "env -i ASAN_OPTIONS=\"$ASAN_OPTIONS\" %s '%s' check -c " SHIPPED " 2>&1",
                 shipped_cases[i].environment, TEST_EXECUTABLE);
        FILE *pipe = popen(command, "r");
        char out[4096];
        cr_assert_not_null(pipe);
        size_t len = fread(out, 1, sizeof(out) - 1, pipe);
        out[len] = '\0';
        int status = pclose(pipe);
        cr_expect_eq(WEXITSTATUS(status), strncmp(text, "configuration OK", 16) == 0 ? 0 : 1, "%s: %s",
                     shipped_cases[i].environment, out);
        cr_expect(strncmp(out, text, strlen(text)) == 0, "%s: %s", shipped_cases[i].environment, out);
        cr_expect_null(strstr(out, "secret@"), "%s: %s", shipped_cases[i].environment, out);
    }
}

Test(cli, health, .init = set_up, .fini = tear_down)
{
    char port[16];
    for (size_t i = 0; i < sizeof(health_cases) / sizeof(*health_cases); i++) {
        int number, child_status, fd = listen_on(health_cases[i].family, &number);
        pid_t child = fork();
        if (child == 0)
            _exit(answer(fd, health_cases[i].reply));
        cr_assert_gt(child, 0);
        close(fd);
        snprintf(port, sizeof(port), "%d", number);
        char *listen = text_replace(health_cases[i].listen, "PORT", port);
        char *text = text_replace(health_cases[i].text, "PORT", port);
        cr_assert_eq(setenv("TEST_LISTEN", listen, 1), 0);
        cr_assert_eq(setenv("TEST_INSIDE", i % 2 ? "1" : "", 1), 0); /* a listener before it, for other routes */
        expect("health -c t.cfg", health_cases[i].status, text);
        free(listen);
        free(text);
        cr_assert_eq(waitpid(child, &child_status, 0), child);
        cr_expect_eq(child_status, 0, "%s was asked for /health/ready", health_cases[i].listen);
    }
}

Test(cli, health_of_nobody, .init = set_up, .fini = tear_down)
{
    char listen[32], text[128];
    int port, fd = listen_on(AF_INET, &port);
    close(fd);
    snprintf(listen, sizeof(listen), "127.0.0.1:%d", port);
    snprintf(text, sizeof(text), "not ready: cannot connect to %s: Connection refused\n", listen);
    cr_assert_eq(setenv("TEST_LISTEN", listen, 1), 0);
    expect("health -c t.cfg", 1, text);
    cr_assert_eq(setenv("TEST_LISTEN", "fd:3", 1), 0);
    expect("health -c t.cfg", 1, "not ready: cannot connect to fd:3: Cannot assign requested address\n");
}
