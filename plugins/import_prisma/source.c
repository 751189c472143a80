/* SPDX-License-Identifier: MIT */
#include "source.h"

#include <stdio.h>
#include <stdlib.h>

#include "url.h"

/* ---- on another thread ---- */

struct connecting {
    const char *url;
    PGconn *pg;
};

static int do_connect(void *job)
{
    struct connecting *connecting = job;
    /* What the URL says goes before what stands to the left of it. */
    const char *const keywords[] = {"connect_timeout", "fallback_application_name", "dbname", NULL};
    const char *const values[] = {"10", "backplane import", connecting->url, NULL};
    connecting->pg = PQconnectdbParams(keywords, values, 1);
    return connecting->pg ? 0 : BP_NOMEM;
}

struct asking {
    PGconn *pg;
    const char *sql, *value;
    PGresult *result;
};

static int do_ask(void *job)
{
    struct asking *asking = job;
    asking->result = PQexecParams(asking->pg, asking->sql, asking->value ? 1 : 0, NULL, &asking->value, NULL, NULL, 0);
    return 0;
}

/* ---- on the fiber ---- */

static int complain(const PGconn *pg)
{
    fprintf(stderr, "the old database: %s", PQerrorMessage(pg));
    return BP_ERROR;
}

int source_read(struct source *source, const char *sql, const char *value, PGresult **ret_rows)
{
    struct asking asking = {.pg = source->pg, .sql = sql, .value = value};
    int status = bp_offload(do_ask, &asking);
    if (status < 0)
        return bp_trace(status);
    ExecStatusType kind = PQresultStatus(asking.result);
    if (kind != PGRES_TUPLES_OK && kind != PGRES_COMMAND_OK) {
        PQclear(asking.result);
        return complain(source->pg);
    }
    *ret_rows = asking.result;
    return 0;
}

static int run(struct source *source, const char *sql, const char *value)
{
    PGresult *rows;
    int status = source_read(source, sql, value, &rows);
    if (status == 0)
        PQclear(rows);
    return status;
}

int source_open(struct source *source, const char *url)
{
    char libpq_url[URL_SIZE], schema[SCHEMA_SIZE];
    struct connecting connecting = {.url = libpq_url};
    if (!url_for_libpq(url, libpq_url, schema)) {
        fputs("the old database: its URL is too long\n", stderr);
        return BP_ERROR;
    }
    int status = bp_offload(do_connect, &connecting);
    if (status < 0)
        return bp_trace(status);
    source->pg = connecting.pg;
    if (PQstatus(source->pg) != CONNECTION_OK)
        return complain(source->pg);
    status = run(source, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", NULL);
    if (status == 0)
        status = run(source, "SET statement_timeout = 0", NULL);
    if (status == 0)
        status = run(source, "SET idle_in_transaction_session_timeout = 0", NULL);
    if (status == 0 && schema[0])
        status = run(source, "SELECT pg_catalog.set_config('search_path', pg_catalog.quote_ident($1), false)", schema);
    return status;
}

void source_close(struct source *source)
{
    PQfinish(source->pg);
    source->pg = NULL;
}
