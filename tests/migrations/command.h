/* SPDX-License-Identifier: MIT */
/* `backplane` run as a shell does it, with the shipped configuration, on a database of the test's own. */
#ifndef TESTS_MIGRATIONS_COMMAND_H
#define TESTS_MIGRATIONS_COMMAND_H

#include <sys/types.h>

#include "tests/support/postgres.h"

struct place {
    char folder[SERVICE_FOLDER_SIZE]; /* BACKPLANE_DATA */
    char url[POSTGRES_URL_SIZE];      /* DATABASE_URL and DIRECT_URL; "": SQLite, in the folder */
};

/* A place on SQLite; or, with the superuser's URL of a cluster, on a new, empty database in it. */
void place_new(struct place *place, const char *postgres);
void place_free(struct place *place);
/* The first column of the first row, as text; free() it. */
char *place_ask(const struct place *place, const char *sql);
long long place_integer(const struct place *place, const char *sql);
void place_execute(const struct place *place, const char *sql);

/* Starts a command (words: NULL at the end); its output goes to the file log. */
pid_t command_start(const struct place *place, const char *log, const char *const *words);
/* Its exit code; 128 + signal. */
int command_wait(pid_t pid);
/* The text of a file; free() it. */
char *command_text(const char *path);
/* Both, and its output in *ret_output (free() it). */
int command_run(const struct place *place, char **ret_output, const char *const *words);
#define WORDS(...) ((const char *const[]){__VA_ARGS__, NULL})

#endif
