/* SPDX-License-Identifier: MIT */
#include "operated.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "build_info.h"
#include "tests/support/http.h"
#include "tests/support/service.h"

struct test_server server;

void begin(const char *config)
{
    server_start(&server, &(struct server_options){.config = config});
}

void write_config(const char *text)
{
    char path[128], next[128];
    (void)snprintf(path, sizeof(path), "%s/test.cfg", server.folder);
    (void)snprintf(next, sizeof(next), "%s/next.cfg", server.folder);
    FILE *file = fopen(next, "w");
    cr_assert(file && fputs(text, file) >= 0 && fclose(file) == 0);
    cr_assert_eq(rename(next, path), 0);
}

/* What the admin socket answers. */
json_t *ask(const char *line)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    char text[65536];
    size_t len = 0;
    ssize_t n;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    (void)snprintf(address.sun_path, sizeof(address.sun_path), "%s/admin.sock", server.folder);
    cr_assert_eq(connect(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
    cr_assert_eq(send(fd, line, strlen(line), MSG_NOSIGNAL), (ssize_t)strlen(line));
    while ((n = recv(fd, text + len, sizeof(text) - len, 0)) > 0)
        len += (size_t)n;
    (void)close(fd);
    json_t *root = json_loadb(text, len, 0, NULL);
    cr_assert_not_null(root, "%.*s", (int)len, text);
    return root;
}

void expect_reloaded(const char *config)
{
    write_config(config);
    json_t *answer = ask("reload\n");
    char *text = json_dumps(answer, 0);
    cr_assert(json_is_true(json_object_get(answer, "reloaded")), "%s", text);
    free(text);
    json_decref(answer);
}

/* "says count", and who said it. */
long long hear(int fd, const char *says, long long count)
{
    struct http_reply reply;
    cr_assert(http_send_text(fd, "GET /moody HTTP/1.1\r\nHost: x\r\n\r\n"));
    cr_assert(http_read(fd, false, &reply));
    json_t *root = http_json(&reply);
    cr_expect_str_eq(http_json_text(root, "data.says"), says);
    cr_expect_eq(http_json_integer(root, "data.count"), count);
    long long pid = http_json_integer(root, "data.pid");
    json_decref(root);
    http_reply_free(&reply);
    return pid;
}

long long number_of(const char *name)
{
    json_t *answer = ask("status\n");
    long long number = (long long)json_array_size(json_object_get(answer, name));
    if (json_is_integer(json_object_get(answer, name)))
        number = json_integer_value(json_object_get(answer, name));
    json_decref(answer);
    return number;
}

void wait_workers(long long count)
{
    for (long long begun = 0; number_of("workers") != count;)
        cr_assert(service_patience(&begun, 30000), "%lld workers, not %lld", number_of("workers"), count);
}

/* Of the exposition that any worker writes: the first number behind the name. */
double metric(const char *name)
{
    json_t *answer = ask("metrics\n");
    const char *text = json_string_value(json_object_get(answer, "metrics")), *at = text ? strstr(text, name) : NULL;
    cr_assert(at, "%s", name);
    double value = strtod(strchr(at, ' '), NULL);
    json_decref(answer);
    return value;
}

/* The command, as an operator runs it. */
int run_command(const char *arguments, char *ret_output, size_t size)
{
    char command[512];
    (void)snprintf(command, sizeof(command),
                   "PORT=%d BACKPLANE_DATA=%s " BACKPLANE_BUILD_ROOT "/backplane -c %s/test.cfg %s 2>&1", server.port,
                   server.folder, server.folder, arguments);
    FILE *pipe = popen(command, "r");
    cr_assert(pipe);
    ret_output[fread(ret_output, 1, size - 1, pipe)] = '\0';
    int status = pclose(pipe);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

unsigned status_of(const char *target)
{
    struct http_reply reply;
    for (long long begun = 0; !http_try(server.port, "GET", target, NULL, NULL, &reply);)
        cr_assert(service_patience(&begun, 30000), "%s: no reply", target);
    unsigned status = reply.status;
    http_reply_free(&reply);
    return status;
}
