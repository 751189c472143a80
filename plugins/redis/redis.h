/* SPDX-License-Identifier: MIT */
/* An instance: its options, then what it needs to run. */
#ifndef REDIS_REDIS_H
#define REDIS_REDIS_H

#include "backplane/backplane.h"
#include "backplane/iface/key_value.h"
#include "breaker.h"
#include "command.h"
#include "connection.h"
#include "subscriber.h"
#include "wire.h"

struct sha; /* script.c */

struct redis {
    /* options */
    bp_str url, prefix, client_name;
    bp_str tls_ca, tls_certificate, tls_key, tls_server_name;
    bp_span timeout, connect_timeout, open_time, grace;
    int64_t database;
    uint64_t reply_limit;
    uint32_t connections, queue, failures;
    bool tls_verify, required;

    struct bp_host *host;
    struct redis_endpoint endpoint;
    struct bp_metric *up, *open, *in_flight, *pending, *limit, *refused, *failed, *connects, *duration;

    /* from start to deinit */
    SSL_CTX *tls;
    struct wire_target target;
    struct breaker breaker;
    struct connection *links;     /* connections of them */
    struct command_queue waiting; /* for a connection */
    size_t queued;                /* commands that were not answered yet, those of callers that left included */
    struct subscriber subscriber;
    struct sha *scripts;
    bool stopping;
    bp_time alone_since; /* no connection since then; 0: there is one */
    struct bp_series *up_series, *open_series, *in_flight_series, *pending_series, *refused_series, *connects_series;
    struct {
        bool down;
        bp_time at;
        char reason[WIRE_REASON];
    } said;                   /* in the log */
    char reason[WIRE_REASON]; /* why it is away */
    const char *refusal;      /* code of the state that makes the server refuse writes; NULL: none */
    bp_time complained_at;    /* about a command that the server called wrong */
};

extern const struct bp_key_value_vtable redis_vtable;
extern const struct bp_health_check redis_health;

/* --- state.c --- */

/* A connection is ready. */
void redis_came(struct redis *redis);
/* One ended; unreachable: could not even be made, so that, when there is no other, it stops asking. reason is copied. */
void redis_went(struct redis *redis, const char *reason, bool unreachable);
/* The connection that is ready and has least to do; NULL when none is. */
struct connection *redis_least_busy(struct redis *redis);
/* Stops asking: connections end, who waits is told. */
void redis_trip(struct redis *redis, const char *reason);
/* A command failed, late or lost: stops asking when there were too many. */
void redis_failed(struct redis *redis, const char *reason);
/* A command that writes was done: the server no longer refuses them. */
void redis_wrote(struct redis *redis);
/* What an error answer means: a status. */
int redis_refused(struct redis *redis, const char *command, bp_str error);
/* The answer is none that the command can have: logged; BP_ERROR. */
int redis_odd_answer(struct redis *redis, const char *command);

/* --- observe.c --- */

extern const struct bp_metric_row redis_metrics[];
void redis_observe_start(struct redis *redis);
void redis_observe_command(struct redis *redis, const char *command, bp_time started, int status);
/* Sets the gauges of commands; of connections and the breaker as well. */
void redis_observe_queue(const struct redis *redis);
void redis_observe_state(struct redis *redis);
/* A command in a trace: its name, never its keys or values. */
struct bp_trace_span *redis_span_begin(const struct redis *redis, const char *command);
void redis_span_end(struct bp_trace_span *span, int status);

/* --- call.c --- */

enum ask_flag { ASK_REPEATABLE = 1, ASK_WRITES = 2 };
struct ask {
    const char *name; /* for metrics and logs */
    unsigned flags;   /* enum ask_flag */
    bool always;      /* see struct bp_kv_wait */
    bp_time until;
    bp_span patience;
};
struct ask ask_make(const struct redis *redis, const struct bp_kv_wait *wait, const char *name, unsigned flags);
enum call_condition { CALL_NO_SCRIPT = 1 };
/* Sends the words and suspends until they were answered: 0 and the reply, which is the caller's to free and no error;
 * CALL_NO_SCRIPT; or a negative status. words are deinitialised in any case. */
int redis_call(struct redis *redis, const struct ask *ask, struct words *words, struct reply **ret_reply);

/* --- key_value.c --- */

/* Decimal, into text. */
bp_str text_of_integer(int64_t integer, char text[24]);

/* --- script.c --- */

int redis_script(struct redis *redis, const struct bp_kv_wait *wait, const struct bp_kv_script *script,
                 const bp_str *keys, size_t key_count, const bp_str *arguments, size_t argument_count,
                 struct reply **ret_reply);
struct sha *sha_free(struct sha *list);

#endif
