/* SPDX-License-Identifier: MIT */
#include "tests/support/http.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "tests/support/service.h"

enum { HEAD_MAX = 64 * 1024, READ_SECONDS = 20 };

int http_connect(int port)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons((unsigned short)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct timeval limit = {.tv_sec = READ_SECONDS};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0) {
        if (fd >= 0)
            close(fd);
        return -1;
    }
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
    return fd;
}

bool http_send(int fd, const void *bytes, size_t len)
{
    const char *at = bytes;
    while (len > 0) {
        ssize_t n = send(fd, at, len, MSG_NOSIGNAL);
        if (n <= 0)
            return false;
        at += n;
        len -= (size_t)n;
    }
    return true;
}

bool http_send_text(int fd, const char *text)
{
    return http_send(fd, text, strlen(text));
}

const char *http_header(const struct http_reply *reply, const char *name)
{
    static _Thread_local char value[4096];
    size_t len = strlen(name);
    for (const char *line = strstr(reply->head, "\r\n"); line && line[2]; line = strstr(line + 2, "\r\n")) {
        const char *at = line + 2;
        if (strncasecmp(at, name, len) != 0 || at[len] != ':')
            continue;
        at += len + 1;
        at += strspn(at, " ");
        snprintf(value, sizeof(value), "%.*s", (int)strcspn(at, "\r"), at);
        return value;
    }
    return NULL;
}

static bool read_exactly(int fd, char *at, size_t len)
{
    while (len > 0) {
        ssize_t n = recv(fd, at, len, 0);
        if (n <= 0)
            return false;
        at += n;
        len -= (size_t)n;
    }
    return true;
}

/* Up to an ending; what follows it is looked at, but not taken. */
static bool read_until(int fd, char *text, size_t size, const char *ending)
{
    size_t len = 0, ending_len = strlen(ending);
    while (len + 1 < size) {
        ssize_t n = recv(fd, text + len, size - 1 - len, MSG_PEEK);
        if (n <= 0)
            return false;
        const char *found = memmem(text, len + (size_t)n, ending, ending_len);
        size_t taken = found ? (size_t)(found + ending_len - text) - len : (size_t)n;
        if (!read_exactly(fd, text + len, taken))
            return false;
        len += taken;
        text[len] = '\0';
        if (found)
            return true;
    }
    return false;
}

static bool read_chunked(int fd, struct http_reply *reply)
{
    char line[128];
    for (;;) {
        if (!read_until(fd, line, sizeof(line), "\r\n"))
            return false;
        size_t len = strtoul(line, NULL, 16);
        if (len == 0)
            return read_until(fd, line, sizeof(line), "\r\n");
        reply->body = realloc(reply->body, reply->body_len + len + 1);
        if (!read_exactly(fd, reply->body + reply->body_len, len) || !read_exactly(fd, line, 2))
            return false;
        reply->body_len += len;
        reply->body[reply->body_len] = '\0';
    }
}

static bool read_to_end(int fd, struct http_reply *reply)
{
    char piece[4096];
    ssize_t n;
    while ((n = recv(fd, piece, sizeof(piece), 0)) > 0) {
        reply->body = realloc(reply->body, reply->body_len + (size_t)n + 1);
        memcpy(reply->body + reply->body_len, piece, (size_t)n);
        reply->body_len += (size_t)n;
        reply->body[reply->body_len] = '\0';
    }
    return n == 0;
}

bool http_read(int fd, bool head_only, struct http_reply *ret_reply)
{
    struct http_reply reply = {.head = malloc(HEAD_MAX), .body = calloc(1, 1)};
    bool fine;
    do
        fine =
            read_until(fd, reply.head, HEAD_MAX, "\r\n\r\n") && sscanf(reply.head, "HTTP/1.1 %u ", &reply.status) == 1;
    while (fine && reply.status < 200);
    if (fine) {
        const char *connection = http_header(&reply, "Connection");
        reply.close = connection && strcasecmp(connection, "close") == 0;
        const char *length = http_header(&reply, "Content-Length");
        if (head_only || reply.status == 204 || reply.status == 304) {
            fine = true;
        } else if (length) {
            reply.body_len = strtoul(length, NULL, 10);
            reply.body = realloc(reply.body, reply.body_len + 1);
            reply.body[reply.body_len] = '\0';
            fine = read_exactly(fd, reply.body, reply.body_len);
        } else if (http_header(&reply, "Transfer-Encoding")) {
            fine = read_chunked(fd, &reply);
        } else {
            fine = read_to_end(fd, &reply);
        }
    }
    if (fine)
        *ret_reply = reply;
    else
        http_reply_free(&reply);
    return fine;
}

bool http_read_end(int fd)
{
    char byte;
    return recv(fd, &byte, 1, 0) == 0;
}

void http_reply_free(struct http_reply *reply)
{
    free(reply->head);
    free(reply->body);
    *reply = (struct http_reply){.status = 0};
}

bool http_try(int port, const char *method, const char *target, const char *headers, const char *body,
              struct http_reply *ret_reply)
{
    char length[64] = "", *text;
    const char *type =
        body && !(headers && strcasestr(headers, "content-type:")) ? "Content-Type: application/json\r\n" : "";
    if (body)
        snprintf(length, sizeof(length), "Content-Length: %zu\r\n", strlen(body));
    int fd = http_connect(port);
    if (fd < 0)
        return false;
    cr_assert(asprintf(&text, "%s %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nConnection: close\r\n%s%s%s\r\n%s", method,
                       target, port, headers ? headers : "", type, length, body ? body : "") > 0);
    bool fine = http_send_text(fd, text);
    fine = http_read(fd, strcmp(method, "HEAD") == 0, ret_reply) && fine;
    free(text);
    close(fd);
    return fine;
}

void http_call(int port, const char *method, const char *target, const char *headers, const char *body,
               struct http_reply *ret_reply)
{
    cr_assert(http_try(port, method, target, headers, body, ret_reply), "no reply to %s %s", method, target);
}

char *http_raw(int port, const void *bytes, size_t len, size_t *ret_len)
{
    struct http_reply all = {.body = calloc(1, 1)};
    int fd = http_connect(port);
    cr_assert(fd >= 0);
    (void)http_send(fd, bytes, len);
    shutdown(fd, SHUT_WR);
    (void)read_to_end(fd, &all);
    close(fd);
    *ret_len = all.body_len;
    return all.body;
}

json_t *http_json(const struct http_reply *reply)
{
    json_error_t error;
    json_t *root = json_loadb(reply->body, reply->body_len, 0, &error);
    cr_assert(root, "not JSON (%s): %s", error.text, reply->body);
    return root;
}

const json_t *http_json_at(const json_t *root, const char *path)
{
    char part[64];
    while (root && *path) {
        size_t len = strcspn(path, ".");
        snprintf(part, sizeof(part), "%.*s", (int)len, path);
        root = json_is_array(root) ? json_array_get(root, strtoul(part, NULL, 10)) : json_object_get(root, part);
        path += len + (path[len] == '.');
    }
    return root;
}

const char *http_json_text(const json_t *root, const char *path)
{
    const char *text = json_string_value(http_json_at(root, path));
    return text ? text : "";
}

long long http_json_integer(const json_t *root, const char *path)
{
    const json_t *value = http_json_at(root, path);
    return json_is_integer(value) ? json_integer_value(value) : -1;
}

static void post_by(int port, const char *target, const char *body, long long served_by, struct http_reply *ret_reply)
{
    http_call(port, "POST", target, NULL, body, ret_reply);
    while (ret_reply->status == 503 && service_milliseconds() < served_by) {
        http_reply_free(ret_reply);
        service_breathe();
        http_call(port, "POST", target, NULL, body, ret_reply);
    }
}

char *http_login_by(int port, const char *email, long long served_by)
{
    struct http_reply reply;
    char body[256], *header;
    snprintf(body, sizeof(body), "{\"email\":\"%s\",\"password\":\"Passw0rd!\"}", email);
    post_by(port, "/api/v1/auth/sign-up", body, served_by, &reply);
    cr_assert(reply.status == 201 || reply.status == 409, "sign-up: %u %s", reply.status, reply.body);
    http_reply_free(&reply);
    post_by(port, "/api/v1/auth/login", body, served_by, &reply);
    cr_assert_eq(reply.status, 200, "login: %u %s", reply.status, reply.body);
    json_t *root = http_json(&reply);
    cr_assert(asprintf(&header, "Authorization: Bearer %s\r\n", http_json_text(root, "token")) > 0);
    json_decref(root);
    http_reply_free(&reply);
    return header;
}

char *http_login(int port, const char *email)
{
    return http_login_by(port, email, 0);
}
