/* SPDX-License-Identifier: MIT */
/* Supervisor and workers as an operator sees them: crashes, stalls, signals, sockets. */
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <dirent.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "build_info.h"
#include "tests/support/http.h"
#include "tests/support/server.h"

#define CONFIG(server_options, more_listen)                                                                       \
    "server: { listen = ( { address = \"127.0.0.1:${PORT}\"; }" more_listen " ); data = \"${BACKPLANE_DATA}\";\n" \
    "  plugin_path = \"" BACKPLANE_BUILD_ROOT "/tests/http\"; " server_options " };\n"                            \
    "plugins: ( { use = \"probe\"; }, { use = \"health\"; }, { use = \"request_id\"; } );\n"                      \
    "pipelines: { base = ( \"request_id\", { use = \"probe\"; mode = \"pass\"; } ); };\n"                         \
    "routes: ( { match = \"/*\"; pipeline = \"base\"; } );\n"

TestSuite(lifecycle, .timeout = 90);

static bool answers(int port, const char *target)
{
    struct http_reply reply;
    if (!http_try(port, "GET", target, NULL, NULL, &reply))
        return false;
    bool fine = reply.status == 200;
    http_reply_free(&reply);
    return fine;
}

static bool answers_again(int port)
{
    for (int i = 0; i < 2000; i++) {
        if (answers(port, "/probe/ok"))
            return true;
        (void)poll(NULL, 0, 5);
    }
    return false;
}

static void expect_words(const struct test_server *server, const char *const *words)
{
    for (size_t i = 0; words[i]; i++)
        if (!server_wait_output(server, words[i])) {
            char *output = server_output(server);
            cr_assert_fail("\"%s\" is not in:\n%s", words[i], output);
        }
}

#ifndef BP_SANITIZE
Test(lifecycle, a_crash_is_reported_and_the_worker_replaced)
{
    struct test_server server;
    struct http_reply reply;
    server_start(&server, &(struct server_options){.config = CONFIG("workers = 1;", "")});
    cr_assert_not(http_try(server.port, "GET", "/probe/crash", "X-Request-ID: crash-1\r\n", NULL, &reply));
    expect_words(&server, (const char *const[]){"\"event\":\"worker.crashed\"", "SIGSEGV", "\"plugin\":\"probe\"",
                                                "\"hook\":\"handler\"", "/probe/crash", "crash-1",
                                                "\"event\":\"worker.died\"", NULL});
    cr_assert(answers_again(server.port));
    cr_assert_eq(server_stop(&server), 0);
}

Test(lifecycle, a_stack_overflow_is_named)
{
    struct test_server server;
    struct http_reply reply;
    server_start(&server, &(struct server_options){.config = CONFIG("workers = 1;", "")});
    cr_assert_not(http_try(server.port, "GET", "/probe/overflow", NULL, NULL, &reply));
    expect_words(&server, (const char *const[]){"stack overflow", "\"plugin\":\"probe\"", "/probe/overflow", NULL});
    cr_assert(answers_again(server.port));
    cr_assert_eq(server_stop(&server), 0);
}

Test(lifecycle, a_stalled_worker_is_replaced)
{
    struct test_server server;
    server_start(&server, &(struct server_options){.config = CONFIG("workers = 1; stall_timeout = \"2s\";", "")});
    int fd = http_connect(server.port);
    cr_assert(http_send_text(fd, "GET /probe/block/60000 HTTP/1.1\r\nHost: x\r\n\r\n"));
    expect_words(&server, (const char *const[]){"worker.stalled", "probe", NULL});
    close(fd);
    cr_assert(answers_again(server.port));
    cr_assert_eq(server_stop(&server), 0);
}
#endif

Test(lifecycle, a_killed_worker_is_replaced_and_the_others_go_on)
{
    struct test_server server;
    pid_t before[4], after[4];
    server_start(&server, &(struct server_options){.config = CONFIG("workers = 2;", "")});
    for (int i = 0; i < 2000 && server_workers(&server, before, 4) != 2; i++)
        (void)poll(NULL, 0, 5);
    cr_assert_eq(server_workers(&server, before, 4), 2);
    cr_assert_eq(kill(before[0], SIGKILL), 0);
    cr_assert(server_wait_output(&server, "worker.died"));
    for (int i = 0; i < 2000 && (server_workers(&server, after, 4) != 2 || after[0] == before[0]); i++)
        (void)poll(NULL, 0, 5);
    cr_assert_eq(server_workers(&server, after, 4), 2);
    cr_assert(answers_again(server.port));
    /* A terminal's Ctrl-C reaches the whole group: workers take orders from the supervisor only. */
    cr_assert_eq(kill(after[0], SIGTERM), 0);
    cr_assert_eq(kill(after[1], SIGINT), 0);
    cr_assert(answers(server.port, "/probe/ok"));
    cr_assert_eq(server_stop(&server), 0);
}

/* Whether a socket of this inode is one that accepts: state 0A in /proc/net/tcp. */
static bool listens(unsigned long inode)
{
    char line[256];
    bool found = false;
    FILE *file = fopen("/proc/net/tcp", "re");
    cr_assert(file);
    while (!found && fgets(line, sizeof(line), file)) {
        unsigned state;
        unsigned long number;
        found = sscanf(line, " %*d: %*s %*s %x %*s %*s %*s %*s %*s %lu", &state, &number) == 2 && state == 0x0a &&
                number == inode;
    }
    (void)fclose(file);
    return found;
}

/* Sockets of the process that accept. */
static int sockets_listening(pid_t pid)
{
    char path[64];
    int count = 0;
    (void)snprintf(path, sizeof(path), "/proc/%d/fd", (int)pid);
    DIR *folder = opendir(path);
    cr_assert(folder);
    for (struct dirent *entry; (entry = readdir(folder));) {
        char target[64] = "";
        unsigned long inode;
        count += readlinkat(dirfd(folder), entry->d_name, target, sizeof(target) - 1) > 0 &&
                 sscanf(target, "socket:[%lu]", &inode) == 1 && listens(inode);
    }
    (void)closedir(folder);
    return count;
}

Test(lifecycle, a_worker_for_jobs_serves_nothing_and_is_replaced_and_drained_as_any_other)
{
    struct test_server server;
    pid_t serving, before, after = 0;
    server_start(&server, &(struct server_options){.config = CONFIG("workers = 1; job_workers = 1;", "")});
    for (int i = 0; i < 2000 && server_job_workers(&server, &before, 1) != 1; i++)
        (void)poll(NULL, 0, 5);
    cr_assert_eq(server_job_workers(&server, &before, 1), 1);
    cr_assert_eq(server_workers(&server, &serving, 1), 1);
    cr_assert_eq(sockets_listening(serving), 1);
    cr_assert_eq(sockets_listening(before), 0);
    cr_assert_eq(kill(before, SIGKILL), 0);
    expect_words(&server, (const char *const[]){"worker.died", "Jobs worker 1 (pid ", "SIGKILL", NULL});
    for (int i = 0; i < 2000 && (server_job_workers(&server, &after, 1) != 1 || after == before); i++)
        (void)poll(NULL, 0, 5);
    cr_assert_neq(after, before);
    cr_assert(answers(server.port, "/probe/ok"));
    cr_assert_eq(server_stop(&server), 0);
    cr_assert_eq(kill(after, 0), -1);
}

Test(lifecycle, a_drain_answers_what_is_in_flight)
{
    struct test_server server;
    struct http_reply reply;
    server_start(&server, &(struct server_options){.config = CONFIG("workers = 1;", "")});
    int busy = http_connect(server.port), idle = http_connect(server.port);
    cr_assert(http_send_text(idle, "GET /probe/ok HTTP/1.1\r\nHost: x\r\n\r\n") && http_read(idle, false, &reply));
    http_reply_free(&reply);
    cr_assert(http_send_text(
        busy, "GET /probe/ok HTTP/1.1\r\nHost: x\r\n\r\nGET /probe/sleep/700 HTTP/1.1\r\nHost: x\r\n\r\n"));
    cr_assert(http_read(busy, false, &reply)); /* the next one is being run now */
    http_reply_free(&reply);
    kill(server.pid, SIGTERM);
    cr_assert(http_read_end(idle));
    cr_assert(http_read(busy, false, &reply));
    cr_assert_eq(reply.status, 200);
    cr_assert(reply.close && http_read_end(busy));
    http_reply_free(&reply);
    cr_assert_eq(http_connect(server.port), -1);
    close(idle);
    close(busy);
    cr_assert_eq(server_stop(&server), 0);
}

/* Also when the next is taken in hand in the very turn in which the one before is done; until drain_timeout. */
Test(lifecycle, a_drain_waits_for_what_is_in_hand)
{
    static const struct {
        const char *config, *target;
        bool done;
    } cases[] = {{CONFIG("workers = 1; drain_timeout = \"1m\";", ""), "/probe/hold/50", true},
                 {CONFIG("workers = 1; drain_timeout = \"100ms\";", ""), "/probe/hold/100000", false}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct test_server server;
        server_start(&server, &(struct server_options){.config = cases[i].config});
        cr_assert(answers(server.port, cases[i].target));
        cr_assert_eq(server_stop_keep(&server), 0);
        char *output = server_output(&server);
        cr_expect_eq(strstr(output, "\"event\":\"probe.worked\"") != NULL, cases[i].done, "%zu: %s", i, output);
        cr_expect_eq(strstr(output, "\"message\":\"Requests or jobs did not finish in time and are cancelled\"") !=
                         NULL,
                     !cases[i].done, "%zu: %s", i, output);
        free(output);
        server_remove_folder(&server);
    }
}

Test(lifecycle, readiness_fails_first_while_draining)
{
    struct test_server server;
    struct http_reply reply;
    server_start(&server, &(struct server_options){.config = CONFIG("workers = 1; drain_delay = \"1s\";", "")});
    cr_assert(answers(server.port, "/health/ready"));
    kill(server.pid, SIGTERM);
    unsigned status = 200;
    for (int i = 0; i < 400 && status == 200; i++) {
        if (!http_try(server.port, "GET", "/health/ready", NULL, NULL, &reply))
            break;
        status = reply.status;
        if (status == 503)
            cr_assert(strstr(reply.body, "not ready"));
        http_reply_free(&reply);
    }
    cr_assert_eq(status, 503);
    cr_assert_eq(server_stop(&server), 0);
}

Test(lifecycle, a_drain_ends_at_its_timeout_and_at_a_second_signal)
{
    struct test_server server;
    for (int second = 0; second < 2; second++) {
        server_start(&server, &(struct server_options){
                                  .config = second ? CONFIG("workers = 1; drain_timeout = \"60s\";", "")
                                                   : CONFIG("workers = 1; drain_timeout = \"500ms\";", "")});
        int fd = http_connect(server.port);
        cr_assert(http_send_text(fd, "GET /probe/wait HTTP/1.1\r\nHost: x\r\n\r\n"));
        cr_assert(answers(server.port, "/probe/ok")); /* behind it, so it is being run */
        kill(server.pid, SIGTERM);
        cr_assert(server_wait_output(&server, "server.draining"));
        if (second)
            kill(server.pid, SIGTERM);
        char byte;
        cr_assert_leq(recv(fd, &byte, 1, 0), 0);
        close(fd);
        (void)server_stop(&server);
    }
}

Test(lifecycle, workers_die_with_their_supervisor)
{
    struct test_server server;
    pid_t worker;
    server_start(&server, &(struct server_options){.config = CONFIG("workers = 1;", "")});
    cr_assert_eq(server_workers(&server, &worker, 1), 1);
    kill(server.pid, SIGKILL);
    for (int i = 0; i < 2000 && kill(worker, 0) == 0; i++)
        (void)poll(NULL, 0, 5);
    cr_assert_neq(kill(worker, 0), 0);
    cr_assert_eq(server_stop(&server), 128 + SIGKILL);
}

Test(lifecycle, a_data_folder_has_one_server)
{
    struct test_server server;
    char *output;
    server_start(&server, &(struct server_options){.config = CONFIG("workers = 1;", "")});
    int code = server_refuses(&(struct server_options){.config = CONFIG("workers = 1;", ""), .folder = server.folder},
                              &output);
    cr_assert_eq(code, 1);
    cr_assert(strstr(output, "already runs on the data folder"), "%s", output);
    free(output);
    cr_assert(answers(server.port, "/probe/ok"));
    cr_assert_eq(server_stop(&server), 0);
}

Test(lifecycle, a_taken_port_is_said)
{
    struct test_server server;
    char *output, environment[32];
    server_start(&server, &(struct server_options){.config = CONFIG("workers = 1;", "")});
    snprintf(environment, sizeof(environment), "PORT=%d", server.port);
    int code = server_refuses(&(struct server_options){.config = CONFIG("workers = 1;", ""),
                                                       .environment = (const char *const[]){environment, NULL}},
                              &output);
    cr_assert_eq(code, 1);
    cr_assert(strstr(output, "Address already in use") || strstr(output, "already in use"), "%s", output);
    free(output);
    cr_assert_eq(server_stop(&server), 0);
}

Test(lifecycle, unix_and_ipv6_listeners)
{
    struct test_server server;
    struct http_reply reply;
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    server_start(&server, &(struct server_options){
                              .config = CONFIG("workers = 1;", ", { address = \"unix:${BACKPLANE_DATA}/api.sock\"; }, "
                                                               "{ address = \"[::1]:${PORT}\"; }")});
    snprintf(address.sun_path, sizeof(address.sun_path), "%s/api.sock", server.folder);
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    cr_assert_eq(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    cr_assert(http_send_text(fd, "GET /probe/ok HTTP/1.1\r\nHost: x\r\n\r\n") && http_read(fd, false, &reply));
    cr_assert_eq(reply.status, 200);
    http_reply_free(&reply);
    close(fd);
    struct sockaddr_in6 six = {
        .sin6_family = AF_INET6, .sin6_port = htons((unsigned short)server.port), .sin6_addr = in6addr_loopback};
    fd = socket(AF_INET6, SOCK_STREAM, 0);
    cr_assert_eq(connect(fd, (struct sockaddr *)&six, sizeof(six)), 0);
    cr_assert(http_send_text(fd, "GET /probe/ok HTTP/1.1\r\nHost: x\r\n\r\n") && http_read(fd, false, &reply));
    cr_assert_eq(reply.status, 200);
    http_reply_free(&reply);
    close(fd);
    cr_assert_eq(server_stop(&server), 0);
}

/* Where METRICS_LISTEN led to. */
static int metrics_port(const struct test_server *server)
{
    int port = 0;
    cr_assert(server_wait_output(server, " for metrics ("));
    char *output = server_output(server);
    const char *found = strstr(output, ", http://127.0.0.1:");
    cr_assert(found && sscanf(found, ", http://127.0.0.1:%d for metrics (", &port) == 1, "%s", output);
    free(output);
    return port;
}

Test(lifecycle, a_named_listener_serves_its_routes_and_they_are_served_there_alone)
{
    static const struct {
        const char *method, *target;
        unsigned here, inside; /* status on the listener without a name, and on the one of that name */
    } cases[] = {
        {"GET", "/metrics", 404, 200},          {"HEAD", "/metrics", 404, 200},     {"OPTIONS", "/metrics", 404, 204},
        {"POST", "/metrics", 404, 405},         {"GET", "/metrics/", 404, 404},     {"GET", "/health/live", 200, 404},
        {"POST", "/health/live", 405, 404},     {"GET", "/api/v1/todos", 401, 404}, {"PUT", "/api/v1/todos", 405, 404},
        {"OPTIONS", "/api/v1/todos", 204, 404}, {"GET", "/nowhere", 404, 404},
    };
    struct test_server server;
    struct http_reply reply;
    server_start(&server,
                 &(struct server_options){.environment = (const char *const[]){"METRICS_LISTEN=127.0.0.1:0", NULL}});
    int inside = metrics_port(&server);
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
        for (int named = 0; named < 2; named++) {
            int fd = http_connect(named ? inside : server.port);
            char text[200];
            snprintf(text, sizeof(text), "%s %s HTTP/1.1\r\nHost: x\r\n\r\n", cases[i].method, cases[i].target);
            cr_assert(fd >= 0 && http_send_text(fd, text) &&
                      http_read(fd, strcmp(cases[i].method, "HEAD") == 0, &reply));
            cr_expect_eq(reply.status, named ? cases[i].inside : cases[i].here, "%s %s, %s listener: %u",
                         cases[i].method, cases[i].target, named ? "the named" : "the other", reply.status);
            http_reply_free(&reply);
            close(fd);
        }
    cr_assert_eq(server_stop(&server), 0);

    server_start(&server, &(struct server_options){.environment = (const char *const[]){"METRICS_LISTEN=", NULL}});
    cr_assert(answers(server.port, "/metrics"), "without it, in public");
    cr_assert_eq(server_stop(&server), 0);
}

Test(lifecycle, connections_beyond_the_cap_wait)
{
    struct test_server server;
    struct http_reply reply;
    server_start(&server, &(struct server_options){.config = CONFIG("workers = 1; max_connections = 4;", "")});
    int fds[4];
    for (int i = 0; i < 4; i++) {
        fds[i] = http_connect(server.port);
        cr_assert(http_send_text(fds[i], "GET /probe/ok HTTP/1.1\r\nHost: x\r\n\r\n") &&
                  http_read(fds[i], false, &reply));
        http_reply_free(&reply);
    }
    int fifth = http_connect(server.port); /* in the kernel's queue */
    cr_assert(http_send_text(fifth, "GET /probe/ok HTTP/1.1\r\nHost: x\r\n\r\n"));
    struct pollfd waits = {.fd = fifth, .events = POLLIN};
    cr_assert_eq(poll(&waits, 1, 200), 0);
    close(fds[0]);
    cr_assert(http_read(fifth, false, &reply));
    cr_assert_eq(reply.status, 200);
    http_reply_free(&reply);
    for (int i = 1; i < 4; i++)
        close(fds[i]);
    close(fifth);
    cr_assert_eq(server_stop(&server), 0);
}
