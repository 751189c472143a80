/* SPDX-License-Identifier: MIT */
#include "at_start.h"

#include <ctype.h>
#include <poll.h>
#include <stdio.h>

#include "connect.h"
#include "database.h"

#define PAUSE_MILLISECONDS 100
#define SQLSTATE_LEN 5u

const char *const at_start_choices[] = {"nothing", "accepted", "reached", NULL};

enum answer {
    ANSWER_ACCEPTED,
    ANSWER_REFUSED, /* by a server that is there, for a reason that waiting does not mend */
    ANSWER_AWAY
};

/* Behind the "SEVERITY:  " of the last server that was asked; NULL: none answered. libpq has no other way to say the code of what refuses
 * a connection, and the words are in the server's language. */
static const char *find_code(const char *message)
{
    const char *found = NULL;
    for (const char *colon = strstr(message, ":  "); colon; colon = strstr(colon + 1, ":  ")) {
        const char *code = colon + 3;
        size_t len = 0;
        while (len < SQLSTATE_LEN && (isdigit((unsigned char)code[len]) || isupper((unsigned char)code[len])))
            len++;
        if (len == SQLSTATE_LEN && code[len] == ':')
            found = code;
    }
    return found;
}

static bool refuses(const char *code)
{
    static const char *const codes[] = {
        "28",              /* the role, its password, pg_hba.conf */
        "3D",              /* there is no such database */
        "42501",           /* no right to connect to it */
        "08P01: no such ", /* pgbouncer, of a database or a user that it does not know … */
        "08P01: database " /* … or the server behind it does not */
    };
    for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
        if (strncmp(code, codes[i], strlen(codes[i])) == 0)
            return true;
    return false;
}

static enum answer read_failure(PGconn *pg, char *why)
{
    const char *message = PQerrorMessage(pg), *code = find_code(message);
    if (code)
        message = code + SQLSTATE_LEN + 2;
    snprintf(why, DATABASE_WHY, "%.*s", (int)strcspn(message, "\n"), message);
    return (code && refuses(code)) || PQconnectionNeedsPassword(pg) ? ANSWER_REFUSED : ANSWER_AWAY;
}

/* False when the time is over. */
static bool wait_socket(PGconn *pg, PostgresPollingStatusType wanted, bp_time deadline)
{
    struct pollfd polled = {.fd = PQsocket(pg), .events = wanted == PGRES_POLLING_READING ? POLLIN : POLLOUT};
    bp_span left = deadline - bp_clock();
    return left > 0 && poll(&polled, 1, (int)(left / BP_MILLISECOND + 1)) != 0;
}

static enum answer ask(struct database *database, bp_time deadline, char *why)
{
    PostgresPollingStatusType wanted = PGRES_POLLING_WRITING;
    enum answer answer = ANSWER_ACCEPTED;
    struct keywords keywords;
    connect_keywords(database, &database->target, &keywords);
    PGconn *pg = PQconnectStartParams(keywords.names, keywords.values, 0);
    if (!pg) {
        snprintf(why, DATABASE_WHY, "out of memory");
        return ANSWER_AWAY;
    }
    (void)PQsetErrorVerbosity(pg, PQERRORS_VERBOSE); /* which says the code */
    if (PQstatus(pg) == CONNECTION_BAD)
        wanted = PGRES_POLLING_FAILED;
    while ((wanted == PGRES_POLLING_WRITING || wanted == PGRES_POLLING_READING) && wait_socket(pg, wanted, deadline))
        wanted = PQconnectPoll(pg);
    if (wanted == PGRES_POLLING_FAILED) {
        answer = read_failure(pg, why);
    } else if (wanted != PGRES_POLLING_OK) {
        if (why[0] == '\0') /* else the last try was short, and the one before knew more */
            snprintf(why, DATABASE_WHY, "%s:%s did not answer within the connect timeout", PQhost(pg), PQport(pg));
        answer = ANSWER_AWAY;
    }
    PQfinish(pg);
    return answer;
}

int at_start_ask(struct database *database)
{
    bp_time deadline = bp_clock() + database->connect_timeout;
    char why[DATABASE_WHY] = "";
    if (database->at_start == AT_START_NOTHING)
        return 0;
    enum answer answer = ask(database, deadline, why);
    while (answer == ANSWER_AWAY && database->at_start == AT_START_REACHED && bp_clock() < deadline) {
        (void)poll(NULL, 0, PAUSE_MILLISECONDS);
        answer = ask(database, deadline, why);
    }
    if (answer == ANSWER_REFUSED)
        return bp_start_error(database->host, "the database does not let this server in: %s", why);
    if (answer == ANSWER_AWAY && database->at_start == AT_START_REACHED)
        return bp_start_error(database->host, "the database cannot be reached: %s", why);
    return 0;
}
