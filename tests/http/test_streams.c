/* SPDX-License-Identifier: MIT */
/* Streams that outlive their handler (lasting.c), as clients see them. */
#include <criterion/criterion.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "build_info.h"
#include "tests/support/http.h"
#include "tests/support/server.h"

static const char config[] =
    "server: { listen = ( { address = \"127.0.0.1:${PORT}\"; } ); workers = 1; data = \"${BACKPLANE_DATA}\";\n"
    "  plugin_path = \"" BACKPLANE_BUILD_ROOT "/tests/http\"; head_timeout = \"1s\"; idle_timeout = \"1s\";\n"
    "  write_timeout = \"1s\"; request_timeout = \"2s\"; write_buffer = \"256KiB\"; };\n"
    "plugins: ( { use = \"lasting\"; }, { use = \"health\"; }, { use = \"request_id\"; }, { use = \"access_log\"; },\n"
    "  { use = \"metrics\"; }, { use = \"compress\"; min_size = 0; }, { use = \"cache\"; } );\n"
    "pipelines: { base = ( \"request_id\", \"access_log\", \"metrics\", \"lasting\", \"compress\", \"cache\" ); };\n"
    "routes: ( { match = \"/*\"; pipeline = \"base\"; } );\n";

static struct test_server server;

static void start(void)
{
    server_start(&server, &(struct server_options){.config = config});
}

static void stop(void)
{
    cr_assert_eq(server_stop(&server), 0);
}

TestSuite(streams, .init = start, .timeout = 60);

#define OPEN(path) "GET " path " HTTP/1.1\r\nHost: x\r\nX-Mark: mark\r\nAccept-Encoding: gzip\r\n\r\n"
#define FIRST_PIECE "\r\n\r\n6\r\nhello\n\r\n"
#define BYE "4\r\nbye\n\r\n"
#define LAST_CHUNK "0\r\n\r\n"

/* Reads until the text so far ends with ending; false when the connection ends first. */
static bool read_to(int fd, const char *ending, char *text, size_t size)
{
    size_t len = 0, last = strlen(ending);
    text[0] = '\0';
    while (len < last || memcmp(text + len - last, ending, last) != 0) {
        ssize_t got = len + 1 < size ? recv(fd, text + len, 1, 0) : 0;
        if (got <= 0)
            return false;
        text[++len] = '\0';
    }
    return true;
}

static void expect(int fd, const char *ending)
{
    char text[4096];
    cr_assert(read_to(fd, ending, text, sizeof(text)), "not at its end: %s", text);
}

static int open_stream(const char *request)
{
    int fd = http_connect(server.port);
    cr_assert(fd >= 0 && http_send_text(fd, request));
    return fd;
}

static void get(const char *target)
{
    struct http_reply reply;
    http_call(server.port, "GET", target, NULL, NULL, &reply);
    cr_assert_eq(reply.status, 200, "%s", reply.body);
    http_reply_free(&reply);
}

static long long count(const char *name)
{
    struct http_reply reply;
    http_call(server.port, "GET", "/lasting/stats", NULL, NULL, &reply);
    json_t *root = http_json(&reply);
    long long value = http_json_integer(root, name);
    json_decref(root);
    http_reply_free(&reply);
    return value;
}

static void wait_for(const char *name, long long value)
{
    for (int i = 0; i < 2000; i++) {
        if (count(name) == value)
            return;
        (void)poll(NULL, 0, 5);
    }
    cr_assert_fail("%s is %lld, not %lld", name, count(name), value);
}

Test(streams, stay_open_and_end)
{
    static const char *const paths[] = {OPEN("/lasting/open?mode=stay"), OPEN("/lasting/open-any")};
    char text[4096];
    for (size_t i = 0; i < 2; i++) {
        /* A request right behind the stream waits for its end. */
        int fd = open_stream(paths[i]);
        cr_assert(http_send_text(fd, "GET /lasting/nothing HTTP/1.1\r\nHost: x\r\n\r\n"));
        cr_assert(read_to(fd, FIRST_PIECE, text, sizeof(text)));
        cr_assert(strstr(text, "HTTP/1.1 200 OK\r\n") && strstr(text, "\r\nTransfer-Encoding: chunked\r\n") &&
                      strstr(text, "\r\nContent-Type: text/plain\r\n"),
                  "%s", text);
        cr_assert_null(strstr(text, "Content-Encoding"));
        get("/lasting/send/3");
        expect(fd, "3\r\nabc\r\n");
        get("/lasting/send/26");
        expect(fd, "1a\r\nabcdefghijklmnopqrstuvwxyz\r\n");
        cr_assert_eq(count("open"), 1);
        struct pollfd quiet = {.fd = fd, .events = POLLIN};
        cr_assert_eq(poll(&quiet, 1, 1500), 0); /* longer than head, idle and write may take; neither waits for it */
        get("/lasting/end");
        cr_assert(read_to(fd, LAST_CHUNK, text, sizeof(text)));
        cr_assert_str_eq(text, BYE LAST_CHUNK);
        struct http_reply reply;
        cr_assert(http_read(fd, false, &reply));
        cr_assert_eq(reply.status, 404);
        http_reply_free(&reply);
        cr_assert(http_read_end(fd), "idle_timeout is that of the connection again");
        close(fd);
    }
    cr_assert_eq(count("open"), 0);
    cr_assert_eq(count("ended"), 2);
    cr_assert_eq(count("readable"), 1);
    char *log = server_output(&server);
    cr_assert(strstr(log, "\"target\":\"/lasting/open?mode=stay\",\"route\":\"/lasting/open\",\"status\":200"), "%s",
              log);
    free(log);
    stop();
}

Test(streams, clients_leave)
{
    static const struct {
        const char *request;
        enum { CLOSE, RESET, HALF } how;
        bool first; /* when the stream is known to be open; else at once */
    } cases[] = {{OPEN("/lasting/open?mode="), CLOSE, true},
                 {OPEN("/lasting/open?mode="), RESET, true},
                 {OPEN("/lasting/open?mode="), HALF, true},
                 {OPEN("/lasting/open?mode="), HALF, false},
                 {OPEN("/lasting/open?mode=") OPEN("/lasting/stats"), HALF, true},
                 {OPEN("/lasting/open?mode=wait"), CLOSE, true},
                 {OPEN("/lasting/open?mode=wait"), RESET, true}};
    struct linger hard = {.l_onoff = 1};
    long long left = 0;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        int fd = open_stream(cases[i].request);
        if (cases[i].first)
            expect(fd, FIRST_PIECE);
        if (cases[i].how == RESET)
            setsockopt(fd, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard));
        if (cases[i].how == HALF) {
            shutdown(fd, SHUT_WR);
            char text[4096];
            cr_assert_not(read_to(fd, "\r\n0\r\n\r\n", text, sizeof(text)), "case %zu: %s", i, text);
        }
        close(fd);
        wait_for("left", ++left);
    }
    cr_assert_eq(count("open"), 0);
    cr_assert_eq(count("ended") + count("drained") + count("refused"), 0);
    stop();
}

Test(streams, other_ends)
{
    static const struct {
        const char *request, *counted, *ends;
    } cases[] = {
        {OPEN("/lasting/open?mode=end"), "ended", LAST_CHUNK},
        {OPEN("/lasting/open?mode=fail"), "left", NULL}, /* cut, so that it does not look whole */
        {OPEN("/lasting/open?mode=twice"), "left", NULL},
        {"GET /lasting/open?mode=end HTTP/1.0\r\n\r\n", "ended", "\r\n\r\nhello\nbye\n"},
        {"GET /lasting/open?mode=end HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", "ended", "\r\n\r\nhello\nbye\n"}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char text[4096];
        long long before = count(cases[i].counted);
        int fd = open_stream(cases[i].request);
        cr_expect_eq(read_to(fd, cases[i].ends ? cases[i].ends : LAST_CHUNK, text, sizeof(text)), cases[i].ends != NULL,
                     "%zu: %s", i, text);
        cr_expect(http_read_end(fd), "%zu", i);
        cr_expect_eq(count(cases[i].counted), before + 1, "%zu", i);
        close(fd);
    }
    /* HTTP/1.0 has no chunks, and its stream ends with the connection. */
    int fd = open_stream("GET /lasting/open HTTP/1.0\r\n\r\n");
    expect(fd, "\r\n\r\nhello\n");
    get("/lasting/send/5");
    expect(fd, "abcde");
    get("/lasting/end");
    expect(fd, "bye\n");
    cr_assert(http_read_end(fd));
    close(fd);
    /* HEAD has no content to wait for. */
    struct http_reply reply;
    fd = open_stream("HEAD /lasting/open HTTP/1.1\r\nHost: x\r\n\r\n");
    cr_assert(http_read(fd, true, &reply));
    cr_assert_eq(reply.status, 200);
    http_reply_free(&reply);
    cr_assert(http_send_text(fd, "GET /lasting/early HTTP/1.1\r\nHost: x\r\n\r\n") && http_read(fd, false, &reply));
    cr_assert_eq(reply.status, 500);
    http_reply_free(&reply);
    close(fd);
    cr_assert_eq(count("open"), 0);
    stop();
}

/* Who takes nothing is cut, however much there is for it. */
Test(streams, stuck_clients)
{
    int stuck = open_stream(OPEN("/lasting/open?mode="));
    expect(stuck, FIRST_PIECE);
    while (count("aborted") == 0) { /* write_timeout */
        get("/lasting/send/52000");
        if (count("busy") > 0)
            (void)poll(NULL, 0, 5);
    }
    cr_assert_gt(count("busy"), 0);
    cr_assert_eq(count("left"), 1);
    cr_assert_eq(count("open"), 0);
    close(stuck);
    stop();
}

/* Who is slow gets all that was taken, in order. */
Test(streams, slow_clients)
{
    enum { PIECE = 52000 };
    stop();
    server_start(&server,
                 &(struct server_options){
                     .config = config, .arguments = (const char *const[]){"--set", "server.write_timeout=1m", NULL}});
    int slow = open_stream("GET /lasting/open HTTP/1.0\r\n\r\n");
    expect(slow, "hello\n");
    int sent = 0;
    while (count("busy") == 0) {
        get("/lasting/send/52000");
        cr_assert_lt(++sent, 1000);
    }
    get("/lasting/end"); /* right behind what was taken */
    cr_assert_eq(count("open"), 0);
    char *got = malloc((size_t)(sent + 1) * PIECE);
    size_t len = 0;
    cr_assert(got);
    for (ssize_t n; (n = recv(slow, got + len, PIECE, 0)) > 0;)
        len += (size_t)n;
    cr_assert_eq(len, (size_t)(sent - 1) * PIECE + 4);
    cr_assert_eq(memcmp(got + len - 4, "bye\n", 4), 0);
    for (size_t i = 0; i < len - 4; i++)
        if (got[i] != (char)('a' + i % PIECE % 26))
            cr_assert_fail("at %zu", i);
    free(got);
    close(slow);
    stop();
}

static long resident(void)
{
    char path[64], line[256];
    pid_t worker;
    long kibibytes = 0;
    cr_assert_eq(server_workers(&server, &worker, 1), 1);
    snprintf(path, sizeof(path), "/proc/%d/status", (int)worker);
    FILE *file = fopen(path, "r");
    cr_assert(file);
    while (fgets(line, sizeof(line), file))
        sscanf(line, "VmRSS: %ld", &kibibytes);
    fclose(file);
    return kibibytes;
}

/* What a client sends while its stream is open waits, in the kernel's memory when it is much; all of it is answered then. */
Test(streams, clients_go_on_sending)
{
    enum { PIECE = 500, PIECES = 2100 };
    static const char begin[] = "GET /lasting/nothing HTTP/1.1\r\nHost: x\r\nX-Fill: ";
    static const char ask[] = "GET /lasting/stats HTTP/1.1\r\nHost: x\r\n\r\n";
    static const char *const paths[] = {OPEN("/lasting/open?mode="), OPEN("/lasting/open-any"),
                                        OPEN("/lasting/open?mode=late")};
    char piece[PIECE + 1];
    memset(piece, 'x', PIECE);
    memcpy(piece, begin, strlen(begin));
    memcpy(piece + PIECE - 4, "\r\n\r\n", 5);
    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
        struct http_reply reply;
        int fd = open_stream(paths[i]), other = http_connect(server.port);
        expect(fd, FIRST_PIECE);
        cr_assert_eq(setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int)), 0);
        long before = 0;
        size_t sent = 0;
        while (sent < (size_t)PIECE * PIECES) {
            ssize_t n = send(fd, piece + sent % PIECE, PIECE - sent % PIECE, MSG_DONTWAIT | MSG_NOSIGNAL);
            if (n < 0)
                break; /* held up */
            sent += (size_t)n;
            /* Each comes alone: the server has looked at it when it answers somebody else. */
            cr_assert(http_send_text(other, ask) && http_read(other, false, &reply));
            http_reply_free(&reply);
            if (sent == (size_t)100 * PIECE)
                before = resident();
        }
        cr_assert_geq(sent, (size_t)200 * PIECE);
        cr_assert_gt(before, 0);
#ifndef BP_SANITIZE
        cr_expect_lt(resident(), before + 256, "%zu: it was %ld KiB, and is %ld", i, before, resident());
#endif
        get("/lasting/end");
        expect(fd, LAST_CHUNK);
        if (sent % PIECE > 0)
            cr_assert(http_send_text(fd, piece + sent % PIECE));
        for (size_t n = 0; n < (sent + PIECE - 1) / PIECE; n++) {
            cr_assert(http_read(fd, false, &reply), "%zu: %zu", i, n);
            cr_assert_eq(reply.status, 404);
            http_reply_free(&reply);
        }
        close(fd);
        close(other);
    }
    stop();
}

/* The worker's end is a proper end: what is said last arrives. */
Test(streams, drain)
{
    int fds[3] = {open_stream(OPEN("/lasting/open?mode=")), open_stream(OPEN("/lasting/open-any")),
                  open_stream("GET /lasting/open HTTP/1.0\r\n\r\n")};
    for (size_t i = 0; i < 3; i++)
        expect(fds[i], "hello\n");
    wait_for("open", 3);
    kill(server.pid, SIGTERM);
    for (size_t i = 0; i < 3; i++) {
        expect(fds[i], i < 2 ? BYE LAST_CHUNK : "bye\n");
        cr_expect(http_read_end(fds[i]));
        close(fds[i]);
    }
    cr_assert_eq(server_stop(&server), 0);
}

/* More than anything is pooled for. */
Test(streams, many)
{
    enum { COUNT = 600 };
    static int fds[COUNT];
    for (size_t i = 0; i < COUNT; i++)
        fds[i] = open_stream(OPEN("/lasting/open?mode="));
    for (size_t i = 0; i < COUNT; i++)
        expect(fds[i], FIRST_PIECE);
    for (int round = 0; round < 3; round++) {
        get("/lasting/send/4");
        for (size_t i = 0; i < COUNT; i++)
            expect(fds[i], "4\r\nabcd\r\n");
    }
    cr_assert_eq(count("open"), COUNT);
    for (size_t i = 0; i < COUNT; i += 2)
        close(fds[i]);
    wait_for("open", COUNT / 2);
    get("/lasting/end");
    for (size_t i = 1; i < COUNT; i += 2) {
        expect(fds[i], LAST_CHUNK);
        close(fds[i]);
    }
    cr_assert_eq(count("readable"), COUNT);
    stop();
}
