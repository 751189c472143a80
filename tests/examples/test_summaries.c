/* SPDX-License-Identifier: MIT */
/* The plugin of docs/jobs.md, in a server. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "build_info.h"
#include "tests/support/http.h"
#include "tests/support/server.h"
#include "tests/support/service.h"

static const char config[] = "include = ( \"" BACKPLANE_SOURCE_ROOT "/config/backplane.cfg\" );\n"
                             "plugins: ( { use = \"summaries\"; } );\n";
static const char *const arguments[] = {"--set", "server.plugin_path=" BACKPLANE_BUILD_ROOT "/tests/examples", NULL};

static struct test_server server;

static json_t *call(const char *who, const char *method, const char *path, const char *body, unsigned status)
{
    struct http_reply reply;
    http_call(server.port, method, path, who, body, &reply);
    cr_assert_eq(reply.status, status, "%s", reply.body);
    json_t *root = http_json(&reply);
    http_reply_free(&reply);
    return root;
}

Test(summaries, todos_are_counted_by_a_job, .timeout = 60)
{
    char path[128];
    server_start(&server, &(struct server_options){.config = config, .arguments = arguments});
    char *ada = http_login(server.port, "ada@example.com"), *bob = http_login(server.port, "bob@example.com");
    json_decref(call(ada, "POST", "/api/v1/todos", "{\"title\":\"Water the plants\"}", 201));
    json_decref(call(ada, "POST", "/api/v1/todos", "{\"title\":\"Buy milk\",\"completed\":true}", 201));
    json_t *summary = call(ada, "POST", "/api/v1/summaries", NULL, 202);
    cr_expect(json_is_false(http_json_at(summary, "data.done")));
    snprintf(path, sizeof(path), "/api/v1/summaries/%s", http_json_text(summary, "data.id"));
    for (long long begun = 0; !json_is_true(http_json_at(summary, "data.done"));) {
        cr_assert(service_patience(&begun, 20000), "the job did not run");
        json_decref(summary);
        summary = call(ada, "GET", path, NULL, 200);
    }
    cr_expect_eq(http_json_integer(summary, "data.todos"), 2);
    cr_expect_eq(http_json_integer(summary, "data.open"), 1);
    json_decref(summary);
    json_decref(call(bob, "GET", path, NULL, 404));
    free(ada);
    free(bob);
    cr_assert_eq(server_stop(&server), 0);
}
