/* SPDX-License-Identifier: MIT */
/* Streams that outlive their handler, as a test wants them. */
#include <stdlib.h>

#include "backplane/backplane.h"

struct client {
    struct client *next, **at;
    struct lasting *lasting;
    struct bp_stream *stream;
};

struct lasting {
    int slot;
    struct client *clients;
    bp_event end; /* a handler waits for end_all() */
    int64_t open, ended, left, drained, busy, sent, aborted, readable, refused;
};

struct asked {
    bp_str mode;
};
static const struct bp_field asked_rows[] = {BP_TEXT(struct asked, mode, .max = 16), BP_END};

static void closed(void *argument, enum bp_stream_end end)
{
    struct client *client = argument;
    struct lasting *lasting = client->lasting;
    bp_stream_end(client->stream); /* nothing */
    int status = bp_stream_send(client->stream, BP_STR("bye\n"));
    if (end == BP_STREAM_LEFT && status != BP_CANCELED)
        lasting->refused++; /* unless it was cut by a failure */
    lasting->ended += end == BP_STREAM_ENDED;
    lasting->left += end == BP_STREAM_LEFT;
    lasting->drained += end == BP_STREAM_DRAINED;
    lasting->open--;
    *client->at = client->next;
    if (client->next)
        client->next->at = client->at;
    free(client);
}

/* What a stage registered can still be called, with what it set. */
static void done(struct bp_request *rq, const struct bp_done *with, void *argument)
{
    struct lasting *lasting = argument;
    const bp_str *kept = bp_slot(rq, lasting->slot);
    lasting->sent += with->outcome == BP_SENT;
    lasting->aborted += with->outcome == BP_ABORTED;
    lasting->readable += bp_str_is(*kept, "mark") && bp_str_is(bp_request_header(rq, BP_STR("x-mark")), "mark") &&
                         bp_str_is(bp_request_path(rq), "/lasting/open") &&
                         bp_str_starts(bp_request_target(rq), BP_STR("/lasting/open?mode=")) &&
                         bp_str_is(bp_request_method_name(rq), "GET") && bp_str_is(bp_request_host(rq), "x") &&
                         bp_request_id(rq).len > 0;
}

static int observe(struct bp_request *rq, void *self, const void *stage)
{
    struct lasting *lasting = self;
    bp_str *kept = bp_slot(rq, lasting->slot);
    (void)stage;
    *kept = bp_request_header(rq, BP_STR("x-mark"));
    int status = bp_on_done(rq, done, lasting);
    if (status == 0)
        status = bp_next(rq);
    return status;
}

static int hold(struct bp_request *rq, void *self, const void *stage)
{
    struct lasting *lasting = self;
    const struct asked *asked = bp_query(rq);
    struct client *client = malloc(sizeof(*client));
    (void)stage;
    if (!client)
        return BP_NOMEM;
    *client = (struct client){.lasting = lasting, .next = lasting->clients, .at = &lasting->clients};
    int status = bp_stream_begin(rq, 200, BP_STR("text/plain"));
    if (status == 0)
        status = bp_stream_detach(rq, closed, client, &client->stream);
    if (status != 0) {
        free(client);
        return status == BP_STREAM_NO_CONTENT ? 0 : status;
    }
    if (client->next)
        client->next->at = &client->next;
    lasting->clients = client;
    lasting->open++;
    status = bp_stream_send(client->stream, BP_STR("hello\n"));
    if (bp_str_is(asked->mode, "twice"))
        return bp_stream_detach(rq, closed, client, &client->stream);
    if (bp_str_is(asked->mode, "end"))
        bp_stream_end(client->stream);
    else if (bp_str_is(asked->mode, "wait"))
        return bp_sleep(BP_MINUTE);
    else if (bp_str_is(asked->mode, "late")) {
        bp_event_init(&lasting->end);
        return bp_event_wait(&lasting->end, BP_FOREVER);
    }
    return bp_str_is(asked->mode, "fail") ? BP_ERROR : status;
}

static int early(struct bp_request *rq, void *self, const void *stage)
{
    struct bp_stream *stream;
    (void)stage;
    return bp_stream_detach(rq, closed, self, &stream);
}

struct amount {
    uint32_t n;
};
static const struct bp_field amount_rows[] = {BP_U32(struct amount, n, .max = 10000000), BP_END};

/* n bytes to everybody: a number's digits, again and again. */
static int send_all(struct bp_request *rq, void *self, const void *stage)
{
    struct lasting *lasting = self;
    uint64_t n = 0;
    (void)stage;
    (void)bp_str_to_u64(bp_param(rq, "n"), &n);
    char *text = bp_arena_alloc(bp_arena(rq), n);
    if (!text)
        return BP_NOMEM;
    for (uint64_t i = 0; i < n; i++)
        text[i] = (char)('a' + i % 26);
    for (struct client *client = lasting->clients; client; client = client->next)
        if (bp_stream_send(client->stream, bp_str_n(text, n)) == BP_BUSY)
            lasting->busy++;
    return bp_reply_message(rq, 200, "sent");
}

static int end_all(struct bp_request *rq, void *self, const void *stage)
{
    struct lasting *lasting = self;
    (void)stage;
    bp_event_set(&lasting->end);
    for (struct client *client = lasting->clients, *next; client; client = next) {
        next = client->next;
        bp_stream_end(client->stream);
    }
    return bp_reply_message(rq, 200, "ended");
}

static const struct bp_field counts[] = {BP_I64(struct lasting, open),    BP_I64(struct lasting, ended),
                                         BP_I64(struct lasting, left),    BP_I64(struct lasting, drained),
                                         BP_I64(struct lasting, busy),    BP_I64(struct lasting, sent),
                                         BP_I64(struct lasting, aborted), BP_I64(struct lasting, readable),
                                         BP_I64(struct lasting, refused), BP_END};

static int stats(struct bp_request *rq, void *self, const void *stage)
{
    (void)stage;
    return bp_reply_json(rq, 200, counts, self);
}

static const struct bp_route routes[] = {
    BP_ROUTE(.method = BP_GET, .path = "/lasting/open", .handler = hold, .name = "lasting.open", .query = asked_rows,
             .query_size = sizeof(struct asked), .streams = 1, .reply_type = "text/plain"),
    BP_ROUTE(.method = BP_GET, .path = "/lasting/open-any", .handler = hold, .name = "lasting.open_any",
             .query = asked_rows, .query_size = sizeof(struct asked), .reply_type = "text/plain"),
    BP_ROUTE(.method = BP_GET, .path = "/lasting/early", .handler = early, .name = "lasting.early"),
    BP_ROUTE(.method = BP_GET, .path = "/lasting/send/{n}", .handler = send_all, .name = "lasting.send",
             .params = amount_rows, .params_size = sizeof(struct amount)),
    BP_ROUTE(.method = BP_GET, .path = "/lasting/end", .handler = end_all, .name = "lasting.end"),
    BP_ROUTE(.method = BP_GET, .path = "/lasting/stats", .handler = stats, .name = "lasting.stats"),
    BP_ROUTE_END};

static int init(struct bp_host *host, void *self)
{
    struct lasting *lasting = self;
    lasting->slot = bp_slot_new(host, sizeof(bp_str));
    return lasting->slot < 0 ? lasting->slot : 0;
}

BP_PLUGIN(.name = "lasting", .version = "1.0.0", .doc = "Holds streams.", .self_size = sizeof(struct lasting),
          .routes = routes, .init = init, .middleware = observe);
