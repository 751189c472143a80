/* SPDX-License-Identifier: MIT */
/* OpenTelemetry's semantic conventions for database clients. The provider adds db.response.status_code. */
#include "core/database/span.h"

#include <stdio.h>

#include "backplane/status.h"

/* A table's name is one word more; what is longer is cut. */
#define NAME_MAX_BYTES 96

static bool is_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '.';
}

static const char *text_end(const char *at, const char *end)
{
    const char *quote = memchr(at + 1, '\'', (size_t)(end - at - 1));
    return quote ? quote + 1 : end;
}

/* The next word of the text; texts in quotes, which may say anything, and signs are passed over. */
static bool next_word(bp_str *rest, bp_str *ret_word)
{
    const char *at = rest->ptr, *end = rest->ptr + rest->len;
    while (at < end && !is_word(*at))
        at = *at == '\'' ? text_end(at, end) : at + 1;
    const char *begin = at;
    while (at < end && is_word(*at))
        at++;
    *ret_word = bp_str_n(begin, (size_t)(at - begin));
    *rest = bp_str_n(at, (size_t)(end - at));
    return at > begin;
}

static bool is_one_of(bp_str word, const char *const *words)
{
    for (; *words; words++)
        if (bp_str_eq_nocase(word, bp_str_of(*words)))
            return true;
    return false;
}

void sql_summary(bp_str sql, bp_str *ret_operation, bp_str *ret_collection)
{
    static const char *const before_table[] = {"FROM", "INTO", "UPDATE", NULL};
    static const char *const between[] = {"ONLY", "LATERAL", "OR", "IGNORE", "REPLACE", NULL};
    static const char *const writes[] = {"INSERT", "UPDATE", "DELETE", "MERGE", NULL};
    static const char *const subquery[] = {"SELECT", "WITH", "VALUES", NULL};
    bp_str rest = sql, word;
    *ret_operation = *ret_collection = bp_str_n(sql.ptr, 0);
    if (!next_word(&rest, ret_operation))
        return;
    bool with = bp_str_eq_nocase(*ret_operation, BP_STR("WITH")), expected = is_one_of(*ret_operation, before_table);
    while (ret_collection->len == 0 || with) {
        if (!next_word(&rest, &word)) {
            if (with)
                *ret_operation = BP_STR("SELECT");
            return;
        }
        if (with && is_one_of(word, writes)) { /* what it is for counts, not what it begins with */
            *ret_operation = word;
            ret_collection->len = 0;
            with = false;
        }
        if (is_one_of(word, before_table)) {
            expected = true;
        } else if (expected && !is_one_of(word, between)) {
            expected = false;
            if (ret_collection->len == 0 && !is_one_of(word, subquery))
                *ret_collection = word;
        }
    }
}

struct bp_trace_span *database_span_begin(const char *system, const struct bp_statement *statement)
{
    struct bp_trace_span *span = bp_trace_begin(statement->name, BP_TRACE_CLIENT);
    char name[NAME_MAX_BYTES];
    if (!span)
        return NULL;
    bp_str sql = bp_str_of(statement->sql_postgres && strcmp(system, "postgresql") == 0 ? statement->sql_postgres
                                                                                        : statement->sql);
    bp_str operation, collection;
    sql_summary(sql, &operation, &collection);
    int len = snprintf(name, sizeof(name), "%" BP_STR_FMT "%s%" BP_STR_FMT, BP_STR_ARG(operation),
                       collection.len ? " " : "", BP_STR_ARG(collection));
    if (len > 0 && operation.len > 0)
        bp_trace_rename(span, bp_str_n(name, (size_t)len < sizeof(name) ? (size_t)len : sizeof(name) - 1));
    bp_trace_text_borrow(span, "db.system.name", bp_str_of(system));
    bp_trace_text(span, "db.operation.name", operation);
    if (collection.len > 0)
        bp_trace_text(span, "db.collection.name", collection);
    if (statement->flags & BP_SQL_ONCE) {
        bp_trace_text(span, "db.query.text", sql);
        bp_trace_text(span, "backplane.statement", bp_str_of(statement->name));
    } else {
        bp_trace_text_borrow(span, "db.query.text", sql);
        bp_trace_text_borrow(span, "backplane.statement", bp_str_of(statement->name));
    }
    return span;
}

struct bp_trace_span *database_span_command(const char *system, const char *command)
{
    struct bp_trace_span *span = bp_trace_begin(command, BP_TRACE_CLIENT);
    bp_trace_text_borrow(span, "db.system.name", bp_str_of(system));
    bp_trace_text_borrow(span, "db.operation.name", bp_str_of(command));
    return span;
}

void database_span_end(struct bp_trace_span *span, int status)
{
    if (status < 0)
        bp_trace_error(span, bp_status_name(status));
    bp_trace_end(span);
}
