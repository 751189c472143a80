/* SPDX-License-Identifier: MIT */
/* Plugins that crash, and workers that grow: what the supervisor makes of them. */
#include <criterion/criterion.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "build_info.h"
#include "operated.h"
#include "tests/support/http.h"
#include "tests/support/service.h"

TestSuite(containment, .timeout = 90);

/* A sanitizer would report the crashes, and needs more memory. */
#ifndef BP_SANITIZE
#define CONFIG_PROBE(probe)                                                                       \
    "server: { listen = ( "                                                                       \
    "{ address = \"127.0.0.1:${PORT}\"; }"                                                        \
    " ); data = \"${BACKPLANE_DATA}\"; workers = 1;\n"                                            \
    "  plugin_path = \"" BACKPLANE_BUILD_ROOT "/tests/http\"; };\n"                               \
    "plugins: ( { use = \"health\"; }, { use = \"moody\"; }, { use = \"probe\"; " probe " } );\n" \
    "pipelines: { rest = ( { use = \"probe\"; mode = \"pass\"; } ); };\n"                         \
    "routes: ( { match = \"/*\"; pipeline = \"rest\"; } );\n"

static void crash(void)
{
    struct http_reply reply;
    cr_assert_eq(status_of("/probe/ok"), 200);
    cr_assert_not(http_try(server.port, "GET", "/probe/crash", NULL, NULL, &reply));
}

/* With its routes and its stages; whatever else there is goes on. */
Test(containment, an_optional_plugin_that_keeps_crashing_is_left_out)
{
    char output[4096];
    pid_t pids[4];
    begin(CONFIG_PROBE("optional = true;"));
    for (int i = 0; i < 3; i++)
        crash();
    cr_assert(server_wait_output(&server, "plugin.quarantined"));
    cr_expect_eq(status_of("/probe/ok"), 404);
    cr_expect_eq(status_of("/moody"), 200);
    cr_expect_eq(status_of("/health/ready"), 200);
    cr_expect_eq(number_of("quarantined"), 1);
    cr_expect_eq(run_command("status", output, sizeof(output)), 0);
    cr_expect(strstr(output, "left out, as it kept crashing workers: probe\n"), "%s", output);
    /* It stays out when a worker is replaced, */
    wait_workers(1);
    cr_assert_eq(server_workers(&server, pids, 4), 1);
    cr_assert_eq(kill(pids[0], SIGKILL), 0);
    cr_expect_eq(status_of("/probe/ok"), 404);
    /* and comes back by a reload. */
    expect_reloaded(CONFIG_PROBE("optional = true;"));
    cr_expect_eq(number_of("quarantined"), 0);
    cr_expect_eq(status_of("/probe/ok"), 200);
    cr_expect_eq(server_stop(&server), 0);
}

Test(containment, a_plugin_that_is_not_optional_is_only_replaced)
{
    begin(CONFIG_PROBE(""));
    for (int i = 0; i < 4; i++)
        crash();
    cr_expect_eq(status_of("/probe/ok"), 200);
    cr_expect_eq(number_of("quarantined"), 0);
    cr_expect_eq(number_of("reloads"), 0);
    cr_expect_eq(server_stop(&server), 0);
}
/* Exchanged for another, as by a reload. */
Test(containment, a_worker_that_grows_is_exchanged)
{
    struct http_reply reply;
    begin("server: { listen = ( "
          "{ address = \"127.0.0.1:${PORT}\"; }"
          " ); data = \"${BACKPLANE_DATA}\"; workers = 1; worker_memory = \"60MiB\";\n"
          "  plugin_path = \"" BACKPLANE_BUILD_ROOT "/tests/http\"; };\n"
          "plugins: ( { use = \"health\"; }, { use = \"metrics\"; }, { use = \"moody\"; }, { use = \"probe\"; } );\n"
          "pipelines: { rest = ( \"metrics\" ); };\n"
          "routes: ( { match = \"/*\"; pipeline = \"rest\"; } );\n");
    int fd = http_connect(server.port);
    long long pid = hear(fd, "nothing", 1);
    cr_assert_eq(status_of("/probe/leak/20000000"), 200);
    cr_assert_eq(status_of("/probe/leak/80000000"), 200);
    cr_assert(server_wait_output(&server, "worker.recycled"));
    for (long long begun = 0; number_of("workers") != 2;)
        cr_assert(service_patience(&begun, 30000));
    /* Who is connected is answered once more by the old one. */
    bool last = false;
    for (long long begun = 0; !last;) {
        cr_assert(service_patience(&begun, 30000));
        cr_assert(http_send_text(fd, "GET /probe/ok HTTP/1.1\r\nHost: x\r\n\r\n") && http_read(fd, false, &reply));
        cr_expect_eq(reply.status, 200);
        last = reply.close;
        http_reply_free(&reply);
    }
    cr_expect(http_read_end(fd));
    close(fd);
    wait_workers(1);
    int fresh = http_connect(server.port);
    cr_expect_neq(hear(fresh, "nothing", 2), pid);
    close(fresh);
    cr_expect_eq(metric("\nbackplane_worker_restarts_total{reason=\"memory\"}"), 1);
    cr_expect_eq(server_stop(&server), 0);
}
#endif
