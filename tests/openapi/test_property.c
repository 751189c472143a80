/* SPDX-License-Identifier: MIT */
/* Requests that property.mjs generates from the document of a server with every plugin and a resource made of its configuration. */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "build_info.h"
#include "tests/support/account.h"
#include "tests/support/database.h"
#include "tests/support/http.h"
#include "tests/support/server.h"

#define HERE BACKPLANE_SOURCE_ROOT "/tests/openapi"
#define CONFIG                                                                                              \
    "include = ( \"" BACKPLANE_SOURCE_ROOT "/docs/examples/resources/notes.cfg\", \"" BACKPLANE_SOURCE_ROOT \
    "/config/backplane.cfg\" );\n"
#define SECRET "0123456789abcdef0123456789abcdef"
#define EMAIL "admin@example.com"
#define PASSWORD "Correct-Horse-7"
/* Further options of the server, on the command line. */
#define VERIFY_EMAIL "plugins.auth.verify_email=true"
#define MANY_WEBHOOKS "plugins.webhooks.endpoints=1000"

struct part {
    char name[32], count[8]; /* of requests of a kind for each operation */
};

static char folder[64], url[SERVER_URL_SIZE + 16], direct[SERVER_URL_SIZE + 16];

static void prepare(void)
{
    char plain[SERVER_URL_SIZE], plain_direct[SERVER_URL_SIZE], path[100], line[2500];
    snprintf(folder, sizeof(folder), "/tmp/backplane-test-XXXXXX");
    cr_assert(mkdtemp(folder));
    database_prepare(folder, plain, plain_direct);
    snprintf(url, sizeof(url), "DATABASE_URL=%s", plain);
    snprintf(direct, sizeof(direct), "DIRECT_URL=%s", plain_direct);
    snprintf(path, sizeof(path), "%s/test.cfg", folder);
    FILE *file = fopen(path, "w");
    cr_assert(file && fputs(CONFIG, file) >= 0 && fclose(file) == 0);
    snprintf(line, sizeof(line),
             "env '%s' '%s' WEBHOOKS=1 BACKPLANE_DATA=%s " BACKPLANE_BUILD_ROOT "/backplane migrate -c %s", url, direct,
             folder, path);
    cr_assert_eq(system(line), 0);
}

static void start(struct test_server *server)
{
    struct account_client admin;
    prepare();
    server_start(server, &(struct server_options){
                             .config = CONFIG,
                             .folder = folder,
                             .arguments = (const char *const[]){"--set", VERIFY_EMAIL, "--set", MANY_WEBHOOKS, NULL},
                             .environment = (const char *const[]){"JWT_SECRET=" SECRET, "LOGIN_MAX_FAILURES=0",
                                                                  "WEBHOOKS=1", NULL},
                             .database = true});
    account_sign_up(server->port, "{\"email\":\"" EMAIL "\",\"password\":\"" PASSWORD "\"}", &admin);
    database_execute(server, "UPDATE users SET role = 'admin' WHERE email = '" EMAIL "'");
    /* Messages are sent, into files; to other servers nothing is. */
    database_execute(server, "INSERT INTO job_queues (name, paused) VALUES ('webhooks', '1') "
                             "ON CONFLICT (name) DO UPDATE SET paused = '1'");
}

/* The beginning of a file; free it. */
static char *read_file(const char *path)
{
    char *text = calloc(1, 16384);
    FILE *file = fopen(path, "r");
    cr_assert(text);
    if (file) {
        text[fread(text, 1, 16383, file)] = '\0';
        (void)fclose(file);
    }
    return text;
}

ParameterizedTestParameters(property, part)
{
    static struct part parts[] = {
        {"valid", "3"}, {"invalid", "4"}, {"tokens", "2"}, {"strangers", "1"}, {"patches", "5"},
    };
    return cr_make_param_array(struct part, parts, sizeof(parts) / sizeof(*parts));
}

ParameterizedTest(struct part *part, property, part, .timeout = 900)
{
    struct test_server server;
    char log[100], command[1200];
    const char *all = getenv("BACKPLANE_TEST_ALL"), *count = getenv("PROPERTY_COUNT");
    cr_assert(access(HERE "/node_modules/ajv", F_OK) == 0, "npm ci in tests/openapi (./dev test does it)");
    start(&server);
    snprintf(log, sizeof(log), "%s/property.log", server.folder);
    snprintf(command, sizeof(command),
             "cd '" HERE "' && PROPERTY_ADMIN=" EMAIL " PROPERTY_PASSWORD=" PASSWORD " PROPERTY_SECRET=" SECRET
             " PROPERTY_FOLDER=%s PROPERTY_COUNT=%s node property.mjs %s http://127.0.0.1:%d >%s 2>&1",
             server.folder,
             count && *count ? count
             : all && *all   ? "60"
                             : part->count,
             part->name, server.port, log);
    int status = system(command);
    char *output = read_file(log);
    cr_expect_eq(status, 0, "%s: %s", part->name, output);
    free(output);
    cr_expect_eq(server_stop(&server), 0);
}
