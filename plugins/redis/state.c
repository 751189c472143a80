/* SPDX-License-Identifier: MIT */
/* Is the server there, and does it want what we ask: the breaker, what happens when it opens, and who is told. */
#include <stdio.h>

#include "redis.h"
#include "refusal.h"

#define SAY_AGAIN BP_SECOND /* another reason for the same state is worth a line after this time */

static void say_up(struct redis *redis)
{
    bool news = redis->said.down || redis->said.at == 0;
    redis->reason[0] = '\0';
    redis->said.down = false;
    redis->said.at = bp_clock();
    if (news)
        bp_log(redis->host, BP_LOG_INFO, "redis.up", "Redis answers", bp_log_cstr("server", redis->endpoint.name));
}

static void say_down(struct redis *redis, const char *reason)
{
    bp_time now = bp_clock();
    bool news = !redis->said.down || (strcmp(redis->said.reason, reason) != 0 && now - redis->said.at >= SAY_AGAIN);
    snprintf(redis->reason, sizeof(redis->reason), "%s", reason);
    if (!news)
        return;
    redis->said.down = true;
    redis->said.at = now;
    snprintf(redis->said.reason, sizeof(redis->said.reason), "%s", reason);
    bp_log(redis->host, BP_LOG_WARN, "redis.down", "Redis is away", bp_log_cstr("server", redis->endpoint.name),
           bp_log_cstr("reason", reason));
}

static bool any_ready(const struct redis *redis)
{
    for (uint32_t i = 0; i < redis->connections; i++)
        if (redis->links[i].ready)
            return true;
    return false;
}

void redis_came(struct redis *redis)
{
    struct command *command;
    bp_metric_add(redis->connects_series, 1);
    breaker_probed(&redis->breaker);
    redis->alone_since = 0;
    say_up(redis);
    while ((command = queue_take(&redis->waiting)))
        connection_send(redis_least_busy(redis), command);
    redis_observe_state(redis);
}

static void opened(struct redis *redis, const char *reason)
{
    struct command *command;
    char copy[WIRE_REASON]; /* it may be that of a connection */
    snprintf(copy, sizeof(copy), "%s", reason);
    if (redis->alone_since == 0)
        redis->alone_since = bp_clock();
    say_down(redis, copy);
    for (uint32_t i = 0; i < redis->connections; i++)
        connection_drop(&redis->links[i], copy);
    while ((command = queue_take(&redis->waiting))) {
        redis->queued--;
        command_fail(command, BP_BUSY);
    }
    redis_observe_state(redis);
}

void redis_trip(struct redis *redis, const char *reason)
{
    if (breaker_trip(&redis->breaker, bp_clock()))
        opened(redis, reason);
}

void redis_failed(struct redis *redis, const char *reason)
{
    if (breaker_failed(&redis->breaker, bp_clock()))
        opened(redis, reason);
}

void redis_went(struct redis *redis, const char *reason, bool unreachable)
{
    if (any_ready(redis))
        return;
    if (redis->alone_since == 0)
        redis->alone_since = bp_clock();
    if (unreachable)
        redis_trip(redis, reason);
    say_down(redis, reason);
    redis_observe_state(redis);
}

struct connection *redis_least_busy(struct redis *redis)
{
    struct connection *best = NULL;
    for (uint32_t i = 0; i < redis->connections; i++)
        if (redis->links[i].ready && (!best || redis->links[i].queue.len < best->queue.len))
            best = &redis->links[i];
    return best;
}

void redis_wrote(struct redis *redis)
{
    if (!redis->refusal)
        return;
    bp_log(redis->host, BP_LOG_INFO, "redis.accepting", "Redis accepts writes again",
           bp_log_cstr("refused_before", redis->refusal));
    redis->refusal = NULL;
}

/* A line about a command that went wrong, at most one a second. */
static void complain(struct redis *redis, const char *message, const char *command, bp_str error)
{
    bp_time now = bp_clock();
    if (redis->complained_at != 0 && now - redis->complained_at < BP_SECOND)
        return;
    redis->complained_at = now;
    bp_log(redis->host, BP_LOG_ERROR, "redis.command_failed", message, bp_log_cstr("command", command),
           bp_log_str("error", error));
}

int redis_refused(struct redis *redis, const char *command, bp_str error)
{
    struct refusal refusal = refusal_of(error);
    bp_str start = bp_str_n(error.ptr, error.len < WIRE_REASON - 1 ? error.len : WIRE_REASON - 1);
    char reason[WIRE_REASON];
    snprintf(reason, sizeof(reason), "%" BP_STR_FMT, BP_STR_ARG(start));
    if (!refusal.code || refusal.status != BP_BUSY) {
        complain(redis, "Redis refused a command", command, start);
        return refusal.status;
    }
    if (redis->refusal != refusal.code) {
        redis->refusal = refusal.code;
        bp_log(redis->host, BP_LOG_WARN, "redis.refusing", "Redis refuses commands in its present state",
               bp_log_cstr("command", command), bp_log_str("error", start));
    }
    if (refusal.away)
        redis_trip(redis, reason);
    return refusal.status;
}

int redis_odd_answer(struct redis *redis, const char *command)
{
    complain(redis, "Redis gave an answer that the command cannot have", command, BP_STR(""));
    return BP_ERROR;
}
