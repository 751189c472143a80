/* SPDX-License-Identifier: MIT */
/* A bounded pool of niced threads. Jobs lie on the stacks of the fibers that wait for them. */
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "backplane/status.h"
#include "backplane/trace.h"
#include "core/worker/fiber.h"
#include "core/worker/loop_private.h"
#include "core/worker/suspend.h"

#define DEFAULT_QUEUE 256u
/* Below the loop's own thread, so that requests which need no pool stay quick. */
#define NICENESS 10

struct job {
    struct job *prev, *next; /* in the queue */
    int (*function)(void *job);
    void *argument;
    struct fiber_place place;
    struct loop *loop;
    struct bp_fiber *fiber;
    int status;
    bp_time asked;
    bool queued; /* under the mutex: may still be withdrawn */
    bool done;   /* on the loop's thread only */
    struct posted posted;
};

struct offload {
    struct loop *loop;
    unsigned queue_max, thread_max;
    pthread_mutex_t mutex; /* guards all below; never held while a job runs */
    pthread_cond_t work;
    struct job *first, *last;
    unsigned started, idle;
    bool stopping;
    struct loop_offload_stats stats;
    pthread_t threads[];
};

static unsigned cpu_count(void)
{
    cpu_set_t set;
    int count = sched_getaffinity(0, sizeof(set), &set) == 0 ? CPU_COUNT(&set) : 2;
    return count < 2 ? 2 : (unsigned)count;
}

int offload_new(struct loop *loop, const struct loop_options *options, struct offload **ret_offload)
{
    unsigned threads = options->offload_threads ? options->offload_threads : cpu_count();
    struct offload *offload = calloc(1, sizeof(*offload) + threads * sizeof(offload->threads[0]));
    if (!offload)
        return BP_NOMEM;
    offload->loop = loop;
    offload->thread_max = threads;
    offload->queue_max = options->offload_queue ? options->offload_queue : DEFAULT_QUEUE;
    if (pthread_mutex_init(&offload->mutex, NULL) != 0) {
        free(offload);
        return BP_NOMEM;
    }
    if (pthread_cond_init(&offload->work, NULL) != 0) {
        pthread_mutex_destroy(&offload->mutex);
        free(offload);
        return BP_NOMEM;
    }
    *ret_offload = offload;
    return 0;
}

struct offload *offload_free(struct offload *offload)
{
    if (!offload)
        return NULL;
    pthread_mutex_lock(&offload->mutex);
    offload->stopping = true;
    pthread_cond_broadcast(&offload->work);
    pthread_mutex_unlock(&offload->mutex);
    for (unsigned i = 0; i < offload->started; i++)
        pthread_join(offload->threads[i], NULL);
    pthread_cond_destroy(&offload->work);
    pthread_mutex_destroy(&offload->mutex);
    free(offload);
    return NULL;
}

/* With the mutex held. */
static void unqueue(struct offload *offload, struct job *job)
{
    *(job->prev ? &job->prev->next : &offload->first) = job->next;
    *(job->next ? &job->next->prev : &offload->last) = job->prev;
    job->queued = false;
    offload->stats.queued--;
}

/* On the loop's thread. */
static void finished(struct posted *posted)
{
    struct job *job = CONTAINER_OF(posted, struct job, posted);
    job->done = true;
    fiber_wake(job->fiber, 0);
}

static void run_job(struct offload *offload, struct job *job)
{
    unqueue(offload, job);
    offload->stats.waited += (uint64_t)(bp_clock() - job->asked);
    offload->stats.running++;
    pthread_mutex_unlock(&offload->mutex);
    fiber_enter(job->place);
    job->status = job->function(job->argument);
    fiber_enter((struct fiber_place){0});
    pthread_mutex_lock(&offload->mutex);
    offload->stats.running--;
    offload->stats.done++;
    /* The job's memory is the fiber's again from here on. Lock order: this mutex, then that of the posts. */
    posts_add(job->loop, &job->posted);
}

static void *thread_main(void *argument)
{
    struct offload *offload = argument;
    pthread_setname_np(pthread_self(), "offload");
    /* On Linux this is of one thread. Not being allowed to is no reason not to run. */
    (void)setpriority(PRIO_PROCESS, (id_t)syscall(SYS_gettid), NICENESS);
    pthread_mutex_lock(&offload->mutex);
    while (!offload->stopping) {
        if (offload->first) {
            run_job(offload, offload->first);
            continue;
        }
        offload->idle++;
        pthread_cond_wait(&offload->work, &offload->mutex);
        offload->idle--;
    }
    pthread_mutex_unlock(&offload->mutex);
    return NULL;
}

/* With the mutex held. All signals stay with the loop's thread. */
static void start_thread(struct offload *offload)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    if (pthread_create(&offload->threads[offload->started], NULL, thread_main, offload) == 0)
        offload->started++;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

static int submit(struct offload *offload, struct job *job)
{
    int status = BP_BUSY;
    pthread_mutex_lock(&offload->mutex);
    if (offload->stats.queued + offload->stats.running < offload->thread_max + offload->queue_max) {
        if (offload->stats.queued >= offload->idle && offload->started < offload->thread_max)
            start_thread(offload);
        if (offload->started > 0)
            status = 0;
    }
    if (status == 0) {
        job->queued = true;
        job->asked = bp_clock();
        job->next = NULL;
        job->prev = offload->last;
        *(offload->last ? &offload->last->next : &offload->first) = job;
        offload->last = job;
        offload->stats.queued++;
        pthread_cond_signal(&offload->work);
    } else {
        offload->stats.refused++;
    }
    pthread_mutex_unlock(&offload->mutex);
    return status;
}

static bool withdraw(struct offload *offload, struct job *job)
{
    bool withdrawn;
    pthread_mutex_lock(&offload->mutex);
    withdrawn = job->queued;
    if (withdrawn)
        unqueue(offload, job);
    pthread_mutex_unlock(&offload->mutex);
    return withdrawn;
}

/* On a fiber of this loop; see bp_offload(). */
static int loop_offload(struct loop *loop, int (*function)(void *job), void *argument)
{
    struct bp_fiber *fiber = fiber_current();
    struct job job = {.function = function, .argument = argument, .place = fiber_place(), .loop = loop, .fiber = fiber};
    int status;
    if (!fiber)
        return BP_MISUSE;
    if (fiber_canceled(fiber))
        return fiber_canceled(fiber);
    job.posted.function = finished;
    status = submit(loop->offload, &job);
    if (status < 0)
        return status;
    status = fiber_suspend(true);
    if (!job.done && withdraw(loop->offload, &job))
        return status;
    while (!job.done)
        fiber_suspend(false);
    return job.status;
}

int bp_offload(int (*function)(void *job), void *job)
{
    struct bp_fiber *fiber = fiber_current();
    struct bp_trace_span *span = bp_trace_begin("offload", BP_TRACE_INTERNAL);
    int status = fiber ? loop_offload(fiber_loop(fiber), function, job) : BP_MISUSE;
    if (span) {
        bp_trace_text(span, "backplane.plugin", bp_str_of(fiber_place().plugin));
        if (status < 0)
            bp_trace_error(span, bp_status_name(status));
        bp_trace_end(span);
    }
    return status;
}

struct loop_offload_stats loop_offload_stats(const struct loop *loop)
{
    struct loop_offload_stats stats;
    pthread_mutex_lock(&loop->offload->mutex);
    stats = loop->offload->stats;
    stats.threads = loop->offload->started;
    pthread_mutex_unlock(&loop->offload->mutex);
    return stats;
}
