/* SPDX-License-Identifier: MIT */
/*
 * Random bytes, and valid requests with something broken in them, alone and pipelined: each gets replies or a clean end within bounds, no worker dies, and memory
 * stays flat. 20,000 inputs by default, 200,000 with BACKPLANE_TEST_ALL=1; BACKPLANE_TEST_SEED repeats a run.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "tests/support/http.h"
#include "tests/support/server.h"

enum { INPUT_MAX = 64 * 1024, PARALLEL = 32, INPUT_SECONDS = 15, WARM = 4000, GROWTH_KIB = 8 * 1024 };

TestSuite(hostile, .timeout = 500);

/* All plugins, and a Unix socket: thousands of connections a second use up no ports. */
#define CONFIG                                                                                                         \
    "server: { listen = ( { address = \"127.0.0.1:${PORT}\"; }, { address = \"unix:${BACKPLANE_DATA}/socket\"; } );\n" \
    "  data = \"${BACKPLANE_DATA}\"; workers = 2; log_level = \"warn\"; };\n"                                          \
    "plugins: ( { use = \"request_id\"; }, { use = \"access_log\"; output = \"/dev/null\"; }, { use = \"metrics\"; "   \
    "},\n"                                                                                                             \
    "  { use = \"security_headers\"; }, { use = \"cors\"; }, { use = \"rate_limit\"; quota = 1000000000; },\n"         \
    "  { use = \"sqlite\"; name = \"main\"; }, { use = \"auth\"; }, { use = \"todos\"; }, { use = \"health\"; } );\n"  \
    "pipelines: { base = ( \"request_id\", \"access_log\", \"metrics\", \"security_headers\", \"cors\",\n"             \
    "    { use = \"rate_limit\"; key = \"ip\"; } ); api = ( \"@base\", \"auth\" ); };\n"                               \
    "routes: ( { match = \"/api/v1/auth/*\"; pipeline = \"base\"; }, { match = \"/api/v1/*\"; pipeline = \"api\"; "    \
    "},\n"                                                                                                             \
    "  { match = \"/*\"; pipeline = \"base\"; } );\n"

static struct test_server server;
static char *authorization;
static uint64_t state;
static unsigned answered;

static uint64_t random_bits(void)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state;
}

static size_t random_below(size_t limit)
{
    return (size_t)(random_bits() % limit);
}

struct text {
    char bytes[INPUT_MAX];
    size_t len;
};

static void add(struct text *text, const void *bytes, size_t len)
{
    if (len > sizeof(text->bytes) - text->len)
        len = sizeof(text->bytes) - text->len;
    memcpy(text->bytes + text->len, bytes, len);
    text->len += len;
}

static void add_request(struct text *text)
{
    static const char *const requests[] = {
        "GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n",
        "GET /api/v1/todos?page=2&limit=7 HTTP/1.1\r\nHost: x\r\n%s\r\n",
        "GET /api/v1/todos/1b4e28ba-2fa1-41d2-883f-0016d3cca427 HTTP/1.1\r\nHost: x\r\n%s\r\n",
        "POST /api/v1/todos HTTP/1.1\r\nHost: x\r\n%sContent-Type: application/json\r\nContent-Length: 34\r\n\r\n"
        "{\"title\":\"\\u00e9 b\",\"completed\":true}",
        "POST /api/v1/todos HTTP/1.1\r\nHost: x\r\n%sContent-Type: application/json\r\nTransfer-Encoding: "
        "chunked\r\n\r\n"
        "5;a=\"b\"\r\n{\"tit\r\nd\r\nle\":\"chunked\"}\r\n0\r\nTrailer: x\r\n\r\n",
        "PATCH /api/v1/todos/1b4e28ba-2fa1-41d2-883f-0016d3cca427 HTTP/1.1\r\nHost: x\r\n%s"
        "Content-Type: application/json; charset=utf-8\r\nContent-Length: 20\r\n\r\n{\"completed\": false}\n",
        "DELETE /api/v1/todos/nothing HTTP/1.1\r\nHost: x\r\n%s\r\n",
        "HEAD /metrics HTTP/1.0\r\n\r\n",
        "OPTIONS /api/v1/todos HTTP/1.1\r\nHost: x\r\nOrigin: http://a.example\r\n"
        "Access-Control-Request-Method: PUT\r\n\r\n",
        "POST /api/v1/todos HTTP/1.1\r\nHost: x\r\n%sContent-Type: application/json\r\nExpect: 100-continue\r\n"
        "Content-Length: 13\r\n\r\n{\"title\":\"c\"}",
        "POST /api/v1/auth/sign-up HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 28\r\n\r\n"
        "{\"email\":\"a@b\",\"password\":1}",
        "GET http://x:80/nowhere/%%41?x=1 HTTP/1.1\r\nHost: x:80\r\nConnection: keep-alive, x\r\n\r\n",
    };
    char one[4096];
    int len = snprintf(one, sizeof(one), requests[random_below(sizeof(requests) / sizeof(requests[0]))], authorization);
    add(text, one, (size_t)len);
}

/* Something that parsers get wrong, at a random place. */
static void insert_token(struct text *text)
{
    static const char *const tokens[] = {"\r\n",
                                         "\n",
                                         "\r",
                                         "\r\n\r\n",
                                         " ",
                                         "\t",
                                         ":",
                                         "%00",
                                         "%2e%2e/",
                                         "/../",
                                         "#x",
                                         "Content-Length: 0\r\n",
                                         "Content-Length: 18446744073709551616\r\n",
                                         "Content-Length: -1\r\n",
                                         "Transfer-Encoding: chunked\r\n",
                                         "Transfer-Encoding: gzip, chunked\r\n",
                                         "Host: y\r\n",
                                         "Connection: close\r\n",
                                         "Expect: 200-x\r\n",
                                         " folded\r\n",
                                         "ffffffffffffffff\r\n",
                                         "0\r\n\r\n",
                                         "\xc0\xaf",
                                         "\xff",
                                         "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[",
                                         "\"\\ud800\"",
                                         "1e999",
                                         "Authorization: Bearer a.b.c\r\n",
                                         "HTTP/9.9",
                                         "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"};
    const char *token = tokens[random_below(sizeof(tokens) / sizeof(tokens[0]))];
    size_t at = random_below(text->len + 1), len = strlen(token);
    if (text->len + len > sizeof(text->bytes))
        return;
    memmove(text->bytes + at + len, text->bytes + at, text->len - at);
    memcpy(text->bytes + at, token, len);
    text->len += len;
}

static void mutate(struct text *text)
{
    size_t at = text->len > 0 ? random_below(text->len) : 0, span = 1 + random_below(16);
    switch (text->len > 0 ? random_below(7) : 5) {
    case 0:
        text->bytes[at] = (char)random_bits();
        break;
    case 1:
        text->bytes[at] = (char)(text->bytes[at] ^ (1 << random_below(8)));
        break;
    case 2: /* taken out */
        span = span < text->len - at ? span : text->len - at;
        memmove(text->bytes + at, text->bytes + at + span, text->len - at - span);
        text->len -= span;
        break;
    case 3: /* said twice */
        span = span * 8 < text->len - at ? span * 8 : text->len - at;
        add(text, text->bytes + at, span);
        break;
    case 4:
        text->len = at;
        break;
    case 5:
        insert_token(text);
        break;
    default: { /* far too long */
        char letter = (char)('a' + random_below(26));
        for (size_t n = random_below(300); n > 0; n--)
            add(text, &letter, 1);
        break;
    }
    }
}

static void make_input(struct text *text)
{
    text->len = 0;
    if (random_below(10) == 0) {
        for (size_t n = 1 + random_below(2000); n > 0; n--) {
            char byte = (char)random_bits();
            add(text, &byte, 1);
        }
        return;
    }
    for (size_t n = 1 + random_below(4); n > 0; n--)
        add_request(text);
    for (size_t n = random_below(5); n > 0; n--)
        mutate(text);
}

static long long now_seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec;
}

struct peer {
    int fd;
    struct text input;
    size_t sent;
    bool finished; /* nothing more to say, and said so */
    char first[16];
    size_t got;
    long long since;
    unsigned number;
};

static void dial(struct peer *peer, unsigned number)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof(address.sun_path), "%s/socket", server.folder);
    make_input(&peer->input);
    peer->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    cr_assert(peer->fd >= 0 && connect(peer->fd, (struct sockaddr *)&address, sizeof(address)) == 0,
              "input %u: no connection: %s", number, strerror(errno));
    peer->sent = peer->got = 0;
    peer->finished = false;
    peer->since = now_seconds();
    peer->number = number;
}

/* In pieces now and then, so that the parser stops anywhere. */
static void say(struct peer *peer)
{
    size_t len = peer->input.len - peer->sent;
    if (len > 1 && random_below(4) == 0)
        len = 1 + random_below(len);
    ssize_t n = len > 0 ? send(peer->fd, peer->input.bytes + peer->sent, len, MSG_NOSIGNAL | MSG_DONTWAIT) : 0;
    if (n > 0)
        peer->sent += (size_t)n;
    bool refused = n < 0 && errno != EAGAIN && errno != EINTR; /* closed early: what it said is still to be read */
    if (refused || peer->sent == peer->input.len) {
        peer->finished = true;
        (void)shutdown(peer->fd, SHUT_WR);
    }
}

/* True at the end. What comes must be HTTP from the first byte. */
static bool hear(struct peer *peer)
{
    char piece[16384];
    ssize_t n = recv(peer->fd, piece, sizeof(piece), MSG_DONTWAIT);
    if (n < 0)
        return errno != EAGAIN && errno != EINTR;
    if (n == 0)
        return true;
    for (ssize_t i = 0; i < n && peer->got < sizeof(peer->first); i++)
        peer->first[peer->got++] = piece[i];
    cr_assert(memcmp(peer->first, "HTTP/1.1 ", peer->got < 9 ? peer->got : 9) == 0, "input %u: %.*s", peer->number,
              (int)peer->got, peer->first);
    return false;
}

/* KiB in memory, over all workers. */
static long memory_used(void)
{
    pid_t workers[8];
    size_t count = server_workers(&server, workers, 8);
    long total = 0, size, resident;
    for (size_t i = 0; i < count; i++) {
        char path[64];
        snprintf(path, sizeof(path), "/proc/%d/statm", (int)workers[i]);
        FILE *file = fopen(path, "r");
        cr_assert(file && fscanf(file, "%ld %ld", &size, &resident) == 2);
        fclose(file);
        total += resident * (sysconf(_SC_PAGESIZE) / 1024);
    }
    return total;
}

static void check_well(void)
{
    struct http_reply reply;
    http_call(server.port, "GET", "/api/v1/todos?limit=1", authorization, NULL, &reply);
    cr_assert_eq(reply.status, 200, "%s", reply.body);
    http_reply_free(&reply);
    http_call(server.port, "POST", "/api/v1/todos", authorization, "{\"title\":\"afterwards\"}", &reply);
    cr_assert_eq(reply.status, 201, "%s", reply.body);
    http_reply_free(&reply);
}

static void send_inputs(unsigned from, unsigned to)
{
    static struct peer peers[PARALLEL];
    unsigned next = from, open = 0;
    for (size_t i = 0; i < PARALLEL; i++)
        peers[i].fd = -1;
    for (;;) {
        struct pollfd watched[PARALLEL];
        for (size_t i = 0; i < PARALLEL; i++) {
            if (peers[i].fd < 0 && next < to) {
                dial(&peers[i], next++);
                open++;
            }
            watched[i] =
                (struct pollfd){.fd = peers[i].fd, .events = (short)(POLLIN | (peers[i].finished ? 0 : POLLOUT))};
        }
        if (open == 0)
            return;
        (void)poll(watched, PARALLEL, 1000);
        for (size_t i = 0; i < PARALLEL; i++) {
            if (peers[i].fd < 0)
                continue;
            if (!peers[i].finished)
                say(&peers[i]);
            if (watched[i].revents & ~POLLOUT && hear(&peers[i])) {
                answered += peers[i].got > 0;
                close(peers[i].fd);
                peers[i].fd = -1;
                open--;
                continue;
            }
            cr_assert(now_seconds() - peers[i].since <= INPUT_SECONDS, "input %u hangs:\n%.*s", peers[i].number,
                      (int)peers[i].input.len, peers[i].input.bytes);
        }
    }
}

Test(hostile, no_bytes_hurt)
{
    const char *seed = getenv("BACKPLANE_TEST_SEED");
    unsigned inputs = getenv("BACKPLANE_TEST_ALL") ? 200000 : 20000;
    state = seed ? strtoull(seed, NULL, 0) : 0x9e3779b97f4a7c15;
    cr_assert_neq(state, 0);
    server_start(&server, &(struct server_options){.config = CONFIG});
    authorization = http_login(server.port, "hostile@example.org");
    send_inputs(0, WARM);
    check_well();
    long before = memory_used();
    send_inputs(WARM, inputs);
    check_well();
    long grown = memory_used() - before;
    cr_assert_gt(answered, inputs / 2, "only %u of %u inputs got a reply", answered, inputs);
    char *output = server_output(&server);
    cr_assert_null(strstr(output, "worker.died"), "%s", output);
    cr_assert_null(strstr(output, "worker.crashed"), "%s", output);
    cr_assert_null(strstr(output, "worker.stalled"), "%s", output);
    free(output);
#ifndef BP_SANITIZE
    cr_assert_lt(grown, GROWTH_KIB, "memory grew by %ld KiB", grown);
#else
    (void)grown; /* a sanitizer keeps what is freed */
#endif
    cr_assert_eq(server_stop(&server), 0);
    free(authorization);
}
