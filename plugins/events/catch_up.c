/* SPDX-License-Identifier: MIT */
/* Clients that come back are told what they missed, before they are told with the others. */
#include "hub.h"

#include <stdlib.h>

#include "outbox.h"
#include "sse.h"

#define PAGE 200u
#define PAGES 16u /* of one fiber, whose memory is then given back */
#define FIBERS 8u /* at once: however many come back, the database is asked no faster than it answers */
#define LOOK_EVERY (20 * BP_MILLISECOND) /* while some are behind */
#define SLOW_MOST BP_SECOND
#define SMALLEST 7 /* PAGE >> that is 1 */
#define AWAY_WAIT BP_SECOND

#define PUT_OFF 1 /* somebody else's turn */

static void queue(struct client *client)
{
    struct hub *hub = client->hub;
    client->next_told = NULL;
    client->told_at = hub->behind_end;
    *hub->behind_end = client;
    hub->behind_end = &client->next_told;
}

static struct client *find_ready(const struct hub *hub)
{
    bp_time now = bp_clock();
    struct client *client = hub->behind;
    while (client && client->not_before > now)
        client = client->next_told;
    return client;
}

static int put_off(struct client *client, bp_span wait)
{
    client->not_before = bp_clock() + wait;
    return PUT_OFF;
}

/* A client that is slow waits in the line, and nobody with it; whoever takes nothing at all is ended by the core, as is one that has left. */
static int send(struct client *client, bp_str text)
{
    int status = bp_stream_send(client->stream, text);
    if (status == BP_BUSY || status == BP_CANCELED) {
        client->wait = client->wait == 0 ? LOOK_EVERY : client->wait * 2;
        if (client->wait > SLOW_MOST)
            client->wait = SLOW_MOST;
        client->smaller =
            client->smaller + 2 < SMALLEST ? (uint8_t)(client->smaller + 2) : SMALLEST; /* it is read again */
        return put_off(client, client->wait);
    }
    client->wait = 0;
    if (client->smaller > 0)
        client->smaller--;
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
    if (gap)
        at += sse_resync(at, page->upto, bp_date_now());
    for (size_t i = 0; i < page->len && !gap; i++)
        if (sse_is_wanted(types, page->items[i].type)) {
            at = sse_event(at, &page->items[i]);
            sent++;
        }
    int status = at == text ? 0 : send(client, bp_str_n(text, (size_t)(at - text)));
    if (status == 0) {
        bp_metric_add(client->hub->sent, sent);
        bp_metric_add(client->hub->resyncs, gap);
    }
    return status;
}

/* One page more; or PUT_OFF. */
static int go_on(struct client *client, unsigned *pages)
{
    struct events *events = client->hub->events;
    struct outbox_page page;
    bp_uuid id = client->user->id; /* the user may have gone when it is asked again */
    int status = outbox_read_user(events, &id, client->position, PAGE >> client->smaller, bp_fiber_arena(), &page);
    ++*pages;
    if (status != 0 || client->gone)
        return status;
    *pages += page.cut ? OUTBOX_CUT_WEIGHT - 1 : 0;
    if (page.upto == client->position) /* from a replica of the database that lags behind */
        return put_off(client, events->poll);
    status = send_page(client, &page);
    if (status == 0 && !client->gone)
        client->position = page.upto;
    return status;
}

/* Until it is told with the others, has gone, is put off, or the database is away. Negative: this fiber is to end. */
static int look_after(struct client *client, unsigned *pages)
{
    int status = 0;
    client->catching_up = true;
    while (status == 0 && !client->gone && *pages < PAGES && client->position < client->hub->position)
        status = go_on(client, pages);
    client->catching_up = false;
    if (client->gone) {
        free(client);
        return status < 0 ? status : 0;
    }
    if (!hub_join(client))
        queue(client);
    return status < 0 ? status : 0;
}

static int run(void *argument)
{
    struct hub *hub = argument;
    struct client *client;
    int status = 0;
    for (unsigned pages = 0; status == 0 && pages < PAGES && (client = find_ready(hub));) {
        hub_unlink(client);
        status = look_after(client, &pages);
    }
    hub->catching_up--;
    if (status != 0) /* the database is away */
        hub->catch_up_after = bp_clock() + AWAY_WAIT;
    else
        catch_up_on(hub);
    return 0;
}

void catch_up_on(void *argument)
{
    struct hub *hub = argument;
    if (!hub->behind && hub->catching_up == 0) {
        hub->behind_timer = bp_timer_free(hub->behind_timer);
        return;
    }
    if (hub->catching_up >= FIBERS || bp_clock() < hub->catch_up_after || !find_ready(hub))
        return;
    hub->catching_up++;
    if (bp_spawn(hub->events->host, "events.catch_up", run, hub, BP_FOREVER) < 0)
        hub->catching_up--; /* the timer is the net */
}

void catch_up(struct client *client)
{
    struct hub *hub = client->hub;
    queue(client);
    if (!hub->behind_timer)
        hub->behind_timer = bp_timer_every(hub->events->host, LOOK_EVERY, catch_up_on, hub);
    catch_up_on(hub);
}
