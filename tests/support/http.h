/* SPDX-License-Identifier: MIT */
/* A small HTTP/1.1 client for tests: says exactly what it is told to, and reads replies strictly. */
#ifndef SUPPORT_HTTP_H
#define SUPPORT_HTTP_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

struct http_reply {
    unsigned status;
    char *head; /* all of it, NUL behind it */
    char *body; /* decoded, NUL behind it */
    size_t body_len;
    bool close; /* Connection: close */
};

/* A connected socket to 127.0.0.1 with a 20 s time-out on reads, or -1. */
int http_connect(int port);
/* Sends all of it; false when the peer has closed. */
bool http_send(int fd, const void *bytes, size_t len);
bool http_send_text(int fd, const char *text);
/* Reads one final reply (interim ones are skipped), by its framing; head_only: to a HEAD request. False when the connection ended before a whole
 * reply, or it was malformed. */
bool http_read(int fd, bool head_only, struct http_reply *ret_reply);
/* True when the peer closes without another byte. */
bool http_read_end(int fd);
/* One request on a connection of its own. headers: whole lines ("A: b\r\n"), may be NULL; body: may be NULL; a Content-Type of application/json is added
 * to a body unless headers have one. Fails the test when there is no reply. */
void http_call(int port, const char *method, const char *target, const char *headers, const char *body,
               struct http_reply *ret_reply);
/* The same, but false when there is no reply. */
bool http_try(int port, const char *method, const char *target, const char *headers, const char *body,
              struct http_reply *ret_reply);
/* Sends bytes on a connection of its own, and our end of the stream behind them; reads all that comes until the end. free() it. */
char *http_raw(int port, const void *bytes, size_t len, size_t *ret_len);
void http_reply_free(struct http_reply *reply);
/* The value of a header field, in a buffer of the thread; NULL when absent. */
const char *http_header(const struct http_reply *reply, const char *name);

/* The body as JSON; fails the test when it is not. json_decref() it. */
json_t *http_json(const struct http_reply *reply);
/* A string, or "" by path "data.meta.x" ("data.0.title" in arrays); in the JSON given. */
const char *http_json_text(const json_t *root, const char *path);
/* An integer by path; -1 when it is not there. */
long long http_json_integer(const json_t *root, const char *path);
const json_t *http_json_at(const json_t *root, const char *path);

/* Signs up and logs in email with the password "Passw0rd!"; returns "Authorization: Bearer …\r\n"; free() it. */
char *http_login(int port, const char *email);
/* The same, but a 503 is asked again, as clients do, until served_by (service_milliseconds()). */
char *http_login_by(int port, const char *email, long long served_by);

#endif
