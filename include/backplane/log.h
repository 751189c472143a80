/* SPDX-License-Identifier: MIT */
/*
 * The server's log: one event a line (JSON, or text on a terminal), with fields. The core adds time,
 * level, plugin instance, pid, and on a request's fiber its request_id. Values are escaped; a field whose
 * name ends in "password", "secret", "token" or "authorization" is written as "[redacted]".
 * Library code does not log: the frame that handles an error logs it once. No function suspends.
 */
#ifndef BACKPLANE_LOG_H
#define BACKPLANE_LOG_H

#include "backplane/str.h"

#ifdef __cplusplus
extern "C" {
#endif

struct bp_host;

/* How grave: debug (for authors), info (what was asked for took place), warn (borne, worth a look), error (somebody has to act). */
enum bp_level { BP_LOG_DEBUG, BP_LOG_INFO, BP_LOG_WARN, BP_LOG_ERROR };

/* Which member of a field holds its value. */
enum bp_log_kind { BP_LOG_STR, BP_LOG_INT, BP_LOG_NUM, BP_LOG_BOOL };

/* A field of a line; made by the functions below. Name and text are borrowed until the line was written. */
struct bp_log_field {
    const char *name;
    enum bp_log_kind kind;
    bp_str str;
    int64_t integer;
    double number;
};

/* A field each: a text, a NUL-terminated one (NULL: empty), an integer, a number, a truth value. Pure. */
static inline struct bp_log_field bp_log_str(const char *name, bp_str value)
{
    struct bp_log_field f = {name, BP_LOG_STR, value, 0, 0};
    return f;
}
static inline struct bp_log_field bp_log_cstr(const char *name, const char *value)
{
    return bp_log_str(name, bp_str_of(value));
}
static inline struct bp_log_field bp_log_int(const char *name, int64_t value)
{
    struct bp_log_field f = {name, BP_LOG_INT, {NULL, 0}, value, 0};
    return f;
}
static inline struct bp_log_field bp_log_num(const char *name, double value)
{
    struct bp_log_field f = {name, BP_LOG_NUM, {NULL, 0}, 0, value};
    return f;
}
static inline struct bp_log_field bp_log_bool(const char *name, bool value)
{
    struct bp_log_field f = {name, BP_LOG_BOOL, {NULL, 0}, value, 0};
    return f;
}

/* Ends a list of fields. */
static inline struct bp_log_field bp_log_end(void)
{
    struct bp_log_field f = {NULL, BP_LOG_STR, {NULL, 0}, 0, 0};
    return f;
}

/* Writes a line, if its level is one that is written. Use bp_log(). Thread-safe; does not suspend. host may be NULL in the core. event: a dotted name ("sqlite.open_failed"); message: a
 * sentence for a reader, without data, which goes into fields; fields: up to the first without a name. */
void bp_log_write(struct bp_host *host, enum bp_level level, const char *event, const char *message,
                  const struct bp_log_field *fields);
/* True when a line of this level would be written: guards expensive fields. Thread-safe. */
bool bp_log_enabled(enum bp_level level);

/* True when the name of a parameter speaks of a secret (token, password, secret, key, code, signature, authorization; in any case, percent-encoded
 * or not): its value is to be shown to nobody. Thread-safe. */
bool bp_is_secret_name(bp_str name);

#ifndef __cplusplus
/* Writes a line with any number of fields, as bp_log_write().
 *
 *     bp_log(host, BP_LOG_WARN, "auth.slow_hash", "Hashing took long", bp_log_int("ms", ms));
 */
#define bp_log(host, level, event, ...)                                  \
    bp_log_write((host), (level), (event), BP_LOG_HEAD_(__VA_ARGS__, 0), \
                 (const struct bp_log_field[])BP_LOG_TAIL_(__VA_ARGS__, bp_log_end()))
#define BP_LOG_HEAD_(message, ...) (message)
#define BP_LOG_TAIL_(message, ...) \
    {                              \
        __VA_ARGS__                \
    }
#endif

/* Writes a line of the audit log, the stream of security events (OWASP ASVS V16: who logged in, who was refused, what changed of accounts and
 * rights), whatever the level that is written: as a line of the log with "stream":"audit", to where server.audit_log says. The core adds what it adds to
 * each line, and on a request's fiber the client's address. event, message, fields and the rest as bp_log_write(). Never a secret. Use bp_audit(). */
void bp_audit_write(struct bp_host *host, const char *event, const char *message, const struct bp_log_field *fields);
#ifndef __cplusplus
/* Writes a line with any number of fields, as bp_audit_write().
 *
 *     bp_audit(host, "auth.login", "Logged in", bp_log_cstr("outcome", "ok"), bp_log_str("user_id", id));
 */
#define bp_audit(host, event, ...)                                \
    bp_audit_write((host), (event), BP_LOG_HEAD_(__VA_ARGS__, 0), \
                   (const struct bp_log_field[])BP_LOG_TAIL_(__VA_ARGS__, bp_log_end()))
#endif

/* In start: calls function(argument) on the loop, without a fiber, when the operator wants log files opened again (SIGUSR1 to the
 * supervisor, after a rotation). Ends with the instance. 0 or -2 (BP_NOMEM). */
int bp_on_reopen(struct bp_host *host, void (*function)(void *argument), void *argument);

/* A line of the log or of the audit log as it was written, for who hands lines on. Everything is borrowed until the function returns. */
struct bp_trace_context;
struct bp_log_line {
    uint32_t size;
    uint32_t level;  /* enum bp_level */
    uint32_t audit;  /* 1: of the audit log */
    uint32_t fields; /* how many there are; more than 32 are not shown */
    int64_t date;    /* bp_date: when */
    const char *event, *message;
    bp_str plugin;             /* the instance that wrote it; empty: the core */
    bp_str request_id, client; /* of the request on whose fiber it was written; client of the audit log only */
    const struct bp_trace_context *trace; /* of its current span; NULL: none */
    const struct bp_log_field *field;     /* without secrets */
};
/* In start: calls function(argument, line) for each line that this process writes, on the thread that writes it, one at a time. It must neither wait nor log
 * (a line that it writes all the same is not handed to anybody). Ends with the instance. 0 or -2 (BP_NOMEM). */
int bp_on_log(struct bp_host *host, void (*function)(void *argument, const struct bp_log_line *line), void *argument);

#ifdef __cplusplus
}
#endif
#endif
