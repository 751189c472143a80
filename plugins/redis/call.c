/* SPDX-License-Identifier: MIT */
/* The way of one command: queued, sent, waited for. */
#include "redis.h"
#include "refusal.h"

struct ask ask_make(const struct redis *redis, const struct bp_kv_wait *wait, const char *name, unsigned flags)
{
    bp_span timeout = wait && wait->timeout > 0 ? wait->timeout : redis->timeout;
    struct ask ask = {.name = name, .flags = flags, .always = wait && wait->always, .until = BP_FOREVER};
    ask.patience = timeout > redis->timeout ? timeout : redis->timeout;
    if (timeout != BP_FOREVER && __builtin_add_overflow(bp_clock(), timeout, &ask.until))
        ask.until = BP_FOREVER;
    if (ask.patience > BP_HOUR)
        ask.patience = BP_HOUR; /* no answer at all for so long is no answer */
    return ask;
}

/* 0, or why not to ask. */
static int may_ask(struct redis *redis)
{
    if (redis->stopping)
        return BP_BUSY;
    if (redis->alone_since != 0 && bp_clock() - redis->alone_since >= redis->timeout)
        redis_trip(redis, redis->reason[0] ? redis->reason : "no connection yet");
    if (!redis->breaker.open && redis->queued < redis->queue)
        return 0;
    bp_metric_add(redis->refused_series, 1);
    return BP_BUSY;
}

static void expire(void *argument)
{
    struct call *call = argument;
    bp_event_set(&call->done);
}

/* Returns when it is answered or failed, or with why it is not. */
static int await(struct redis *redis, const struct ask *ask, struct call *call)
{
    bp_time now = bp_clock();
    int status = bp_event_wait(&call->done, ask->until == BP_FOREVER ? BP_FOREVER : ask->until - now);
    if (status == 0 || !ask->always)
        return status;
    now = bp_clock();
    if (now >= ask->until)
        return BP_TIMEOUT;
    /* The client is gone or its time is up, so that every further wait would end at once: a timer ends this one. */
    struct bp_timer *timer =
        bp_timer_every(redis->host, ask->until == BP_FOREVER ? redis->timeout : ask->until - now, expire, call);
    if (!timer)
        return BP_NOMEM;
    bp_event_wait_always(&call->done);
    bp_timer_free(timer);
    return call->reply || call->status ? 0 : BP_TIMEOUT;
}

/* The caller leaves: a command that nobody has seen yet is taken back, any other keeps its place for the answer. */
static void leave(struct redis *redis, struct command *command)
{
    bool taken = !command->offered && queue_remove(&redis->waiting, command);
    command->call = NULL;
    for (uint32_t i = 0; i < redis->connections && !taken; i++)
        taken = connection_take_back(&redis->links[i], command);
    if (taken) {
        redis->queued--;
        command_free(command);
    }
}

static void enqueue(struct redis *redis, struct command *command)
{
    struct connection *connection = redis_least_busy(redis);
    redis->queued++;
    if (connection)
        connection_send(connection, command);
    else
        queue_add(&redis->waiting, command);
    redis_observe_queue(redis);
}

static int understand(struct redis *redis, const struct ask *ask, struct reply *reply, struct reply **ret_reply)
{
    int status;
    if (reply->type != REDIS_REPLY_ERROR) {
        breaker_succeeded(&redis->breaker);
        if (ask->flags & ASK_WRITES)
            redis_wrote(redis);
        *ret_reply = reply;
        return 0;
    }
    status =
        refusal_is_no_script(reply_text(reply)) ? CALL_NO_SCRIPT : redis_refused(redis, ask->name, reply_text(reply));
    reply_free(reply);
    return status;
}

static int send_and_wait(struct redis *redis, const struct ask *ask, struct command *command, struct reply **ret_reply)
{
    struct call call = {0};
    int status;
    command->call = &call;
    command->repeatable = ask->flags & ASK_REPEATABLE;
    command->patience = ask->patience;
    enqueue(redis, command);
    status = await(redis, ask, &call);
    if (call.reply)
        return understand(redis, ask, call.reply, ret_reply);
    if (call.status != 0)
        return call.status;
    leave(redis, command);
    if (status == BP_TIMEOUT && bp_clock() >= ask->until && ask->until != BP_FOREVER)
        redis_failed(redis, "answers come too late");
    return status;
}

int redis_call(struct redis *redis, const struct ask *ask, struct words *words, struct reply **ret_reply)
{
    struct command *command = NULL;
    bp_time started = bp_clock();
    int status = bp_fiber_arena() ? may_ask(redis) : BP_MISUSE;
    if (status == 0)
        status = command_new(words, &command);
    words_deinit(words);
    if (status != 0)
        return status;
    struct bp_trace_span *span = redis_span_begin(redis, ask->name);
    status = send_and_wait(redis, ask, command, ret_reply);
    redis_observe_command(redis, ask->name, started, status);
    redis_span_end(span, status);
    return status;
}
