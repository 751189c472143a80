/* SPDX-License-Identifier: MIT */
/* Databases in a cluster, and questions to them. */
#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "build_info.h"
#include "tests/support/postgres.h"

#define TEMPLATE "backplane_template"

void postgres_url(const struct test_postgres *postgres, const char *role, const char *database,
                  char ret_url[POSTGRES_URL_SIZE])
{
    snprintf(ret_url, POSTGRES_URL_SIZE, "postgresql://%s@127.0.0.1:%d/%s", role ? role : service_account(),
             postgres->port, database);
}

void postgres_socket_url(const struct test_postgres *postgres, const char *role, const char *database,
                         char ret_url[POSTGRES_URL_SIZE])
{
    snprintf(ret_url, POSTGRES_URL_SIZE, "postgresql://%s@/%s?host=%s&port=%d", role ? role : service_account(),
             database, postgres->folder, postgres->port);
}

void postgres_url_with(const char *url, const char *role, const char *database, char ret_url[POSTGRES_URL_SIZE])
{
    const char *at = strchr(url, '@');
    size_t host = at ? strcspn(at, "/") : 0;
    if (host == 0)
        service_fail("no role and host in %s", url);
    snprintf(ret_url, POSTGRES_URL_SIZE, "postgresql://%s%.*s/%s", role, (int)host, at, database);
}

static void ignore(void *argument, const char *message)
{
    (void)argument;
    (void)message;
}

static PGconn *dial(const char *url)
{
    PGconn *connection = PQconnectdb(url);
    if (PQstatus(connection) != CONNECTION_OK)
        service_fail("%s: %s", url, PQerrorMessage(connection));
    PQsetNoticeProcessor(connection, ignore, NULL);
    return connection;
}

static PGresult *run(PGconn *connection, const char *sql)
{
    PGresult *result = PQexec(connection, sql);
    if (PQresultStatus(result) != PGRES_TUPLES_OK && PQresultStatus(result) != PGRES_COMMAND_OK)
        service_fail("%s: %s", sql, PQerrorMessage(connection));
    return result;
}

char *postgres_ask(const char *url, const char *sql)
{
    PGconn *connection = dial(url);
    PGresult *result = run(connection, sql);
    char *text = strdup(PQntuples(result) > 0 && PQnfields(result) > 0 ? PQgetvalue(result, 0, 0) : "");
    PQclear(result);
    PQfinish(connection);
    return text;
}

void postgres_each(const char *url, const char *sql,
                   void (*function)(void *argument, const char *first, const char *second), void *argument)
{
    PGconn *connection = dial(url);
    PGresult *result = run(connection, sql);
    for (int i = 0; i < PQntuples(result); i++)
        function(argument, PQgetvalue(result, i, 0), PQnfields(result) > 1 ? PQgetvalue(result, i, 1) : "");
    PQclear(result);
    PQfinish(connection);
}

void postgres_execute(const char *url, const char *sql)
{
    free(postgres_ask(url, sql));
}

void postgres_database(const char *url, const char *name, const char *template)
{
    char sql[256];
    snprintf(sql, sizeof(sql), "CREATE DATABASE \"%s\" OWNER backplane TEMPLATE \"%s\"", name,
             template ? template : "template1");
    postgres_execute(url, sql);
}

/* Here and not in a shell: with the environment of a deployment's one-shot job, and nothing else. */
static void migrate(const char *url)
{
    char database[POSTGRES_URL_SIZE + 16], direct[POSTGRES_URL_SIZE + 16], folder[SERVICE_FOLDER_SIZE];
    char data[SERVICE_FOLDER_SIZE + 24], log[SERVICE_FOLDER_SIZE + 8];
    int status;
    snprintf(database, sizeof(database), "DATABASE_URL=%s", url);
    snprintf(direct, sizeof(direct), "DIRECT_URL=%s", url);
    service_folder(folder);
    snprintf(data, sizeof(data), "BACKPLANE_DATA=%s", folder);
    snprintf(log, sizeof(log), "%s/log", folder);
    const char *environment[] = {"PATH=/usr/bin:/bin", database, direct, data, "WEBHOOKS=1", NULL}; /* all tables */
    const char *arguments[] = {
        BACKPLANE_BUILD_ROOT "/backplane", "migrate", "up", "-c", BACKPLANE_SOURCE_ROOT "/config/backplane.cfg", NULL};
    pid_t pid = fork();
    if (pid == 0) {
        FILE *file = freopen(log, "w", stdout);
        if (file)
            dup2(fileno(file), STDERR_FILENO);
        execve(arguments[0], (char *const *)(const void *)arguments, (char *const *)(const void *)environment);
        _exit(127);
    }
    if (pid < 0 || waitpid(pid, &status, 0) != pid || status != 0)
        service_fail_with_log("backplane migrate up failed", log);
    service_folder_remove(folder);
}

/* Many tests may want the first one at the same time. */
static void make_template(PGconn *connection, const char *url)
{
    char template[POSTGRES_URL_SIZE];
    PQclear(run(connection, "SELECT pg_advisory_lock(1)"));
    PGresult *there = run(connection, "SELECT 1 FROM pg_database WHERE datname = '" TEMPLATE "'");
    if (PQntuples(there) == 0) {
        PQclear(run(connection, "DROP DATABASE IF EXISTS " TEMPLATE "_new")); /* of one who failed */
        PQclear(run(connection, "CREATE DATABASE " TEMPLATE "_new OWNER backplane"));
        postgres_url_with(url, "backplane", TEMPLATE "_new", template);
        migrate(template);
        PQclear(run(connection, "ALTER DATABASE " TEMPLATE "_new RENAME TO " TEMPLATE));
    }
    PQclear(there);
    PQclear(run(connection, "SELECT pg_advisory_unlock(1)"));
}

void postgres_migrated(const char *url, char ret_url[POSTGRES_URL_SIZE])
{
    static unsigned serial;
    char name[64], sql[160];
    PGconn *connection = dial(url);
    PGresult *there = run(connection, "SELECT 1 FROM pg_database WHERE datname = '" TEMPLATE "'");
    if (PQntuples(there) == 0)
        make_template(connection, url);
    PQclear(there);
    snprintf(name, sizeof(name), "test_%d_%u", (int)getpid(), ++serial);
    snprintf(sql, sizeof(sql), "CREATE DATABASE %s OWNER backplane TEMPLATE " TEMPLATE, name);
    PQclear(run(connection, sql));
    PQfinish(connection);
    postgres_url_with(url, "backplane", name, ret_url);
}
