/* SPDX-License-Identifier: MIT */
/* The admin socket and the commands that ask it, beside a server that runs. */
#include <criterion/criterion.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "build_info.h"
#include "tests/support/http.h"
#include "tests/support/server.h"

#define CONFIG                                                                                         \
    "server: { listen = ( { address = \"127.0.0.1:${PORT}\"; } ); data = \"${BACKPLANE_DATA}\";\n"     \
    "  plugin_path = \"" BACKPLANE_BUILD_ROOT "/tests/http\"; workers = 2; };\n"                       \
    "plugins: ( { use = \"probe\"; }, { use = \"health\"; }, { use = \"request_id\"; },\n"             \
    "  { use = \"metrics\"; } );\n"                                                                    \
    "pipelines: { base = ( \"request_id\", \"metrics\", { use = \"probe\"; mode = \"pass\"; } ); };\n" \
    "routes: ( { match = \"/*\"; pipeline = \"base\"; } );\n"

TestSuite(admin, .timeout = 90);

static struct sockaddr_un address_of(const struct test_server *server)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    (void)snprintf(address.sun_path, sizeof(address.sun_path), "%s/admin.sock", server->folder);
    return address;
}

static int connect_admin(const struct test_server *server)
{
    struct sockaddr_un address = address_of(server);
    const struct timeval timeout = {.tv_sec = 20};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    cr_assert_geq(fd, 0);
    cr_assert_eq(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout)), 0);
    cr_assert_eq(connect(fd, (const struct sockaddr *)&address, sizeof(address)), 0, "%s", address.sun_path);
    return fd;
}

/* To the end, NUL behind it. */
static char *read_end(int fd)
{
    size_t len = 0, cap = 1 << 20;
    char *text = malloc(cap);
    ssize_t n;
    while ((n = recv(fd, text + len, cap - len - 1, 0)) > 0)
        len += (size_t)n;
    cr_assert_eq(n, 0, "the server did not close");
    text[len] = 0;
    close(fd);
    return text;
}

static char *ask(const struct test_server *server, const void *bytes, size_t len)
{
    int fd = connect_admin(server);
    cr_assert_eq(send(fd, bytes, len, MSG_NOSIGNAL), (ssize_t)len);
    return read_end(fd);
}

static json_t *ask_json(const struct test_server *server, const char *line)
{
    char *text = ask(server, line, strlen(line));
    json_t *root = json_loads(text, 0, NULL);
    cr_assert_not_null(root, "not JSON: %s", text);
    free(text);
    return root;
}

/* The command beside the server; its output, standard error with it. */
static char *command(const struct test_server *server, const char *words, int expected)
{
    char line[1024];
    size_t len = 0, cap = 1 << 20;
    char *text = malloc(cap);
    (void)snprintf(line, sizeof(line), "%s/backplane --set 'server.data=%s' -c %s/config/backplane.cfg %s 2>&1",
                   BACKPLANE_BUILD_ROOT, server->folder, BACKPLANE_SOURCE_ROOT, words);
    FILE *pipe = popen(line, "r");
    cr_assert_not_null(pipe);
    len = fread(text, 1, cap - 1, pipe);
    text[len] = 0;
    int status = pclose(pipe);
    cr_assert_eq(WEXITSTATUS(status), expected, "%s: %d\n%s", words, status, text);
    return text;
}

static void get(const struct test_server *server, const char *target, const char *headers, unsigned status)
{
    struct http_reply reply;
    http_call(server->port, "GET", target, headers, NULL, &reply);
    cr_assert_eq(reply.status, status, "%s: %u", target, reply.status);
    http_reply_free(&reply);
}

static const json_t *error_of(const json_t *root, const char *code)
{
    const json_t *error;
    size_t i;
    json_array_foreach(json_object_get(root, "errors"), i,
                       error) if (strcmp(http_json_text(error, "code"), code) == 0) return error;
    return NULL;
}

Test(admin, status_and_metrics)
{
    struct test_server server;
    server_start(&server, &(struct server_options){.config = CONFIG});
    json_t *status = ask_json(&server, "status\n");
    cr_assert_str_eq(http_json_text(status, "version"), BACKPLANE_VERSION);
    cr_assert_str_eq(http_json_text(status, "state"), "running");
    cr_assert_eq(http_json_integer(status, "pid"), server.pid);
    cr_assert_eq(json_array_size(http_json_at(status, "workers")), 2);
    cr_assert_str_eq(http_json_text(status, "workers.1.state"), "ready");
    cr_assert_eq(http_json_integer(status, "workers.1.restarts"), 0);
    char url[64];
    (void)snprintf(url, sizeof(url), "http://127.0.0.1:%d", server.port);
    cr_assert_str_eq(http_json_text(status, "listeners.0.url"), url);

    /* A worker that dies is seen, and counted among the errors. */
    cr_assert_eq(kill((pid_t)http_json_integer(status, "workers.0.pid"), SIGKILL), 0);
    json_decref(status);
    cr_assert(server_wait_output(&server, "worker.died"));
    for (int i = 0;; i++) {
        status = ask_json(&server, "status\r\n");
        if (http_json_integer(status, "workers.0.restarts") == 1)
            break;
        cr_assert_lt(i, 2000);
        json_decref(status);
        (void)poll(NULL, 0, 5);
    }
    json_decref(status);
    json_t *errors = ask_json(&server, "errors\n");
    const json_t *died = error_of(errors, "worker.died");
    cr_assert_not_null(died);
    cr_assert_eq(http_json_integer(died, "count"), 1);
    cr_assert_str_eq(http_json_text(died, "message"), "was killed by SIGKILL");
    json_decref(errors);

    get(&server, "/probe/ok", NULL, 200);
    bool counted = false;
    for (int i = 0; i < 2000 && !counted; i++) { /* after the reply was sent */
        json_t *metrics = ask_json(&server, "metrics\n");
        counted = strstr(http_json_text(metrics, "metrics"), "\nhttp_server_request_duration_seconds_bucket{");
        json_decref(metrics);
    }
    cr_assert(counted);

    char *text = command(&server, "status", 0);
    cr_assert_not_null(strstr(text, "Backplane " BACKPLANE_VERSION " is running (pid "), "%s", text);
    cr_assert_not_null(strstr(text, url), "%s", text);
    free(text);
    cr_assert_eq(server_stop(&server), 0);
}

Test(admin, errors_are_grouped)
{
    struct test_server server;
    server_start(&server, &(struct server_options){.config = CONFIG});
    char *text = command(&server, "errors", 0);
    cr_assert_str_eq(text, "no errors\n");
    free(text);
    for (int i = 0; i < 3; i++)
        get(&server, "/probe/status/error", i == 2 ? "X-Request-ID: the-last-one\r\n" : NULL, 500);
    get(&server, "/probe/ok", NULL, 200);
    get(&server, "/nowhere", NULL, 404);
    json_t *errors = ask_json(&server, "errors\n");
    const json_t *internal = error_of(errors, "http.internal");
    cr_assert_not_null(internal);
    cr_assert_eq(json_array_size(http_json_at(errors, "errors")), 1);
    cr_assert_eq(http_json_integer(internal, "count"), 3);
    cr_assert_str_eq(http_json_text(internal, "plugin"), "probe");
    cr_assert_str_eq(http_json_text(internal, "route"), "/probe/status/{kind}");
    cr_assert_str_eq(http_json_text(internal, "message"), "BP_ERROR");
    cr_assert_str_eq(http_json_text(internal, "request_id"), "the-last-one");
    cr_assert_leq(strcmp(http_json_text(internal, "first"), http_json_text(internal, "last")), 0);
    cr_assert_eq(http_json_integer(errors, "overflow"), 0);
    json_decref(errors);
#ifndef BP_SANITIZE
    struct http_reply reply;
    cr_assert_not(http_try(server.port, "GET", "/probe/crash", "X-Request-ID: crash-1\r\n", NULL, &reply));
    cr_assert(server_wait_output(&server, "worker.died"));
    errors = ask_json(&server, "errors\n");
    const json_t *crashed = http_json_at(errors, "errors.0"); /* the latest */
    cr_assert_str_eq(http_json_text(crashed, "code"), "worker.crashed");
    cr_assert_str_eq(http_json_text(crashed, "plugin"), "probe");
    cr_assert_str_eq(http_json_text(crashed, "route"), "/probe/crash");
    cr_assert_str_eq(http_json_text(crashed, "request_id"), "crash-1");
    cr_assert_eq(strncmp(http_json_text(crashed, "message"), "was killed by SIGSEGV", 21), 0);
    cr_assert_eq(http_json_integer(error_of(errors, "http.internal"), "count"), 3);
    json_decref(errors);
#endif
    text = command(&server, "errors", 0);
    cr_assert_not_null(strstr(text, "3      20"), "%s", text);
    cr_assert_not_null(strstr(text, "/probe/status/{kind}"), "%s", text);
    free(text);
    text = command(&server, "errors --json", 0);
    json_t *root = json_loads(text, 0, NULL);
    cr_assert_eq(http_json_integer(error_of(root, "http.internal"), "count"), 3);
    json_decref(root);
    free(text);
    cr_assert_eq(server_stop(&server), 0);
}

Test(admin, hostile_clients)
{
    static const struct {
        const char *bytes;
        size_t len;
        const char *answer;
    } rows[] = {
        {"\n", 1, "{\"error\":\"unknown command\"}\n"},
        {"stop\n", 5, "{\"error\":\"unknown command\"}\n"},
        {"status now\n", 11, "{\"error\":\"unknown command\"}\n"},
        {"GET / HTTP/1.1\r\n", 16, "{\"error\":\"unknown command\"}\n"},
        {"sta\0tus\n", 8, "{\"error\":\"not a line of printable ASCII\"}\n"},
        {"\xff\xfe\x1b[2J\n", 7, "{\"error\":\"not a line of printable ASCII\"}\n"},
    };
    struct test_server server;
    char longest[256];
    server_start(&server, &(struct server_options){.config = CONFIG});
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char *text = ask(&server, rows[i].bytes, rows[i].len);
        cr_expect_str_eq(text, rows[i].answer, "row %zu: %s", i, text);
        free(text);
    }
    memset(longest, 'a', sizeof(longest));
    char *text = ask(&server, longest, sizeof(longest));
    cr_assert_str_eq(text, "{\"error\":\"the line is too long\"}\n");
    free(text);
    /* Who says nothing takes a place for a while, and nobody else's time. */
    int silent[7];
    for (size_t i = 0; i < 7; i++)
        silent[i] = connect_admin(&server);
    json_decref(ask_json(&server, "status\n"));
    get(&server, "/probe/ok", NULL, 200);
    text = read_end(silent[0]); /* shown out */
    cr_assert_str_eq(text, "");
    free(text);
    for (size_t i = 1; i < 7; i++)
        close(silent[i]);
    cr_assert_eq(server_stop(&server), 0);
}

Test(admin, whose_socket_it_is)
{
    struct test_server first, second;
    struct stat status;
    server_start(&first, &(struct server_options){.config = CONFIG});
    server_start(&second, &(struct server_options){.config = CONFIG});
    struct sockaddr_un address = address_of(&first);
    cr_assert_eq(lstat(address.sun_path, &status), 0);
    cr_assert(S_ISSOCK(status.st_mode));
    cr_assert_eq(status.st_mode & 07777, 0600);
    if (geteuid() == 0) { /* somebody else */
        pid_t pid = fork();
        if (pid == 0) {
            int fd = socket(AF_UNIX, SOCK_STREAM, 0);
            _exit(setuid(65534) == 0 && connect(fd, (const struct sockaddr *)&address, sizeof(address)) != 0 ? 0 : 1);
        }
        int end;
        cr_assert_eq(waitpid(pid, &end, 0), pid);
        cr_assert_eq(end, 0, "user 65534 may connect");
    }
    /* Each answers for itself. */
    json_t *root = ask_json(&first, "status\n");
    cr_assert_eq(http_json_integer(root, "pid"), first.pid);
    json_decref(root);
    root = ask_json(&second, "status\n");
    cr_assert_eq(http_json_integer(root, "pid"), second.pid);
    json_decref(root);
    /* A second server on the folder is refused, and the first one's socket stays. */
    char *output;
    cr_assert_eq(server_refuses(&(struct server_options){.config = CONFIG, .folder = first.folder}, &output), 1);
    free(output);
    json_decref(ask_json(&first, "status\n"));
    cr_assert_eq(server_stop(&second), 0);
    /* What a killed one left is told from one that answers, and replaced. */
    char folder[64], *text;
    (void)snprintf(folder, sizeof(folder), "%s", first.folder);
    server_kill(&first);
    cr_assert_eq(lstat(address.sun_path, &status), 0);
    text = command(&first, "status", 1);
    cr_assert_not_null(strstr(text, "backplane: no server answers at "), "%s", text);
    free(text);
    server_start(&first, &(struct server_options){.config = CONFIG, .folder = folder});
    root = ask_json(&first, "status\n");
    cr_assert_eq(http_json_integer(root, "pid"), first.pid);
    json_decref(root);
    cr_assert_eq(server_stop_keep(&first), 0);
    cr_assert_neq(lstat(address.sun_path, &status), 0, "the socket's file was left");
    server_remove_folder(&first);
}

/* ---- top ---- */

struct terminal {
    int fd;
    pid_t pid;
    char text[1 << 18];
    size_t len;
};

/* backplane top in a terminal of its own. */
static void open_terminal(struct terminal *terminal, const struct test_server *server, unsigned short columns,
                          unsigned short rows)
{
    const struct winsize size = {.ws_col = columns, .ws_row = rows};
    char data[128];
    (void)snprintf(data, sizeof(data), "server.data=%s", server->folder);
    terminal->len = 0;
    terminal->pid = forkpty(&terminal->fd, NULL, NULL, &size);
    cr_assert_geq(terminal->pid, 0);
    if (terminal->pid == 0) {
        execl(BACKPLANE_BUILD_ROOT "/backplane", "backplane", "--set", data, "-c",
              BACKPLANE_SOURCE_ROOT "/config/backplane.cfg", "top", (char *)NULL);
        _exit(127);
    }
}

/* What comes within a moment. False at its end. */
static bool look(struct terminal *terminal)
{
    struct pollfd readable = {.fd = terminal->fd, .events = POLLIN};
    if (poll(&readable, 1, 20) <= 0)
        return true;
    if (terminal->len > sizeof(terminal->text) / 2) { /* only the latest frames matter */
        memmove(terminal->text, terminal->text + terminal->len / 2, terminal->len - terminal->len / 2);
        terminal->len -= terminal->len / 2;
    }
    ssize_t n = read(terminal->fd, terminal->text + terminal->len, sizeof(terminal->text) - 1 - terminal->len);
    if (n <= 0)
        return false;
    terminal->len += (size_t)n;
    terminal->text[terminal->len] = 0;
    return true;
}

/* The last whole frame; "" before there is one. Free it. */
static char *last_frame(const struct terminal *terminal)
{
    const char *at = terminal->text, *found = NULL, *end = NULL, *next;
    if (terminal->len == 0)
        return strdup("");
    while ((next = strstr(at, "\033[H")) && strstr(next, "\033[J")) {
        found = next + 3;
        end = strstr(next, "\033[J");
        at = end;
    }
    return found ? strndup(found, (size_t)(end - found)) : strdup("");
}

/* Number behind a word of the frame. */
static double number_behind(const char *frame, const char *words)
{
    const char *at = strstr(frame, words);
    return at ? strtod(at + strlen(words), NULL) : -1;
}

Test(admin, top_in_a_terminal)
{
    static struct terminal terminal;
    struct test_server server;
    server_start(&server, &(struct server_options){.config = CONFIG});
    open_terminal(&terminal, &server, 120, 30);
    char *frame = NULL;
    bool seen = false;
    for (int i = 0; i < 1500 && !seen; i++) {
        get(&server, "/probe/ok", NULL, 200);
        get(&server, "/probe/status/error", NULL, 500);
        cr_assert(look(&terminal));
        free(frame);
        frame = last_frame(&terminal);
        seen = number_behind(frame, "requests ") > 0 && number_behind(frame, "errors ") > 0 &&
               strstr(frame, "GET /probe/status/{kind}") && strstr(frame, "probe ");
    }
    cr_assert(seen, "%s", frame);
    cr_assert_eq(
        strncmp(frame, "Backplane " BACKPLANE_VERSION "  pid ", strlen("Backplane " BACKPLANE_VERSION "  pid ")), 0);
    cr_assert_not_null(strstr(frame, "workers  http 1 ready  http 2 ready  restarts 0\033[K"), "%s", frame);
    cr_assert_not_null(strstr(frame, "PLUGIN "), "%s", frame);
    cr_assert_not_null(strstr(frame, "GET /probe/ok "), "%s", frame);
    const char *p50 = strstr(frame, "p50 ");
    cr_assert(p50 && strtod(p50 + 4, NULL) > 0, "%s", frame);
    free(frame);

    /* A smaller window: no line is longer, and there are no more of them. */
    const struct winsize small = {.ws_col = 40, .ws_row = 4};
    cr_assert_eq(ioctl(terminal.fd, TIOCSWINSZ, &small), 0);
    for (int i = 0;; i++) {
        size_t lines = 1, longest = 0;
        cr_assert_lt(i, 1500);
        cr_assert(look(&terminal));
        frame = last_frame(&terminal);
        for (char *line = frame, *line_end; (line_end = strstr(line, "\033[K")); line = line_end + 3) {
            line += strspn(line, "\r\n");
            longest = (size_t)(line_end - line) > longest ? (size_t)(line_end - line) : longest;
        }
        for (const char *at = frame; (at = strstr(at, "\r\n")); at++)
            lines++;
        free(frame);
        if (lines <= 4 && longest <= 40 && longest > 0)
            break;
    }

    /* q: the old screen is back. */
    int status;
    cr_assert_eq(write(terminal.fd, "q", 1), 1);
    while (look(&terminal) && waitpid(terminal.pid, &status, WNOHANG) == 0)
        ;
    while (look(&terminal) && !strstr(terminal.text, "\033[?1049l"))
        ;
    cr_assert_not_null(strstr(terminal.text, "\033[?25h\033[?1049l"));
    close(terminal.fd);
    cr_assert_eq(server_stop(&server), 0);
}

Test(admin, top_once)
{
    struct test_server server;
    server_start(&server, &(struct server_options){.config = CONFIG});
    get(&server, "/probe/ok", NULL, 200);
    char *text = command(&server, "top --once", 0);
    cr_assert_null(strchr(text, '\033'), "%s", text);
    cr_assert_not_null(strstr(text, "\nrequests 0.0/s  errors 0.0/s (0.00 %)  in flight 0  p50 -  p95 -  p99 -\n"),
                       "%s", text);
    cr_assert_not_null(strstr(text, "\nGET /probe/ok  "), "%s", text);
    free(text);
    text = command(&server, "top", 1); /* not in a terminal */
    cr_assert_str_eq(text, "backplane: top needs a terminal; top --once prints one frame\n");
    free(text);
    cr_assert_eq(server_stop_keep(&server), 0);
    text = command(&server, "top --once", 1);
    cr_assert_not_null(strstr(text, "backplane: no server answers at "), "%s", text);
    free(text);
    server_remove_folder(&server);
}
