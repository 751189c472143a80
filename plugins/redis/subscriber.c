/* SPDX-License-Identifier: MIT */
#include "subscriber.h"

#include <sodium.h>
#include <stdlib.h>

#include "redis.h"

#define KEEP_ALIVE (2 * BP_SECOND) /* silence after which it is asked, and again until it is given up */
#define LIVED (2 * BP_SECOND)      /* a connection that lived for so long begins the back-off anew */

struct subscription {
    struct subscription *next;
    bp_str channel; /* with the prefix; behind the struct */
    bool sent;      /* on this connection */
    void (*function)(void *argument, bp_str message);
    void *argument;
};

static void ready_fd(void *argument, unsigned events)
{
    struct subscriber *subscriber = argument;
    (void)events;
    subscriber->readable = true;
    bp_event_set(&subscriber->work);
}

/* So little is sent here that the socket always has room, or does not work. */
static int send_words(struct subscriber *subscriber, const char *command, bp_str channel)
{
    const char *words[2] = {command, channel.ptr};
    size_t lengths[2] = {strlen(command), channel.len}, written = 0;
    char *bytes = NULL;
    int len = redisFormatCommandArgv(&bytes, channel.ptr ? 2 : 1, words, lengths);
    int status;
    if (len < 0)
        return wire_fail(&subscriber->wire, "out of memory");
    status = wire_write(&subscriber->wire, bytes, (size_t)len, &written);
    redisFreeCommand(bytes);
    if (status == BP_BUSY || (status == 0 && written == (size_t)len))
        return status;
    return wire_fail(&subscriber->wire, "the server takes no more");
}

static int send_subscriptions(struct subscriber *subscriber)
{
    int status = 0;
    for (struct subscription *s = subscriber->subscriptions; s && status == 0; s = s->next)
        if (!s->sent) {
            s->sent = true;
            status = send_words(subscriber, "SUBSCRIBE", s->channel);
        }
    return status;
}

static void tell(const struct subscriber *subscriber, bp_str channel, bp_str message)
{
    for (struct subscription *s = subscriber->subscriptions; s; s = s->next)
        if (bp_str_eq(s->channel, channel))
            s->function(s->argument, message);
}

/* ["message", channel, text], ["subscribe", channel, count], ["pong", ""] */
static int understand(struct subscriber *subscriber, const struct reply *reply)
{
    bp_str kind;
    if (reply->type == REDIS_REPLY_ERROR)
        return wire_fail(&subscriber->wire, "SUBSCRIBE: %.100s", reply->text);
    if (reply->type != REDIS_REPLY_ARRAY || reply->len < 2 || reply->items[0]->type != REDIS_REPLY_STRING)
        return 0;
    kind = reply_text(reply->items[0]);
    if (bp_str_is(kind, "message") && reply->len == 3 && reply->items[2]->type == REDIS_REPLY_STRING)
        tell(subscriber, reply_text(reply->items[1]), reply_text(reply->items[2]));
    else if (bp_str_is(kind, "subscribe") && subscriber->missed)
        tell(subscriber, reply_text(reply->items[1]), bp_str_n(NULL, 0));
    return 0;
}

static int read_messages(struct subscriber *subscriber)
{
    struct reply *reply;
    int status;
    do {
        status = wire_read(&subscriber->wire);
        if (status != 0)
            break;
        subscriber->asked = false;
        while ((status = wire_next(&subscriber->wire, &reply)) == 0 && reply) {
            status = understand(subscriber, reply);
            reply_free(reply);
            if (status != 0)
                return status;
        }
    } while (status == 0 && !subscriber->wire.drained);
    subscriber->readable = false;
    return status == WIRE_WAIT ? 0 : status;
}

static int listen_on(struct subscriber *subscriber)
{
    for (;;) {
        int status;
        bp_event_init(&subscriber->work);
        status = subscriber->readable ? read_messages(subscriber) : 0;
        if (status == 0)
            status = send_subscriptions(subscriber);
        if (status != 0)
            return status;
        status = bp_event_wait(&subscriber->work, KEEP_ALIVE);
        if (status == 0)
            continue;
        if (status != BP_TIMEOUT)
            return BP_CANCELED;
        if (subscriber->asked)
            return wire_fail(&subscriber->wire, "no answer in time");
        subscriber->asked = true;
        status = send_words(subscriber, "PING", bp_str_n(NULL, 0));
        if (status != 0)
            return status;
    }
}

static void lost(struct subscriber *subscriber, bool lived)
{
    if (lived)
        subscriber->backoff.attempts = 0;
    /* One that is lost again and again is worth one line. */
    if (lived || !subscriber->missed)
        bp_log(subscriber->redis->host, BP_LOG_WARN, "redis.subscriber_lost", "The connection for messages was lost",
               bp_log_cstr("reason", subscriber->wire.reason));
}

/* Until the connection has ended. */
static int connected(struct subscriber *subscriber)
{
    bp_time since = bp_clock();
    int status;
    subscriber->watch = bp_watch_new(subscriber->redis->host, subscriber->wire.fd, BP_READABLE, ready_fd, subscriber);
    subscriber->readable = true;
    subscriber->asked = false;
    for (struct subscription *s = subscriber->subscriptions; s; s = s->next)
        s->sent = false;
    status = subscriber->watch ? listen_on(subscriber) : wire_fail(&subscriber->wire, "out of memory");
    subscriber->watch = bp_watch_free(subscriber->watch);
    if (status != BP_CANCELED) {
        wire_close(&subscriber->wire);
        lost(subscriber, bp_clock() - since >= LIVED);
    }
    return status;
}

static int run(void *argument)
{
    struct subscriber *subscriber = argument;
    for (;;) {
        int status = wire_open(&subscriber->wire, &subscriber->redis->target);
        if (status == 0)
            status = connected(subscriber);
        if (status == BP_CANCELED)
            return status;
        subscriber->missed = true;
        status = bp_sleep(backoff_next(&subscriber->backoff, randombytes_random()));
        if (status != 0)
            return status;
    }
}

int subscriber_add(struct subscriber *subscriber, const char *channel, void (*function)(void *argument, bp_str message),
                   void *argument)
{
    bp_str prefix = subscriber->redis->prefix;
    size_t len = strlen(channel);
    struct subscription *subscription = calloc(1, sizeof(*subscription) + prefix.len + len + 1);
    struct subscription **end = &subscriber->subscriptions;
    char *name;
    if (!subscription)
        return BP_NOMEM;
    name = (char *)(subscription + 1);
    if (prefix.len > 0)
        memcpy(name, prefix.ptr, prefix.len);
    memcpy(name + prefix.len, channel, len);
    subscription->channel = bp_str_n(name, prefix.len + len);
    subscription->function = function;
    subscription->argument = argument;
    while (*end)
        end = &(*end)->next;
    if (!subscriber->running &&
        bp_spawn(subscriber->redis->host, "redis subscriber", run, subscriber, BP_FOREVER) != 0) {
        free(subscription);
        return BP_NOMEM;
    }
    subscriber->running = true;
    *end = subscription;
    bp_event_set(&subscriber->work);
    return 0;
}

void subscriber_deinit(struct subscriber *subscriber)
{
    while (subscriber->subscriptions) {
        struct subscription *next = subscriber->subscriptions->next;
        free(subscriber->subscriptions);
        subscriber->subscriptions = next;
    }
    wire_close(&subscriber->wire);
}
