/* SPDX-License-Identifier: MIT */
/* Two plugins alone: a server with nothing else in it. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "build_info.h"
#include "tests/support/http.h"
#include "tests/support/server.h"

static const char config[] =
    "server: { listen = ( { address = \"127.0.0.1:${PORT}\"; } ); data = \"${BACKPLANE_DATA}\"; log_format = "
    "\"json\";\n"
    "          plugin_path = \"" BACKPLANE_BUILD_ROOT "/tests/examples\"; };\n"
    "plugins: ( { use = \"flags\"; interval = \"10ms\"; }, { use = \"maintenance\"; },\n"
    "           { use = \"health\"; interval = \"50ms\"; details = \"full\"; } );\n"
    "pipelines: { open = ( ); api = ( \"maintenance\" ); };\n"
    "routes: ( { match = \"/health/ready\"; pipeline = \"api\"; }, { match = \"/*\"; pipeline = \"open\"; } );\n";

static struct test_server server;
static char file[128];

static void set_up(void)
{
    server_start(&server, &(struct server_options){.config = config});
    snprintf(file, sizeof(file), "%s/flags.txt", server.folder);
}

static void tear_down(void)
{
    server_stop(&server);
}

TestSuite(flags, .init = set_up, .fini = tear_down, .timeout = 60);

/* Whole, or not at all: the server may read it at any moment. */
static void turn_on(const char *names)
{
    char beside[sizeof(file) + 1];
    snprintf(beside, sizeof(beside), "%s~", file);
    FILE *out = fopen(beside, "w");
    cr_assert(out && fputs(names, out) >= 0 && fclose(out) == 0 && rename(beside, file) == 0);
}

/* Asks until the answer has this status; what it was at the end. */
static void ask_until(unsigned status, struct http_reply *reply)
{
    for (int i = 0; i < 2000; i++) {
        http_call(server.port, "GET", "/health/ready", NULL, NULL, reply);
        if (reply->status == status)
            return;
        http_reply_free(reply);
    }
    cr_assert_fail("no %u", status);
}

Test(flags, closes_and_opens)
{
    struct http_reply reply;
    ask_until(200, &reply); /* without a file all are off */
    http_reply_free(&reply);
    turn_on("other\nmaintenance\n");
    ask_until(503, &reply);
    cr_expect_str_eq(http_header(&reply, "Retry-After"), "60");
    cr_expect(strstr(reply.body, "Closed for maintenance"), "%s", reply.body);
    http_reply_free(&reply);
    turn_on("other\n");
    ask_until(200, &reply);
    http_reply_free(&reply);
}

Test(flags, what_cannot_be_read_changes_nothing_and_is_said)
{
    struct http_reply reply;
    turn_on("maintenance\n");
    ask_until(503, &reply);
    http_reply_free(&reply);
    cr_assert_eq(unlink(file), 0);
    cr_assert_eq(mkdir(file, 0700), 0);
    cr_expect(server_wait_output(&server, "cannot read the file: Is a directory"));
    ask_until(503, &reply); /* as it was */
    http_reply_free(&reply);
    cr_assert_eq(rmdir(file), 0);
}

Test(flags, a_name_that_is_too_long_is_an_error)
{
    char *output;
    static const char *const arguments[] = {
        "--set",
        "plugins.flags.file=" /* 101 bytes */
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
        NULL};
    cr_expect_eq(server_refuses(&(struct server_options){.config = config, .arguments = arguments}, &output), 1);
    cr_expect(strstr(output, "plugins.flags.file"), "%s", output);
    free(output);
}
