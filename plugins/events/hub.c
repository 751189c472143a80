/* SPDX-License-Identifier: MIT */
#include "hub.h"

#include <stdlib.h>

#include "outbox.h"
#include "sse.h"

#define TICK BP_SECOND

void hub_unlink(struct client *client)
{
    struct hub *hub = client->hub;
    if (!client->told_at)
        return;
    if (hub->cursor == client)
        hub->cursor = client->next_told;
    if (hub->behind_end == &client->next_told)
        hub->behind_end = client->told_at;
    *client->told_at = client->next_told;
    if (client->next_told)
        client->next_told->told_at = client->told_at;
    client->told_at = NULL;
}

/* Nobody is left: nothing is looked for. */
static void sleep_now(struct hub *hub)
{
    hub->awake = false;
    hub->read_timer = bp_timer_free(hub->read_timer);
    hub->quiet_timer = bp_timer_free(hub->quiet_timer);
    hub->behind_timer = bp_timer_free(hub->behind_timer);
}

void hub_leave(struct client *client)
{
    struct hub *hub = client->hub;
    hub_unlink(client);
    if (client->stream) {
        *client->at = client->next;
        if (client->next)
            client->next->at = client->at;
        hub->listed--;
        bp_metric_add(hub->streams, -1);
        bp_metric_add(hub->ended[client->end], 1);
    }
    if (--client->user->count == 0)
        users_drop(&hub->users, client->user);
    if (--hub->count == 0)
        sleep_now(hub);
    client->gone = true;
    if (!client->catching_up)
        free(client);
}

/* So that not all of them come at once. */
static bp_span spread(bp_span span)
{
    uint32_t random;
    bp_random(&random, sizeof(random));
    return span / 4 + (bp_span)((double)span * random / UINT32_MAX * 1.5);
}

void hub_closed(void *argument, enum bp_stream_end end)
{
    struct client *client = argument;
    char text[SSE_TEXT_ROOM];
    if (end == BP_STREAM_DRAINED) {
        client->end = HUB_DRAINED;
        (void)bp_stream_send(client->stream, bp_str_n(text, sse_retry(text, spread(client->hub->events->retry))));
    }
    hub_leave(client);
}

void hub_end(struct client *client, enum hub_end end)
{
    client->end = (uint8_t)end;
    bp_stream_end(client->stream);
}

bool hub_send(struct client *client, bp_str text)
{
    int status = bp_stream_send(client->stream, text);
    if (status == 0) {
        client->quiet_since = bp_clock();
        return true;
    }
    /* Of one whose client left, the core will say so. */
    if (status != BP_CANCELED)
        hub_end(client, status == BP_BUSY ? HUB_SLOW : HUB_FAILED);
    return false;
}

int hub_enter(struct hub *hub, const bp_uuid *user_id, bp_str types, struct client **ret_client)
{
    const struct events *events = hub->events;
    struct user *user = users_find(&hub->users, user_id);
    if (user && user->count >= events->streams_per_user)
        return HUB_E_USER;
    if (hub->count >= events->streams)
        return HUB_E_WORKER;
    struct client *client = calloc(1, sizeof(*client) + types.len);
    user = client ? users_take(&hub->users, user_id) : NULL;
    if (!user) {
        free(client);
        return BP_NOMEM;
    }
    client->hub = hub;
    client->user = user;
    client->end = HUB_CLIENT;
    client->types_len = (uint16_t)types.len;
    if (types.len > 0)
        memcpy(client->types, types.ptr, types.len);
    user->count++;
    hub->count++;
    *ret_client = client;
    return 0;
}

/* --- those who are quiet, and those whose time is over --- */

static void keep_alive(struct client *client)
{
    char text[SSE_TEXT_ROOM];
    const struct hub *hub = client->hub;
    /* What its client comes back with: further on than the last event, that it need not be looked for from there. */
    bool told = client->joined && client->position <= hub->done && hub->position == hub->done;
    (void)hub_send(client, bp_str_n(text, sse_keep_alive(text, told ? hub->done : -1)));
}

/* A comment before a silence is too long for what stands between; a part of them at a time. */
static void look_at_quiet(void *argument)
{
    struct hub *hub = argument;
    bp_time now = bp_clock();
    bp_date date = bp_date_now();
    bp_span most = hub->events->keep_alive, ticks = most / 2 / TICK;
    uint32_t room = hub->listed / (uint32_t)(ticks > 0 ? ticks : 1) + 1;
    for (struct client *client = hub->clients, *next; client; client = next) {
        bp_span quiet = now - client->quiet_since;
        next = client->next;
        if (client->expires != 0 && client->expires <= date) {
            hub_end(client, HUB_EXPIRED);
        } else if (quiet + TICK >= most || (quiet >= most / 2 && room > 0)) {
            room -= room > 0;
            keep_alive(client);
        }
    }
}

/* --- beginning --- */

int hub_wake(struct hub *hub)
{
    struct events *events = hub->events;
    struct outbox_head head;
    if (hub->awake)
        return 0;
    int status = outbox_poll(events, &head);
    if (status != 0 || hub->awake)
        return status;
    hub->read_timer = bp_timer_every(events->host, events->poll, tell_soon, hub);
    hub->quiet_timer =
        bp_timer_every(events->host, TICK < events->keep_alive ? TICK : events->keep_alive, look_at_quiet, hub);
    if (!hub->read_timer || !hub->quiet_timer) {
        sleep_now(hub);
        return BP_NOMEM;
    }
    hub->awake = true;
    hub->position = hub->done = head.last;
    return 0;
}

bool hub_join(struct client *client)
{
    struct hub *hub = client->hub;
    struct user *user = client->user;
    if (client->position < hub->position)
        return false;
    /* Before the cursor: what is being told now it has already. */
    client->next_told = user->clients;
    client->told_at = &user->clients;
    if (client->next_told)
        client->next_told->told_at = &client->next_told;
    user->clients = client;
    client->joined = true;
    return true;
}

void hub_listen(struct client *client)
{
    struct hub *hub = client->hub;
    client->next = hub->clients;
    client->at = &hub->clients;
    if (client->next)
        client->next->at = &client->next;
    hub->clients = client;
    hub->listed++;
    client->quiet_since = bp_clock();
    bp_metric_add(hub->streams, 1);
    if (!hub_join(client))
        catch_up(client);
}

int hub_start(struct events *events)
{
    static const bp_str ends[HUB_ENDS] = {BP_STR_INIT("client"),  BP_STR_INIT("slow"),    BP_STR_INIT("expired"),
                                          BP_STR_INIT("revoked"), BP_STR_INIT("drained"), BP_STR_INIT("failed")};
    struct hub *hub = calloc(1, sizeof(*hub));
    if (!hub)
        return BP_NOMEM;
    events->hub = hub;
    hub->events = events;
    hub->behind_end = &hub->behind;
    hub->streams = bp_series(events->streams_metric, NULL);
    hub->sent = bp_series(events->sent_metric, NULL);
    hub->resyncs = bp_series(events->resyncs_metric, NULL);
    for (size_t i = 0; i < HUB_ENDS; i++)
        hub->ended[i] = bp_series(events->ended_metric, &ends[i]);
    return users_init(&hub->users);
}

void hub_free(struct events *events)
{
    struct hub *hub = events->hub;
    if (!hub)
        return;
    users_deinit(&hub->users);
    free(hub);
    events->hub = NULL;
}
