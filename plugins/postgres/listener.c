/* SPDX-License-Identifier: MIT */
#include "listener.h"

#include <stdio.h>
#include <stdlib.h>

#include "connect.h"
#include "database.h"

/* Silence is broken this often, so that a connection that is cut off does not stay silent for ever. */
#define PROBE_EVERY (30 * BP_SECOND)
#define PROBE_TIMEOUT (10 * BP_SECOND)
#define STEADY (2 * BP_SECOND)

/* On its way to a subscriber, who is called without a fiber. */
struct notice {
    struct subscription *subscription;
    bool lost; /* some may have been missed */
    size_t len;
    char payload[];
};

static void deliver(void *argument)
{
    struct notice *notice = argument;
    notice->subscription->function(notice->subscription->argument,
                                   notice->lost ? (bp_str){NULL, 0} : bp_str_n(notice->payload, notice->len));
    free(notice);
}

static void post(struct database *database, struct subscription *subscription, const char *payload)
{
    size_t len = payload ? strlen(payload) : 0;
    struct notice *notice = calloc(1, sizeof(*notice) + len + 1);
    if (!notice)
        return;
    *notice = (struct notice){.subscription = subscription, .lost = !payload, .len = len};
    memcpy(notice->payload, payload ? payload : "", len + 1);
    if (!bp_post(database->host, deliver, notice))
        free(notice);
}

static void take_notifications(struct database *database, PGconn *pg)
{
    PGnotify *notify;
    while ((notify = PQnotifies(pg))) {
        for (struct subscription *s = database->listener.subscriptions; s; s = s->next)
            if (strcmp(s->channel, notify->relname) == 0)
                post(database, s, notify->extra ? notify->extra : "");
        PQfreemem(notify);
    }
}

static void socket_ready(void *argument, unsigned events)
{
    struct listener *listener = argument;
    (void)events;
    listener->readable = true;
    bp_event_set(&listener->event);
}

static int fail(PGconn *pg, char *why)
{
    connect_reason(PQerrorMessage(pg), why);
    return BP_BUSY;
}

static int wait(struct listener *listener, bp_span timeout)
{
    int status = bp_event_wait(&listener->event, timeout);
    listener->event.set = false;
    return status;
}

/* One command and its answer; notifications may come in between. */
static int run(struct database *database, PGconn *pg, const char *sql, char *why)
{
    struct listener *listener = &database->listener;
    bp_time deadline = bp_clock() + PROBE_TIMEOUT;
    PGresult *result;
    int status = 0;
    bool refused = false;
    if (!PQsendQuery(pg, sql) || PQflush(pg) < 0)
        return fail(pg, why);
    for (;;) {
        while (PQisBusy(pg)) {
            bp_span left = deadline - bp_clock();
            status = wait(listener, left > 0 ? left : 0);
            if (status == BP_TIMEOUT)
                connect_reason("the server did not answer in time", why);
            if (status != 0)
                return status;
            if (!PQconsumeInput(pg))
                return fail(pg, why);
            take_notifications(database, pg);
        }
        result = PQgetResult(pg);
        if (!result)
            return refused ? BP_BUSY : 0;
        if (PQresultStatus(result) != PGRES_COMMAND_OK && PQresultStatus(result) != PGRES_TUPLES_OK) {
            connect_reason(PQresultErrorMessage(result), why);
            refused = true;
        }
        PQclear(result);
    }
}

static int listen_to_new(struct database *database, PGconn *pg, char *why)
{
    for (struct subscription *s = database->listener.subscriptions; s; s = s->next) {
        char sql[160];
        char *name;
        int status;
        if (s->listening)
            continue;
        name = PQescapeIdentifier(pg, s->channel, strlen(s->channel));
        if (!name)
            return fail(pg, why);
        snprintf(sql, sizeof(sql), "LISTEN %s", name);
        PQfreemem(name);
        status = run(database, pg, sql, why);
        if (status != 0)
            return status;
        s->listening = true;
    }
    return 0;
}

/* Until the connection is lost: BP_BUSY with the reason; or BP_CANCELED. */
static int serve(struct database *database, PGconn *pg, bool *was_lost, char *why)
{
    struct listener *listener = &database->listener;
    int status = listen_to_new(database, pg, why);
    if (status != 0)
        return status;
    if (*was_lost) {
        bp_log(database->host, BP_LOG_INFO, "postgres.listener_back", "Notifications are received again");
        for (struct subscription *s = listener->subscriptions; s; s = s->next)
            post(database, s, NULL);
    }
    *was_lost = false;
    for (;;) {
        status = wait(listener, PROBE_EVERY);
        if (status == BP_CANCELED)
            return status;
        if (listener->readable && !PQconsumeInput(pg))
            return fail(pg, why);
        listener->readable = false;
        take_notifications(database, pg);
        status = status == BP_TIMEOUT ? run(database, pg, "SELECT 1", why) : listen_to_new(database, pg, why);
        if (status != 0)
            return status;
    }
}

static int connect_and_serve(struct database *database, bool *was_lost, char *why)
{
    const struct target *target = database->direct.options ? &database->direct : &database->target;
    struct listener *listener = &database->listener;
    struct bp_watch *watch;
    PGconn *pg;
    int status = connect_open(database, target, NULL, &pg, why);
    if (status != 0)
        return status;
    for (struct subscription *s = listener->subscriptions; s; s = s->next)
        s->listening = false;
    listener->readable = false;
    watch = bp_watch_new(database->host, PQsocket(pg), BP_READABLE, socket_ready, listener);
    status = watch ? serve(database, pg, was_lost, why) : BP_NOMEM;
    bp_watch_free(watch);
    PQfinish(pg);
    return status;
}

static int keep(void *argument)
{
    struct database *database = argument;
    char why[DATABASE_WHY];
    bool was_lost = false, said = false;
    unsigned tries = 0;
    for (;;) {
        bp_time begun = bp_clock();
        int status = connect_and_serve(database, &was_lost, why);
        if (status == BP_CANCELED)
            return status;
        said &= was_lost; /* it was back meanwhile */
        if (!said)
            bp_log(database->host, BP_LOG_WARN, "postgres.listener_lost", "Notifications are not received for now",
                   bp_log_cstr("reason", why));
        said = was_lost = true;
        if (bp_clock() - begun >= STEADY + database->connect_timeout)
            tries = 0;
        status = bp_sleep(connect_backoff(tries++));
        if (status != 0)
            return status;
    }
}

int database_listen(void *self, const char *channel, void (*function)(void *argument, bp_str payload), void *argument)
{
    struct database *database = self;
    struct listener *listener = &database->listener;
    struct subscription *subscription;
    if (strlen(channel) == 0 || strlen(channel) >= sizeof(subscription->channel))
        return BP_MISUSE;
    subscription = calloc(1, sizeof(*subscription));
    if (!subscription)
        return BP_NOMEM;
    subscription->function = function;
    subscription->argument = argument;
    memcpy(subscription->channel, channel, strlen(channel) + 1);
    subscription->next = listener->subscriptions;
    listener->subscriptions = subscription;
    if (listener->started) {
        bp_event_set(&listener->event);
        return 0;
    }
    listener->started = true;
    return bp_spawn(database->host, "postgres.listener", keep, database, BP_FOREVER);
}

void listener_free(struct listener *listener)
{
    for (struct subscription *s = listener->subscriptions, *next; s; s = next) {
        next = s->next;
        free(s);
    }
    *listener = (struct listener){0};
}
