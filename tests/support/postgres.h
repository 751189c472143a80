/* SPDX-License-Identifier: MIT */
/*
 * A Postgres cluster of a test's own, on 127.0.0.1 and on a Unix socket in its folder. It starts from a copy of a data directory that
 * is made once in the build folder: in well under a second. Roles: service_account() is the superuser; "backplane" owns
 * the databases and has no privileges, as in production; "locked" needs the password POSTGRES_PASSWORD, the others none.
 */
#ifndef SUPPORT_POSTGRES_H
#define SUPPORT_POSTGRES_H

#include <stdbool.h>
#include <sys/types.h>

#include "tests/support/service.h"

enum { POSTGRES_URL_SIZE = 512 };
#define POSTGRES_PASSWORD "Correct horse"
#define POSTGRES_PASSWORD_URL "Correct%20horse"

struct test_postgres {
    pid_t pid;
    int port;
    char folder[SERVICE_FOLDER_SIZE]; /* data/, log, the socket, server.crt */
};

struct postgres_options {
    bool durable;         /* fsync: for tests that kill it; else nothing is flushed, which is faster */
    bool tls;             /* with folder/server.crt, for "localhost" and 127.0.0.1, signed by itself */
    const char *settings; /* lines of postgresql.conf; may be NULL */
};

/* Aborts with its log when it does not start. */
void postgres_start(struct test_postgres *postgres, const struct postgres_options *options);
/* Ends it and removes all of it. */
void postgres_stop(struct test_postgres *postgres);
/* An orderly "fast" shutdown, as before a maintenance; postgres_again() starts it on the same data and port. */
void postgres_halt(struct test_postgres *postgres);
/* kill -9 to all of its processes; postgres_again() recovers. */
void postgres_kill(struct test_postgres *postgres);
void postgres_again(struct test_postgres *postgres);
/* SIGSTOP and SIGCONT to all of its processes: connections stay, nothing moves. */
void postgres_pause(struct test_postgres *postgres);
void postgres_resume(struct test_postgres *postgres);
/* Adds lines to postgresql.conf and has them read (those that need no restart); returns when they are in effect. */
void postgres_set(struct test_postgres *postgres, const char *settings);

/* postgresql://ROLE@127.0.0.1:PORT/DATABASE; role NULL: the superuser; a password belongs to it: "locked:" POSTGRES_PASSWORD_URL. */
void postgres_url(const struct test_postgres *postgres, const char *role, const char *database,
                  char ret_url[POSTGRES_URL_SIZE]);
/* The same through the Unix socket. */
void postgres_socket_url(const struct test_postgres *postgres, const char *role, const char *database,
                         char ret_url[POSTGRES_URL_SIZE]);
/* url with another role and database. */
void postgres_url_with(const char *url, const char *role, const char *database, char ret_url[POSTGRES_URL_SIZE]);

/* Runs statements; the first column of the first row as text, "" when there is none, the caller free()s it. Aborts with the message when it fails. */
char *postgres_ask(const char *url, const char *sql);
/* The same for statements whose result is of no interest. */
void postgres_execute(const char *url, const char *sql);
/* Gives the function the first two columns of every row, as text (the second "" when there is one only). */
void postgres_each(const char *url, const char *sql,
                   void (*function)(void *argument, const char *first, const char *second), void *argument);
/* A new database of the role "backplane": empty (template NULL), or a copy of another, which nobody may be connected to. url: the superuser's to any database. */
void postgres_database(const char *url, const char *name, const char *template);
/*
 * A new database with the schema of the shipped configuration, which is made once for each cluster by `backplane migrate up`. url as above;
 * *ret_url is the role backplane's to the new database. The name is made up, and no two are the same in a cluster.
 */
void postgres_migrated(const char *url, char ret_url[POSTGRES_URL_SIZE]);

#endif
