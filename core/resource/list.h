/* SPDX-License-Identifier: MIT */
/* Lists of a resource: their query parameters, and a statement for each combination that is asked for. */
#ifndef CORE_RESOURCE_LIST_H
#define CORE_RESOURCE_LIST_H

#include "core/resource/cursor.h"
#include "core/resource/resource.h"

/* What a list's request comes to. */
struct list_request {
    const struct list_query *query;
    const bp_uuid *owner;
    struct sort_key sort[SORT_KEYS];
    unsigned sort_count;
    const struct filter *filters[RESOURCE_QUERIES]; /* those given, in the order of the table */
    struct bp_db_value values[RESOURCE_QUERIES];    /* theirs */
    unsigned filter_count;
    bool by_cursor, total, searches;
    struct bp_db_value keys[SORT_KEYS + 1]; /* where the cursor points */
    bp_str binding;                         /* what a cursor must have been made for: owner, filters, sort, search */
};

/* list_query.c: derives the query table. NULL, or what is wrong. */
const char *list_query_compile(struct resource *resource);
/* Takes "name=value" off the front of a query that is not empty. */
bp_str list_next_pair(bp_str *rest);
/* Reads and checks the query. 0, or BP_REFUSED with the 400 recorded. */
int list_read(struct bp_request *rq, struct resource *resource, const struct list_query *query, const bp_uuid *owner,
              struct list_request *ret_list);

/* list_sql.c: the statement for it, made on first use. NULL: out of memory. *ret_once: it is the caller's to free, too rare to be
 * remembered. */
struct statement *list_statement(struct resource *resource, const struct list_request *list, bool *ret_once);
void list_statement_free(struct statement *statement);
/* What a member is compared by in a cursor (enum bp_type), and its value in a row, with what stands for NULL. */
uint32_t list_key_type(const struct resource *resource, unsigned member);
bool list_key(const struct resource *resource, unsigned member, void *object, struct bp_arena *arena,
              struct bp_db_value *ret_value);

/* list.c: derives the tables of the reply. NULL, or what is wrong. */
const char *list_compile(struct resource *resource);
/* From server.secret, else made up for as long as the server runs; the same in all workers. */
const unsigned char *resource_cursor_key(struct resource *resource);

#endif
