/* SPDX-License-Identifier: MIT */
/* From a name to a connection that answers. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "wire.h"

struct greeting {
    const char *name; /* for the reason; nothing secret */
    const char *words[4];
    unsigned count; /* of words; 0: not needed */
    bool may_fail;
};

/* A wait within wire_open(). */
static int await(struct wire *wire, bp_time until)
{
    int status = bp_wait_fd(wire->fd, wire->waits_for, until - bp_clock());
    if (status == 0 || status == BP_CANCELED)
        return status;
    return wire_fail(wire, "no answer in time");
}

static int shake_hands(struct wire *wire, const struct wire_target *target, bp_time until)
{
    char name[ENDPOINT_HOST];
    int status, result;
    if (target->server_name.len > 0)
        snprintf(name, sizeof(name), "%" BP_STR_FMT, BP_STR_ARG(target->server_name));
    else
        snprintf(name, sizeof(name), "%s", target->endpoint->host);
    if (!tls_attach(wire, target->tls, name))
        return BP_BUSY;
    errno = 0;
    while ((result = SSL_connect(wire->ssl)) != 1) {
        status = tls_result(wire, result);
        if (status == WIRE_WAIT)
            status = await(wire, until);
        if (status != 0)
            return status;
        errno = 0;
    }
    return 0;
}

static int send_all(struct wire *wire, const char *bytes, size_t len, bp_time until)
{
    while (len > 0) {
        size_t written = 0;
        int status = wire_write(wire, bytes, len, &written);
        if (status == WIRE_WAIT)
            status = await(wire, until);
        if (status != 0)
            return status;
        bytes += written;
        len -= written;
    }
    return 0;
}

static int read_reply(struct wire *wire, bp_time until, struct reply **ret_reply)
{
    for (;;) {
        int status = wire_next(wire, ret_reply);
        if (status != 0 || *ret_reply)
            return status;
        status = wire_read(wire);
        if (status == WIRE_WAIT)
            status = await(wire, until);
        if (status != 0)
            return status;
    }
}

static int greet_with(struct wire *wire, const struct greeting *greeting, bp_time until)
{
    const char *words[4];
    size_t lengths[4];
    char *bytes = NULL;
    struct reply *reply = NULL;
    int status, len;
    for (unsigned i = 0; i < greeting->count; i++) {
        words[i] = greeting->words[i];
        lengths[i] = strlen(words[i]);
    }
    len = redisFormatCommandArgv(&bytes, (int)greeting->count, words, lengths);
    if (len < 0)
        return wire_fail(wire, "out of memory");
    status = send_all(wire, bytes, (size_t)len, until);
    redisFreeCommand(bytes);
    if (status == 0)
        status = read_reply(wire, until, &reply);
    if (status != 0)
        return status;
    if (reply->type == REDIS_REPLY_ERROR && !greeting->may_fail)
        status = wire_fail(wire, "%s: %.*s", greeting->name, (int)(reply->len < 120 ? reply->len : 120), reply->text);
    reply_free(reply);
    return status;
}

/* One after the other: the first refusal is the reason. */
static int greet(struct wire *wire, const struct wire_target *target, bp_time until)
{
    const struct redis_endpoint *endpoint = target->endpoint;
    char database[16];
    int status = 0;
    snprintf(database, sizeof(database), "%u", endpoint->database);
    const struct greeting greetings[] = {
        {.name = "AUTH", .words = {"AUTH", endpoint->user, endpoint->password}, .count = endpoint->has_user ? 3 : 0},
        {.name = "AUTH",
         .words = {"AUTH", endpoint->password},
         .count = endpoint->has_password && !endpoint->has_user ? 2 : 0},
        {.name = "SELECT", .words = {"SELECT", database}, .count = endpoint->database != 0 ? 2 : 0},
        {.name = "PING", .words = {"PING"}, .count = 1},
        {.name = "CLIENT SETNAME",
         .words = {"CLIENT", "SETNAME", target->client_name},
         .count = 3,
         .may_fail = true}, /* some hosts forbid it */
    };
    for (size_t i = 0; i < sizeof(greetings) / sizeof(greetings[0]) && status == 0; i++)
        if (greetings[i].count > 0)
            status = greet_with(wire, &greetings[i], until);
    return status;
}

int wire_open(struct wire *wire, const struct wire_target *target)
{
    bp_time until = bp_clock() + target->timeout;
    int status;
    wire->fd = -1;
    wire->reason[0] = '\0';
    wire->budget = (struct reply_budget){.limit = target->reply_limit};
    wire->reader = reply_reader_new(&wire->budget);
    if (!wire->reader)
        return wire_fail(wire, "out of memory");
    status = socket_connect(wire, target->endpoint, until);
    until = bp_clock() + target->timeout;
    if (status == 0 && target->endpoint->tls)
        status = shake_hands(wire, target, until);
    if (status == 0)
        status = greet(wire, target, until);
    if (status != 0)
        wire_close(wire);
    return status;
}
