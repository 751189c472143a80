/* SPDX-License-Identifier: MIT */
/* A job's fiber: from its row to what its function returned. */
#include <stdlib.h>

#include "queue.h"

static struct run *run_of(struct bp_job *job)
{
    return (struct run *)(void *)((char *)job - offsetof(struct run, job));
}

static void set_reason(struct run *run, bp_str text)
{
    text = bp_utf8_cut(text, QUEUE_REASON_MAX);
    if (text.len > 0)
        memcpy(run->reason, text.ptr, text.len);
    run->reason_len = text.len;
    for (size_t i = 0; i < text.len; i++)
        if (run->reason[i] == '\0')
            run->reason[i] = ' '; /* no text of the database's */
}

void run_reason(struct bp_job *job, bp_str text)
{
    set_reason(run_of(job), text);
}

void run_retry_at(struct bp_job *job, bp_date at)
{
    run_of(job)->retry_at = at;
}

void run_free(struct run *run)
{
    struct queue *queue = run->queue;
    *(run->prev ? &run->prev->next : &queue->runs) = run->next;
    if (run->next)
        run->next->prev = run->prev;
    free(run);
    bp_release();
}

/* After a failed attempt: again, or never. */
static void fail(struct run *run, const char *why)
{
    uint32_t random;
    bp_date now = bp_date_now();
    bp_random(&random, sizeof(random));
    if (run->reason_len == 0)
        set_reason(run, bp_str_of(why));
    run->retry_after = run->retry_at > 0 ? (run->retry_at > now ? (run->retry_at - now) * BP_MILLISECOND : 0)
                                         : bp_backoff(run->job.attempt, run->kind->def.retry_after,
                                                      run->kind->def.retry_at_most, random);
    bool late = run->expires_at > 0 && now + run->retry_after / BP_MILLISECOND >= run->expires_at;
    run->outcome = late || run->job.attempt >= run->attempts ? OUTCOME_DEAD : OUTCOME_RETRY;
}

static void note(const struct run *run)
{
    char id[BP_UUID_LEN];
    bool dead = run->outcome == OUTCOME_DEAD;
    bp_uuid_format(&run->job.id, id);
    bp_log(run->kind->host, dead ? BP_LOG_ERROR : BP_LOG_WARN, dead ? "queue.job_dead" : "queue.job_failed",
           dead ? "A job failed and is not tried again" : "A job failed and will be tried again",
           bp_log_str("job_id", bp_str_n(id, sizeof(id))), bp_log_cstr("kind", run->kind->def.name),
           bp_log_int("attempt", run->job.attempt), bp_log_str("reason", bp_str_n(run->reason, run->reason_len)),
           bp_log_num("retry_after", dead ? 0 : (double)run->retry_after / (double)BP_SECOND));
}

/* A job that was cancelled from outside of its function was given back, or taken away; neither is a failure of its own. */
static void conclude(struct run *run, int status)
{
    if (status == 0)
        run->outcome = OUTCOME_DONE;
    else if (run->lost || (status == BP_CANCELED && bp_draining()))
        run->outcome = OUTCOME_GIVEN_BACK;
    else if (status > 0) {
        run->outcome = OUTCOME_DEAD;
        if (run->reason_len == 0)
            set_reason(run, BP_STR("It cannot succeed"));
    } else
        fail(run, bp_status_name(status));
    if (run->outcome == OUTCOME_DEAD || run->outcome == OUTCOME_RETRY)
        note(run);
}

static int call(struct run *run)
{
    const struct kind *kind = run->kind;
    struct bp_arena *arena = bp_fiber_arena();
    if (run->expires_at > 0 && bp_date_now() >= run->expires_at) {
        set_reason(run, BP_STR("It was not run before max_age had passed"));
        return BP_JOB_DEAD;
    }
    if (run->payload.ptr && kind->def.payload) {
        bp_str problem = {NULL, 0};
        void *object = bp_arena_alloc(arena, kind->def.payload_size);
        int status = object ? bp_object_decode(kind->def.payload, run->payload, arena, object, &problem) : BP_NOMEM;
        if (status == BP_ERROR && problem.ptr)
            set_reason(run, bp_arena_printf(arena, "its payload: %" BP_STR_FMT, BP_STR_ARG(problem)));
        if (status < 0)
            return status;
        run->job.payload = object;
    }
    return kind->def.run(&run->job, kind->argument);
}

static void trace_begin(const struct run *run, struct bp_trace_span **ret_span)
{
    struct bp_trace_context context;
    char id[BP_UUID_LEN];
    *ret_span = bp_trace_root(run->kind->def.name, BP_TRACE_CONSUMER, NULL);
    if (!*ret_span)
        return;
    if (run->traceparent.len > 0 && bp_trace_parent_parse(run->traceparent, &context)) {
        context.state = run->tracestate;
        bp_trace_link(*ret_span, &context);
    }
    bp_uuid_format(&run->job.id, id);
    bp_trace_text_borrow(*ret_span, "messaging.operation.type", BP_STR("process"));
    bp_trace_text_borrow(*ret_span, "messaging.system", BP_STR("backplane"));
    bp_trace_text_borrow(*ret_span, "messaging.destination.name", run->kind->lane->name);
    bp_trace_text(*ret_span, "messaging.message.id", bp_str_n(id, sizeof(id)));
    bp_trace_integer(*ret_span, "backplane.job.attempt", run->job.attempt);
}

static int run_job(void *argument)
{
    struct run *run = argument;
    struct bp_trace_span *span;
    bp_time begun = bp_clock();
    run->fiber = bp_fiber_current();
    trace_begin(run, &span);
    int status = call(run);
    if (status != 0)
        bp_trace_error(span, status < 0 ? bp_status_name(status) : "dead");
    bp_metric_observe(run->kind->duration, (double)(bp_clock() - begun) / (double)BP_SECOND);
    run->fiber = NULL;
    conclude(run, status);
    bp_trace_end(span);
    ready_next(run->kind->lane);
    settle_add(run);
    return 0;
}

void run_start(struct run *run)
{
    run->kind->lane->running++;
    if (bp_spawn(run->kind->host, run->kind->def.name, run_job, run, run->kind->def.timeout) < 0) {
        fail(run, "BP_NOMEM");
        note(run);
        settle_add(run);
        run->kind->lane->running--;
    }
}
