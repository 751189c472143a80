/* SPDX-License-Identifier: MIT */
#include "connect.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>

#include "database.h"

#define HOSTS 16u
#define ADDRESSES 32u
#define FIRST_BACKOFF (100 * BP_MILLISECOND)
#define LAST_BACKOFF (2 * BP_SECOND)

/* --- names --- */

/* libpq's host, hostaddr and port: lists of the same length, one place for each address. */
struct addresses {
    char host[1024], address[1024], port[256];
    unsigned count;
};

struct lookup {
    const char *host;
    struct addrinfo *found;
    int error;
};

static int look_up(void *job)
{
    static const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_ADDRCONFIG};
    struct lookup *lookup = job;
    lookup->error = getaddrinfo(lookup->host, NULL, &hints, &lookup->found);
    return 0;
}

static bool append(char *list, size_t size, const char *item, unsigned index)
{
    size_t len = strlen(list);
    return (size_t)snprintf(list + len, size - len, "%s%s", index ? "," : "", item) < size - len;
}

static bool add_address(struct addresses *addresses, const char *host, const char *address, const char *port)
{
    unsigned index = addresses->count;
    if (index == ADDRESSES || !append(addresses->host, sizeof(addresses->host), host, index) ||
        !append(addresses->address, sizeof(addresses->address), address, index) ||
        !append(addresses->port, sizeof(addresses->port), port, index))
        return false;
    addresses->count++;
    return true;
}

static int look_up_off_loop(struct database *database, struct lookup *lookup)
{
    int status = 0;
    while (status == 0 && database->resolving)
        status = bp_sleep(20 * BP_MILLISECOND);
    if (status != 0)
        return status;
    database->resolving = true;
    status = bp_offload(look_up, lookup);
    database->resolving = false;
    return status;
}

static int add_host(struct database *database, struct addresses *addresses, const char *host, const char *port,
                    char *why)
{
    struct lookup lookup = {.host = host};
    char text[INET6_ADDRSTRLEN];
    unsigned char binary[sizeof(struct in6_addr)];
    int status;
    if (host[0] == '/' || host[0] == '@' || host[0] == '\0')
        return add_address(addresses, host, "", port) ? 0 : BP_BUSY;
    if (inet_pton(AF_INET, host, binary) == 1 || inet_pton(AF_INET6, host, binary) == 1)
        return add_address(addresses, host, host, port) ? 0 : BP_BUSY;
    status = look_up_off_loop(database, &lookup);
    if (status != 0)
        return status;
    if (lookup.error != 0) {
        snprintf(why, DATABASE_WHY, "the host name \"%.60s\" cannot be resolved: %s", host, gai_strerror(lookup.error));
        return BP_BUSY;
    }
    for (struct addrinfo *found = lookup.found; found; found = found->ai_next)
        if (getnameinfo(found->ai_addr, found->ai_addrlen, text, sizeof(text), NULL, 0, NI_NUMERICHOST) == 0)
            add_address(addresses, host, text, port);
    freeaddrinfo(lookup.found);
    return 0;
}

/* The next item of a comma-separated list; a list of one counts for all. */
static const char *next_item(const char **list, char *item, size_t size)
{
    const char *text = *list ? *list : "";
    size_t len = strcspn(text, ",");
    snprintf(item, size, "%.*s", (int)len, text);
    if (text[len] == ',')
        *list = text + len + 1;
    return item;
}

/* A host that cannot be found does not keep others from being tried. */
static int resolve(struct database *database, const struct target *target, struct addresses *addresses, char *why)
{
    const char *hosts = target_value(target, "host"), *ports = target_value(target, "port");
    char host[256], port[16];
    int status = 0;
    if (!hosts || target_value(target, "hostaddr"))
        return 0;
    for (unsigned i = 0; i < HOSTS && (status == 0 || status == BP_BUSY); i++) {
        bool last = !strchr(hosts, ',');
        next_item(&hosts, host, sizeof(host));
        next_item(&ports, port, sizeof(port));
        status = add_host(database, addresses, host, port, why);
        if (last)
            break;
    }
    return addresses->count > 0 && status == BP_BUSY ? 0 : status;
}

/* --- keywords --- */

/* value NULL or "": nothing. Later ones replace earlier ones. */
static void set(struct keywords *keywords, const char *name, const char *value)
{
    unsigned i = 0;
    if (!value || value[0] == '\0')
        return;
    while (i < keywords->count && strcmp(keywords->names[i], name) != 0)
        i++;
    if (i == KEYWORDS - 1)
        return;
    keywords->names[i] = name;
    keywords->values[i] = value;
    if (i == keywords->count)
        keywords->count++;
}

void connect_keywords(const struct database *database, const struct target *target, struct keywords *keywords)
{
    *keywords = (struct keywords){0};
    snprintf(keywords->connect_timeout, sizeof(keywords->connect_timeout), "%lld",
             (long long)((database->connect_timeout - 1) / BP_SECOND + 1));
    set(keywords, "fallback_application_name", "backplane");
    /* A dead peer is noticed within half a minute also when nothing is asked. */
    set(keywords, "keepalives_idle", "15");
    set(keywords, "keepalives_interval", "5");
    set(keywords, "keepalives_count", "3");
    set(keywords, "tcp_user_timeout", "20000");
    /* Its probing for a credential cache is slow and almost never wanted; the URL may say otherwise. */
    set(keywords, "gssencmode", "disable");
    for (const PQconninfoOption *option = target->options; option && option->keyword; option++)
        set(keywords, option->keyword, option->val);
    set(keywords, "client_encoding", "UTF8");
    /* NUL-terminated: texts of options are. */
    set(keywords, "sslmode", database->sslmode.ptr);
    set(keywords, "sslrootcert", database->sslrootcert.ptr);
    set(keywords, "sslcert", database->sslcert.ptr);
    set(keywords, "sslkey", database->sslkey.ptr);
    set(keywords, "connect_timeout", keywords->connect_timeout);
    set(keywords, "application_name", database->application_name.ptr);
}

static void set_addresses(struct keywords *keywords, const struct addresses *addresses)
{
    if (addresses->count == 0)
        return;
    set(keywords, "host", addresses->host);
    set(keywords, "hostaddr", addresses->address);
    set(keywords, "port", addresses->port);
}

/* --- the connection --- */

void connect_reason(const char *message, char *why)
{
    const char *failed = strstr(message, "failed: "), *line_end = strchr(message, '\n');
    size_t len;
    if (failed && (!line_end || failed < line_end))
        message = failed + strlen("failed: ");
    if (strncmp(message, "FATAL:  ", 8) == 0 || strncmp(message, "ERROR:  ", 8) == 0)
        message += 8;
    len = strcspn(message, "\n");
    snprintf(why, DATABASE_WHY, "%.*s", (int)len, message);
    if (why[0] == '\0')
        snprintf(why, DATABASE_WHY, "the server closed the connection");
}

bp_span connect_backoff(unsigned tries)
{
    uint32_t random;
    bp_random(&random, sizeof(random));
    return bp_backoff(tries + 1, FIRST_BACKOFF, LAST_BACKOFF, random);
}

static int wait_socket(PGconn *pg, unsigned events, bp_time deadline)
{
    bp_span left = deadline - bp_clock();
    return left <= 0 ? BP_TIMEOUT : bp_wait_fd(PQsocket(pg), events, left);
}

static int poll_to_end(PGconn *pg, bp_time deadline)
{
    PostgresPollingStatusType wanted = PGRES_POLLING_WRITING;
    while (wanted == PGRES_POLLING_WRITING || wanted == PGRES_POLLING_READING) {
        int status = wait_socket(pg, wanted == PGRES_POLLING_WRITING ? BP_WRITABLE : BP_READABLE, deadline);
        if (status != 0)
            return status;
        wanted = PQconnectPoll(pg);
    }
    return wanted == PGRES_POLLING_OK ? 0 : BP_BUSY;
}

/* Without pipeline mode yet. ret_number: of the first column; may be NULL. */
static int run_sql(PGconn *pg, const char *sql, bp_time deadline, int *ret_number)
{
    int status = PQsendQuery(pg, sql) ? 0 : BP_BUSY;
    PGresult *result;
    while (status == 0 && PQflush(pg) > 0)
        status = wait_socket(pg, BP_WRITABLE, deadline);
    for (;;) {
        while (status == 0 && PQisBusy(pg)) {
            status = wait_socket(pg, BP_READABLE, deadline);
            if (status == 0 && !PQconsumeInput(pg))
                status = BP_BUSY;
        }
        if (status != 0 || !(result = PQgetResult(pg)))
            return status;
        if (PQresultStatus(result) != PGRES_TUPLES_OK)
            status = BP_BUSY;
        else if (ret_number && PQntuples(result) > 0)
            *ret_number = (int)strtol(PQgetvalue(result, 0, 0), NULL, 10);
        PQclear(result);
    }
}

/* Settings of a session would leak to others through a pooler that nobody told us about. It has made up the process number of our
 * greeting: the server knows another one. */
static int set_up(struct database *database, PGconn *pg, bp_time deadline, bool *ret_pooled)
{
    int backend = 0;
    int status = run_sql(pg, "SELECT pg_backend_pid()", deadline, &backend);
    if (status != 0)
        return status;
    *ret_pooled = backend != PQbackendPID(pg);
    if (!*ret_pooled)
        return run_sql(pg, database->session, deadline, NULL);
    database->pooler = true;
    bp_log(database->host, BP_LOG_WARN, "postgres.pooler_found",
           "A pooler is in between: statements are not prepared. Set pooler = true");
    return 0;
}

static void ignore_notice(void *argument, const PGresult *result)
{
    (void)argument, (void)result;
}

int connect_open(struct database *database, const struct target *target, bool *ret_pooled, PGconn **ret_pg, char *why)
{
    bp_time deadline = bp_clock() + database->connect_timeout;
    struct addresses addresses = {0};
    struct keywords keywords;
    int status = resolve(database, target, &addresses, why);
    if (status != 0)
        return status;
    connect_keywords(database, target, &keywords);
    set_addresses(&keywords, &addresses);
    PGconn *pg = PQconnectStartParams(keywords.names, keywords.values, 0);
    if (!pg)
        return BP_NOMEM;
    PQsetNoticeReceiver(pg, ignore_notice, NULL);
    status = PQstatus(pg) == CONNECTION_BAD ? BP_BUSY : poll_to_end(pg, deadline);
    if (status == 0 && PQsetnonblocking(pg, 1) != 0)
        status = BP_BUSY;
    if (ret_pooled)
        *ret_pooled = database->pooler;
    if (status == 0 && ret_pooled && !database->pooler)
        status = set_up(database, pg, deadline, ret_pooled);
    if (status == 0) {
        *ret_pg = pg;
        return 0;
    }
    if (status == BP_TIMEOUT) {
        snprintf(why, DATABASE_WHY, "the server did not answer within the connect timeout");
        status = BP_BUSY;
    } else {
        connect_reason(PQerrorMessage(pg), why);
    }
    PQfinish(pg);
    return status;
}
