/* SPDX-License-Identifier: MIT */
/* A server of two workers on which two people have accounts: what tests of resources begin with. */
#ifndef HTTP_TWO_ACCOUNTS_H
#define HTTP_TWO_ACCOUNTS_H

#include "tests/support/http.h"
#include "tests/support/server.h"

#define TODOS "/api/v1/todos"
#define UNKNOWN "0190a8b4-5c3e-7d21-9f60-1a2b3c4d5e6f"
#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

extern struct test_server server;
extern char *ada, *bob; /* their "Authorization: …\r\n" */

/* For .init and .fini. */
void start(void);
void stop(void);

/* The status; the body in *ret_root, which may be NULL. headers: more lines, or NULL. */
unsigned ask(const char *who, const char *method, const char *target, const char *headers, const char *body,
             json_t **ret_root);
/* The body of a reply that must have this status. */
json_t *call(const char *who, const char *method, const char *target, const char *body, unsigned status);
/* The reply must have this status and message. */
void expect(const char *who, const char *method, const char *target, const char *body, unsigned status,
            const char *message);
/* The path of a new todo, and the identifier at its end. Newer than those before: of todos that two workers make within one millisecond,
 * neither is. */
void add_todo(const char *who, const char *body, char ret_path[80]);
const char *id_of(const char *path);

#endif
