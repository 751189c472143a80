/* SPDX-License-Identifier: MIT */
#include "stream.h"

#include "backplane/iface/identity.h"
#include "hub.h"
#include "outbox.h"
#include "sse.h"

#define FULL_USER "Too many event streams of this account"
#define FULL_WORKER "Too many event streams"

static void check_types(const struct bp_field *row, const void *value, struct bp_problems *problems)
{
    if (!sse_are_types(*(const bp_str *)value))
        bp_problem_add(problems, row, "events.types",
                       "Types must be names of events with a comma between them: todo.created,todo.deleted");
}

static const char *const types_patterns[] = {"^[a-z0-9_.-]+(,[a-z0-9_.-]+)*$", NULL};

const struct bp_field stream_query[] = {
    BP_PRESENCE(struct stream_query, set, null),
    BP_TEXT(struct stream_query, types, .max = SSE_TYPES_MAX, .check = check_types, .patterns = types_patterns,
            .example = "todo.created,todo.deleted", .doc = "Only events of these types, and resync."),
    BP_I64(struct stream_query, since, .min = 0, .max = INT64_MAX,
           .doc =
               "Begins behind this position: the id of an event, or the nextSince of /api/v1/todos/changes. Without it "
               "and without Last-Event-ID: now."),
    BP_END};

static const struct bp_field last_event_id[] = {
    BP_HEADER_FIELD("Last-Event-ID", BP_TYPE_TEXT,
                    .doc = "As since, which it is used before: what a client sends that connects again."),
    BP_END};
static const struct bp_field retry_after[] = {BP_HEADER_FIELD("Retry-After", BP_TYPE_U32, .doc = "Seconds to wait."),
                                              BP_END};

const struct bp_answer stream_answers[] = {
    BP_ANSWER(.status = 200, .request = last_event_id),
    BP_ANSWER(.status = 429, .code = "events.too_many_streams", .message = FULL_USER, .headers = retry_after,
              .doc = "The account has as many streams open as one may."),
    BP_ANSWER(.status = 503, .code = "events.full", .message = FULL_WORKER, .headers = retry_after,
              .doc = "The server has as many streams open as it may."),
    BP_ANSWER_END};

/* Where the client wants to begin; false: now. */
static bool find_since(struct bp_request *rq, int64_t *ret_since)
{
    const struct stream_query *query = bp_query(rq);
    bp_str text = bp_request_header(rq, BP_STR("last-event-id"));
    uint64_t number;
    if (text.len > 0) /* what is no position of ours is none that is known */
        *ret_since = bp_str_to_u64(text, &number) && number <= INT64_MAX ? (int64_t)number : INT64_MAX;
    else
        *ret_since = query->since;
    return text.len > 0 || bp_is_set(stream_query, query, "since");
}

/* Where it begins. *ret_lost: it asked for a position that is not known. */
static int find_position(struct bp_request *rq, struct hub *hub, int64_t *ret_position, bool *ret_lost)
{
    struct outbox_head head;
    int64_t since;
    *ret_lost = false;
    *ret_position = hub->position;
    if (!find_since(rq, &since))
        return 0;
    *ret_position = since;
    if (since <= hub->position)
        return 0;
    int status = outbox_advance(hub->events, &head);
    if (status == 0 && since > head.last) {
        *ret_position = head.last;
        *ret_lost = true;
    }
    return status;
}

static int begin(struct bp_request *rq)
{
    int status = bp_header_set(rq, BP_STR("Cache-Control"), BP_STR("no-store"));
    if (status == 0) /* proxies that would gather it */
        status = bp_header_set(rq, BP_STR("X-Accel-Buffering"), BP_STR("no"));
    return status == 0 ? bp_stream_begin(rq, 200, BP_STR("text/event-stream")) : status;
}

static void greet(struct client *client, bool lost)
{
    const struct hub *hub = client->hub;
    char text[3 * SSE_TEXT_ROOM];
    size_t len = sse_retry(text, hub->events->retry);
    if (lost) {
        len += sse_resync(text + len, client->position, bp_date_now());
        bp_metric_add(hub->resyncs, 1);
    } else if (client->position >= hub->position) { /* who comes back before anything has happened knows from where */
        len += sse_keep_alive(text + len, client->position);
    }
    (void)hub_send(client, bp_str_n(text, len));
}

static bp_date sooner(bp_date a, bp_date b)
{
    return a == 0 || (b != 0 && b < a) ? b : a;
}

enum { GONE = BP_STREAM_NO_CONTENT + 1 };

/* What ends from now on is told to this client, too; what has ended before is seen here, and is GONE. */
static int check_identity(struct bp_request *rq, const struct client *client)
{
    const struct user *user = client->user;
    uint32_t changes;
    int status;
    do {
        changes = user->changes;
        status = bp_identity_check(client->hub->events->identity, rq);
    } while (status == 0 && changes != user->changes);
    return status == BP_IDENTITY_E_GONE ? GONE : status;
}

static int serve(struct bp_request *rq, struct client *client)
{
    struct hub *hub = client->hub;
    struct bp_stream *stream;
    bool lost;
    int status = hub_wake(hub);
    if (status == 0)
        status = find_position(rq, hub, &client->position, &lost);
    if (status == 0)
        status = check_identity(rq, client);
    if (status == 0)
        status = begin(rq);
    if (status == 0)
        status = bp_stream_detach(rq, hub_closed, client, &stream);
    if (status != 0)
        return status;
    client->stream = stream;
    client->expires = sooner(bp_identity_expires(rq), bp_date_now() + hub->events->lifetime / BP_MILLISECOND);
    hub_listen(client);
    greet(client, lost);
    return 0;
}

static int refuse(struct bp_request *rq, unsigned status, const char *code, const char *message)
{
    int set = bp_header_set(rq, BP_STR("Retry-After"), BP_STR("10"));
    return set < 0 ? set : bp_fail(rq, status, code, message);
}

int stream_open(struct bp_request *rq, void *self, const void *stage)
{
    struct events *events = self;
    const struct bp_identity *identity = bp_identity(rq);
    const struct stream_query *query = bp_query(rq);
    struct client *client;
    (void)stage;
    if (!identity)
        return bp_fail(rq, 401, "auth.required", "Authentication required");
    int status = hub_enter(events->hub, &identity->user_id, query->types, &client);
    if (status == HUB_E_USER)
        return refuse(rq, 429, "events.too_many_streams", FULL_USER);
    if (status == HUB_E_WORKER)
        return refuse(rq, 503, "events.full", FULL_WORKER);
    if (status < 0)
        return status;
    status = serve(rq, client);
    if (status != 0)
        hub_leave(client); /* it has no stream */
    if (status == GONE)
        return bp_identity_gone(events->identity, rq);
    return status == BP_STREAM_NO_CONTENT ? 0 : status;
}
