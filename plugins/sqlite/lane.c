/* SPDX-License-Identifier: MIT */
#include "lane.h"

#include <signal.h>
#include <stdlib.h>
#include <time.h>

#define TAKEN_MAX 256u      /* writes that share a commit */
#define PROGRESS_STEPS 4000 /* of SQLite's machine, between two looks at whether it must stop */

void job_list_add(struct job_list *list, struct job *job)
{
    job->next = NULL;
    job->prev = list->tail;
    if (list->tail)
        list->tail->next = job;
    else
        list->head = job;
    list->tail = job;
    list->len++;
}

static void job_list_remove(struct job_list *list, struct job *job)
{
    if (job->prev)
        job->prev->next = job->next;
    else
        list->head = job->next;
    if (job->next)
        job->next->prev = job->prev;
    else
        list->tail = job->prev;
    list->len--;
    job->prev = job->next = NULL;
}

/* --- the loop's side --- */

static void deliver(void *argument)
{
    struct lane *lane = argument;
    struct job *job;
    pthread_mutex_lock(&lane->mutex);
    job = lane->done.head;
    lane->done = (struct job_list){0};
    lane->posted = false;
    pthread_mutex_unlock(&lane->mutex);
    while (job) {
        struct job *next = job->next;
        bp_event_set(&job->event);
        job = next;
    }
}

static void deliver_opened(void *argument)
{
    struct lane *lane = argument;
    bp_event_set(&lane->opened);
}

static void deliver_closed(void *argument)
{
    struct lane *lane = argument;
    bp_event_set(&lane->closed);
}

/* Out of memory here would leave fibers waiting for ever: try until there is some. */
static void post(struct lane *lane, void (*function)(void *argument))
{
    const struct timespec pause = {.tv_nsec = 1000000};
    while (!bp_post(lane->host, function, lane))
        nanosleep(&pause, NULL);
}

bool lane_is_late(const struct lane *lane)
{
    return lane->deadline != 0 && bp_clock() >= lane->deadline;
}

/* sqlite3_interrupt() alone would be lost when it comes before the first step. */
static int must_stop(void *argument)
{
    struct lane *lane = argument;
    return atomic_load_explicit(&lane->interrupt, memory_order_relaxed) || lane_is_late(lane);
}

static void *thread_main(void *argument)
{
    struct lane *lane = argument;
    lane->open_status = connection_open(&lane->options, &lane->connection, &lane->failure);
    if (lane->open_status == 0)
        sqlite3_progress_handler(lane->connection.db, PROGRESS_STEPS, must_stop, lane);
    post(lane, deliver_opened);
    if (lane->open_status == 0)
        lane->work(lane);
    connection_close(&lane->connection);
    /* The last call: the loop has seen all others when it sees this one. */
    post(lane, deliver_closed);
    return NULL;
}

static struct lane *lane_free(struct lane *lane)
{
    pthread_cond_destroy(&lane->wake);
    pthread_mutex_destroy(&lane->mutex);
    free(lane);
    return NULL;
}

static int start_thread(struct lane *lane, const char *name)
{
    sigset_t all, before;
    int error;
    /* Signals are the loop's business. */
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    error = pthread_create(&lane->thread, NULL, thread_main, lane);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (error == 0)
        pthread_setname_np(lane->thread, name);
    return error;
}

int lane_start(const struct lane_options *options, struct lane **ret_lane, struct failure *failure)
{
    pthread_condattr_t monotonic;
    int status;
    struct lane *lane = calloc(1, sizeof(*lane));
    if (!lane)
        return BP_NOMEM;
    lane->host = options->host;
    lane->options = options->connection;
    lane->transaction_deadline = options->transaction_deadline;
    lane->limit = options->limit;
    lane->write_lock = options->write_lock;
    lane->waiting = options->waiting;
    lane->work = options->work;
    pthread_mutex_init(&lane->mutex, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&lane->wake, &monotonic);
    pthread_condattr_destroy(&monotonic);
    if (start_thread(lane, options->name) != 0) {
        lane_free(lane);
        failure_set(failure, 0, "no thread could be started");
        return BP_ERROR;
    }
    status = bp_event_wait(&lane->opened, BP_FOREVER);
    if (status != 0)
        bp_event_wait_always(&lane->opened);
    else
        status = lane->open_status;
    if (status != 0) {
        *failure = lane->failure;
        lane_stop(lane);
        return status;
    }
    *ret_lane = lane;
    return 0;
}

struct lane *lane_stop(struct lane *lane)
{
    if (!lane)
        return NULL;
    pthread_mutex_lock(&lane->mutex);
    lane->stopping = true;
    pthread_cond_signal(&lane->wake);
    pthread_mutex_unlock(&lane->mutex);
    bp_event_wait_always(&lane->closed);
    pthread_join(lane->thread, NULL);
    return lane_free(lane);
}

/* The mutex is held. */
static void show_waiting(const struct lane *lane)
{
    bp_metric_set(lane->waiting, lane->queue.len);
}

/* A statement of a transaction does not queue: the writer waits for it. */
static bool in_transaction(const struct job *job)
{
    return job->tx && job->kind != JOB_BEGIN;
}

/* 0, or why the job cannot be handed over. *ret_wake: the thread sleeps, and nobody else is about to wake it. The mutex is held. */
static int push(struct lane *lane, struct job *job, bool *ret_wake)
{
    if (in_transaction(job)) {
        if (job->tx->ended)
            return job->tx->status;
        if (job->tx->job)
            return BP_MISUSE; /* two fibers in one transaction */
        job->tx->job = job;
    } else {
        if (lane->stopping || lane->queue.len >= lane->limit)
            return BP_BUSY;
        job->number = ++lane->asked;
        job_list_add(&lane->queue, job);
        show_waiting(lane);
    }
    job->state = JOB_QUEUED;
    *ret_wake = lane->sleeping;
    lane->sleeping = false;
    return 0;
}

static void interrupt(struct lane *lane)
{
    atomic_store_explicit(&lane->interrupt, true, memory_order_relaxed);
    sqlite3_interrupt(lane->connection.db);
}

/* True when the job had not been begun and now never will. Else it is on its way to its end. */
static bool take_back(struct lane *lane, struct job *job)
{
    bool taken;
    pthread_mutex_lock(&lane->mutex);
    taken = job->state == JOB_QUEUED;
    if (taken && in_transaction(job))
        job->tx->job = NULL;
    else if (taken)
        job_list_remove(&lane->queue, job);
    else if (lane->running == job)
        interrupt(lane);
    show_waiting(lane);
    pthread_mutex_unlock(&lane->mutex);
    return taken;
}

static bool may_interrupt(const struct job *job)
{
    return job->kind == JOB_QUERY && (job->tx || (job->statement->flags & BP_SQL_READ));
}

int lane_call(struct lane *lane, struct job *job, bool cancellable, bp_span timeout)
{
    bool wake = false;
    int status;
    if (!bp_fiber_arena())
        return BP_MISUSE;
    bp_event_init(&job->event);
    pthread_mutex_lock(&lane->mutex);
    status = push(lane, job, &wake);
    pthread_mutex_unlock(&lane->mutex);
    if (status != 0)
        return status;
    if (wake) {
        /* At the end of this turn of the loop: the thread finds there what all its requests ask for. A transaction's statement
         * comes alone. */
        if (!in_transaction(job))
            (void)bp_sleep(0);
        pthread_cond_signal(&lane->wake);
    }
    if (cancellable) {
        status = bp_event_wait(&job->event, timeout);
        if (status != 0 && take_back(lane, job))
            return status;
    }
    bp_event_wait_always(&job->event);
    return status != 0 && may_interrupt(job) ? status : job->status;
}

/* --- the thread's side --- */

bool lane_wait(struct lane *lane)
{
    bool some;
    pthread_mutex_lock(&lane->mutex);
    while (lane->queue.len == 0 && !lane->stopping) {
        lane->sleeping = true;
        pthread_cond_wait(&lane->wake, &lane->mutex);
    }
    lane->sleeping = false;
    some = lane->queue.len > 0;
    pthread_mutex_unlock(&lane->mutex);
    return some;
}

static bool is_batchable(const struct job *job)
{
    return job->kind == JOB_QUERY && (job->statement->flags & BP_SQL_BATCHABLE);
}

void lane_take(struct lane *lane, struct job_list *ret_jobs)
{
    struct job_list jobs = {0};
    pthread_mutex_lock(&lane->mutex);
    while (lane->queue.head && jobs.len < TAKEN_MAX) {
        struct job *job = lane->queue.head;
        if (jobs.len > 0 && (!is_batchable(job) || !is_batchable(jobs.head)))
            break;
        job_list_remove(&lane->queue, job);
        job_list_add(&jobs, job);
        job->state = JOB_RUNNING;
    }
    show_waiting(lane);
    pthread_mutex_unlock(&lane->mutex);
    *ret_jobs = jobs;
}

unsigned lane_look(struct lane *lane, uint64_t *ret_last)
{
    unsigned len;
    pthread_mutex_lock(&lane->mutex);
    len = lane->queue.len;
    *ret_last = lane->asked;
    pthread_mutex_unlock(&lane->mutex);
    return len;
}

struct job *lane_next(struct lane *lane, uint64_t last)
{
    struct job *job;
    pthread_mutex_lock(&lane->mutex);
    job = lane->queue.head;
    if (job && job->number > last)
        job = NULL;
    if (job) {
        job_list_remove(&lane->queue, job);
        job->state = JOB_RUNNING;
        show_waiting(lane);
    }
    pthread_mutex_unlock(&lane->mutex);
    return job;
}

/* Only while the mutex says "running" may the connection be interrupted, so that it hits this job and no other. An
 * interrupt that comes after the last step does nothing: SQLite forgets it when the next statement begins. */
static void set_running(struct lane *lane, struct job *job)
{
    pthread_mutex_lock(&lane->mutex);
    lane->running = job;
    atomic_store_explicit(&lane->interrupt, false, memory_order_relaxed);
    pthread_mutex_unlock(&lane->mutex);
}

void lane_run(struct lane *lane, struct job *job)
{
    bool interruptible = may_interrupt(job);
    if (interruptible)
        set_running(lane, job);
    job->status = connection_run(&lane->connection, job->statement, job->values, job->count, job->arena, &job->result,
                                 &job->failure);
    if (interruptible)
        set_running(lane, NULL);
}

void lane_finish(struct lane *lane, struct job_list *jobs)
{
    bool tell;
    if (jobs->len == 0)
        return;
    pthread_mutex_lock(&lane->mutex);
    for (struct job *job = jobs->head, *next; job; job = next) {
        next = job->next;
        job->state = JOB_DONE;
        job_list_add(&lane->done, job);
    }
    tell = !lane->posted;
    lane->posted = true;
    pthread_mutex_unlock(&lane->mutex);
    *jobs = (struct job_list){0};
    if (tell)
        post(lane, deliver);
}

void lane_log(struct lane *lane, const char *event, const char *message, const struct failure *failure, unsigned jobs)
{
    bp_time now = bp_clock();
    if (lane->logged != 0 && now - lane->logged < BP_SECOND)
        return;
    lane->logged = now;
    bp_log(lane->host, BP_LOG_ERROR, event, message, bp_log_cstr("error", failure->text),
           bp_log_int("code", failure->code), bp_log_int("jobs", jobs));
}
