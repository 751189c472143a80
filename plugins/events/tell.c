/* SPDX-License-Identifier: MIT */
/* One reading of the outbox, for all clients of the worker. */
#include "hub.h"
#include "outbox.h"
#include "sse.h"

#define PAGE 500u
#define PAGES 16u       /* of one fiber, whose memory is then given back */
#define AT_ONCE 256u    /* sends before others have their turn */
#define TEXT_AT_ONCE 64 /* events of one user in one text */

/* Events of one user that follow each other, and their texts, which do, too. */
struct batch {
    const struct bp_events_item *items;
    size_t len;
    size_t begins[TEXT_AT_ONCE + 1];
    char *text;
};

static int make_batch(struct batch *batch, const struct bp_events_item *items, size_t len)
{
    size_t room = 0;
    for (size_t i = 0; i < len; i++)
        room += sse_event_room(&items[i]);
    *batch = (struct batch){.items = items, .len = len, .text = bp_arena_alloc(bp_fiber_arena(), room)};
    if (!batch->text)
        return BP_NOMEM;
    char *at = batch->text;
    for (size_t i = 0; i < len; i++) {
        batch->begins[i] = (size_t)(at - batch->text);
        at = sse_event(at, &items[i]);
    }
    batch->begins[len] = (size_t)(at - batch->text);
    return 0;
}

static bp_str text_of(const struct batch *batch, size_t from, size_t to)
{
    return bp_str_n(batch->text + batch->begins[from], batch->begins[to] - batch->begins[from]);
}

/* The client may have gone when it comes back. */
static void tell(struct client *client, const struct batch *batch)
{
    struct hub *hub = client->hub;
    bp_str types = bp_str_n(client->types, client->types_len);
    size_t first = 0;
    while (first < batch->len && batch->items[first].position <= client->position)
        first++;
    if (first == batch->len)
        return;
    client->position = batch->items[batch->len - 1].position;
    if (types.len == 0) {
        bp_metric_add(hub->sent, (int64_t)(batch->len - first));
        (void)hub_send(client, text_of(batch, first, batch->len));
        return;
    }
    for (size_t i = first; i < batch->len; i++) {
        if (!sse_is_wanted(types, batch->items[i].type))
            continue;
        bp_metric_add(hub->sent, 1);
        if (!hub_send(client, text_of(batch, i, i + 1)))
            return;
    }
}

/* Suspends now and then: clients come and go meanwhile. */
static int tell_user(struct hub *hub, const struct bp_events_item *items, size_t len, unsigned *sends)
{
    struct user *user = users_find(&hub->users, &items->user_id);
    struct batch batch;
    if (!user || !user->clients)
        return 0;
    int status = make_batch(&batch, items, len);
    hub->cursor = status == 0 ? user->clients : NULL;
    while (status == 0 && hub->cursor) {
        struct client *client = hub->cursor;
        hub->cursor = client->next_told;
        tell(client, &batch);
        if (++*sends % AT_ONCE == 0)
            status = bp_sleep(0);
    }
    hub->cursor = NULL;
    return status;
}

/* Those whose session, key or account is still there come back. Does not suspend. */
static void revoke(struct hub *hub, const bp_uuid *user_id)
{
    struct user *user = users_find(&hub->users, user_id);
    if (!user)
        return;
    user->changes++; /* for those whose handler runs */
    for (struct client *client = hub->clients, *next; client; client = next) {
        next = client->next;
        if (client->user == user)
            hub_end(client, HUB_REVOKED);
    }
}

static bool is_of_account(const struct bp_events_item *item)
{
    return bp_str_is(item->type, OUTBOX_ACCOUNT);
}

/* Whether the second one may be told with the first. */
static bool goes_with(const struct bp_events_item *first, const struct bp_events_item *item)
{
    return bp_uuid_eq(&first->user_id, &item->user_id) && !is_of_account(first) && !is_of_account(item);
}

static int tell_page(struct hub *hub, const struct outbox_page *page)
{
    unsigned sends = 0;
    int status = 0;
    for (size_t i = 0, len; status == 0 && i < page->len; i += len) {
        const struct bp_events_item *items = page->items + i;
        for (len = 1; len < TEXT_AT_ONCE && i + len < page->len && goes_with(items, &items[len]);)
            len++;
        /* First: who joins from now on has read these. */
        if (items[len - 1].position > hub->position)
            hub->position = items[len - 1].position;
        if (is_of_account(items))
            revoke(hub, &items->user_id);
        else
            status = tell_user(hub, items, len, &sends);
    }
    if (page->upto > hub->position)
        hub->position = page->upto;
    return status;
}

/* Clients find out what they missed when they come back. */
static void end_all(struct hub *hub)
{
    for (struct client *client = hub->clients, *next; client; client = next) {
        next = client->next;
        hub_end(client, HUB_FAILED);
    }
}

/* The last position is below what clients were told. Suspends. */
static int look_back(struct hub *hub)
{
    struct outbox_head head;
    int status = outbox_advance(hub->events, &head);
    if (status != 0 || !hub->awake || head.last >= hub->position) /* it was a replica that lags behind */
        return status;
    bp_log(
        hub->events->host, BP_LOG_ERROR, "events.went_back",
        "The database is an older one than before, or another: clients that are connected were told to read everything "
        "again. So that others are, too, stop the servers and run backplane events reset",
        bp_log_int("position", hub->position), bp_log_int("last", head.last));
    char text[SSE_TEXT_ROOM];
    bp_str resync = bp_str_n(text, sse_resync(text, head.last, bp_date_now()));
    atomic_store(&hub->events->shared->counted, 0);
    hub->position = hub->done = head.last;
    for (struct client *client = hub->clients, *next; client; client = next) {
        next = client->next;
        client->position = head.last;
        if (client->catching_up) /* with what was before */
            hub_end(client, HUB_FAILED);
        else if (hub_send(client, resync))
            bp_metric_add(hub->resyncs, 1);
    }
    return 0;
}

/* *ret_more: that is not all. */
static int read_on(struct hub *hub, bool *ret_more)
{
    struct outbox_head head;
    int status = outbox_poll(hub->events, &head);
    if (status == 0 && hub->awake && head.last < hub->position)
        return look_back(hub);
    for (unsigned pages = 0; status == 0 && hub->awake && hub->position < head.last;) {
        struct outbox_page page;
        int64_t from = hub->position;
        *ret_more = pages >= PAGES;
        if (*ret_more)
            break;
        status = outbox_read(hub->events, NULL, from, PAGE, true, bp_fiber_arena(), &page);
        if (status != 0 || page.upto == from || from != hub->position)
            break;
        pages += page.cut ? OUTBOX_CUT_WEIGHT : 1;
        if (page.forgotten > from) /* away for longer than events are kept */
            end_all(hub);
        status = tell_page(hub, &page);
        if (status != 0)
            end_all(hub); /* some may have been told, others not */
        hub->done = hub->position;
    }
    return status;
}

static int read_once(void *argument)
{
    struct hub *hub = argument;
    bool more = false;
    int status = read_on(hub, &more);
    hub->reading = false;
    if (more)
        tell_soon(hub);
    return status == BP_BUSY || status == BP_TIMEOUT ? 0 : status; /* the next round will do it */
}

void tell_soon(void *argument)
{
    struct hub *hub = argument;
    catch_up_on(hub);
    if (hub->reading)
        return;
    hub->reading = true;
    if (bp_spawn(hub->events->host, "events.tell", read_once, hub, BP_MINUTE) < 0)
        hub->reading = false;
}
