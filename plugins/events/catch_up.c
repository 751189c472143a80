/* SPDX-License-Identifier: MIT */
/* Clients that come back are told what they missed, before they are told with the others. */
#include "hub.h"

#include <stdlib.h>

#include "outbox.h"
#include "sse.h"

#define PAGE 200u
#define PAGES 16u /* of one fiber, whose memory is then given back */
#define FIBERS 8u /* at once: however many come back, the database is asked no faster than it answers */
#define FULL_WAIT (50 * BP_MILLISECOND)

static void queue(struct client *client)
{
    struct hub *hub = client->hub;
    client->next_told = NULL;
    client->told_at = hub->behind_end;
    *hub->behind_end = client;
    hub->behind_end = &client->next_told;
}

static struct client *take_first(struct hub *hub)
{
    struct client *client = hub->behind;
    hub->behind = client->next_told;
    if (hub->behind)
        hub->behind->told_at = &hub->behind;
    else
        hub->behind_end = &hub->behind;
    client->told_at = NULL;
    return client;
}

/* Waits while the client is slow; whoever takes nothing at all is ended by the core. */
static int send_waiting(struct client *client, bp_str text)
{
    int status;
    while ((status = bp_stream_send(client->stream, text)) == BP_BUSY) {
        status = bp_sleep(FULL_WAIT);
        if (client->gone || status != 0)
            return BP_CANCELED;
    }
    client->quiet_since = bp_clock();
    if (status == BP_NOMEM)
        hub_end(client, HUB_FAILED);
    return status;
}

static int send_page(struct client *client, const struct outbox_page *page)
{
    bp_str types = bp_str_n(client->types, client->types_len);
    size_t room = SSE_TEXT_ROOM;
    int64_t sent = 0;
    for (size_t i = 0; i < page->len; i++)
        room += sse_event_room(&page->items[i]);
    char *text = bp_arena_alloc(bp_fiber_arena(), room), *at = text;
    if (!text)
        return BP_NOMEM;
    bool gap = page->forgotten > client->position;
    if (gap) {
        at += sse_resync(at, page->upto, bp_date_now());
        bp_metric_add(client->hub->resyncs, 1);
    }
    for (size_t i = 0; i < page->len && !gap; i++)
        if (sse_is_wanted(types, page->items[i].type)) {
            at = sse_event(at, &page->items[i]);
            sent++;
        }
    bp_metric_add(client->hub->sent, sent);
    return at == text ? 0 : send_waiting(client, bp_str_n(text, (size_t)(at - text)));
}

/* One page more. True when that is not all. */
static int go_on(struct client *client)
{
    struct events *events = client->hub->events;
    struct outbox_page page;
    bp_uuid id = client->user->id; /* the user may have gone when it is asked again */
    int status = outbox_read_user(events, &id, client->position, PAGE, bp_fiber_arena(), &page);
    if (status != 0 || client->gone)
        return status;
    if (page.upto == client->position) /* from a replica of the database that lags behind */
        return bp_sleep(events->poll);
    status = send_page(client, &page);
    if (status == 0 && !client->gone)
        client->position = page.upto;
    return status;
}

/* Until it is told with the others, has gone, or the database is away. Negative: this fiber is to end. */
static int look_after(struct client *client, unsigned *pages)
{
    int status = 0;
    client->catching_up = true;
    while (status == 0 && !client->gone && *pages < PAGES && client->position < client->hub->position) {
        status = go_on(client);
        ++*pages;
    }
    client->catching_up = false;
    if (client->gone) {
        free(client);
        return 0;
    }
    if (!hub_join(client))
        queue(client);
    return status;
}

static void begin(struct hub *hub);

static int run(void *argument)
{
    struct hub *hub = argument;
    int status = 0;
    for (unsigned pages = 0; hub->behind && pages < PAGES && status == 0;)
        status = look_after(take_first(hub), &pages);
    if (hub->behind && status != 0 && status != BP_CANCELED) {
        int slept = bp_sleep(BP_SECOND); /* the database is away */
        status = slept < 0 ? slept : 0;
    }
    hub->catching_up--;
    if (hub->behind && status == 0)
        begin(hub);
    return 0;
}

static void begin(struct hub *hub)
{
    hub->catching_up++;
    if (bp_spawn(hub->events->host, "events.catch_up", run, hub, BP_FOREVER) < 0)
        hub->catching_up--;
}

void catch_up(struct client *client)
{
    struct hub *hub = client->hub;
    queue(client);
    if (hub->catching_up < FIBERS)
        begin(hub);
}
