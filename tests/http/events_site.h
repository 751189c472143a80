/* SPDX-License-Identifier: MIT */
/* A server with todos, lists, events and observer.so, on which two people have accounts: what tests of events begin with. */
#ifndef HTTP_EVENTS_SITE_H
#define HTTP_EVENTS_SITE_H

#include "tests/support/database.h"
#include "tests/support/http.h"

#define TODOS "/api/v1/todos"
#define LISTS "/api/v1/lists"
#define CHANGES TODOS "/changes"
#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

extern struct test_server site;
extern char *ada, *bob; /* their "Authorization: …\r\n" */

/* For .init and .fini. */
void site_start(void);
void site_stop(void);
/* The first of them logs in again, the second one, too. */
void site_log_in(void);
/* options: those of the plugin events, as in a configuration ("retention = \"1s\";"). folder: of a server that was killed; NULL: a new one. No accounts. */
void site_start_with(const char *options, const char *folder);
/* Another one on the database of the first. */
void site_start_replica(struct test_server *replica);

/* A reply's body, which must have this status. json_decref() it. */
json_t *site_call(const char *who, const char *method, const char *target, const char *headers, const char *body,
                  unsigned status);
/* The same, of no interest. */
void site_do(const char *who, const char *method, const char *target, const char *body, unsigned status);
/* A new one's identifier. */
void site_add(const char *who, const char *target, const char *body, char ret_id[40]);
/* Makes all events older than they are kept. */
void site_age(void);
/* A line of the metrics is there, with its line break before it and behind it. */
bool site_shows(const char *line);
void site_await_metric(const char *line);
/* Runs `backplane …` on the site's configuration, folder and database; its output is in ret_output. Its exit status. */
int site_command(const char *arguments, char *ret_output, size_t size);
/* A file in the data folder, which observer.so looks for; removes it; waits for one that it makes. */
void site_touch(const char *name);
void site_remove(const char *name);
void site_await_file(const char *name);

/* What observer.so has written down under the name: how many there are; waits until there are so many (no more). */
long long site_observed(const char *name);
void site_await(const char *name, long long count);

/* The events that "first" was given, in order. */
enum { SITE_EVENTS_MAX = 4096 };
struct site_event {
    long long position;
    char type[32], subject[40];
    json_t *data;
};
struct site_events {
    struct site_event *items;
    size_t len;
};
void site_read(struct site_events *ret_events);
void site_events_free(struct site_events *events);

/* Equal, where numbers are compared as numbers. */
bool site_same(const json_t *a, const json_t *b);

#endif
