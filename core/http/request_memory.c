/* SPDX-License-Identifier: MIT */
/* What requests live in: usually memory that the next one uses again; of one that lasts, as little as it needs. */
#include <stdlib.h>
#include <string.h>

#include "core/base/arena.h"
#include "core/http/request.h"
#include "core/http/server_internal.h"

enum { POOLED_REQUESTS = 256, LEAN_CHUNK_BYTES = 512 };

#define HEADERS_BYTES (REPLY_HEADERS_INLINE * sizeof(struct reply_header))

static size_t aligned(size_t size)
{
    return (size + 15) & ~(size_t)15;
}

/* Slots and header fields of the reply lie behind. */
static struct bp_request *request_new(const struct server *server)
{
    size_t slots = aligned(sizeof(struct bp_request)), headers = slots + aligned(server->assembly->slot_bytes);
    struct bp_request *rq = malloc(headers + HEADERS_BYTES);
    if (!rq)
        return NULL;
    rq->arena = arena_new();
    if (!rq->arena) {
        free(rq);
        return NULL;
    }
    rq->lean = false;
    rq->slots = (char *)rq + slots;
    rq->own_headers = (void *)((char *)rq + headers);
    return rq;
}

struct bp_request *server_request_new(struct server *server)
{
    struct bp_request *rq = server->requests;
    if (rq) {
        server->requests = rq->next;
        server->request_count--;
    } else {
        rq = request_new(server);
        if (!rq)
            return NULL;
    }
    request_reset(rq, server->assembly->slot_bytes);
    return rq;
}

static void request_free(struct bp_request *rq)
{
    arena_free(rq->arena);
    if (rq->lean)
        free(rq->own_headers);
    free(rq);
}

void server_request_free(struct server *server, struct bp_request *rq)
{
    server_inbuf_unref(server, rq->inbuf);
    if (rq->lean || server->request_count >= POOLED_REQUESTS) {
        request_free(rq);
        return;
    }
    arena_reset(rq->arena);
    rq->next = server->requests;
    server->requests = rq;
    server->request_count++;
}

void server_requests_free(struct server *server)
{
    for (struct bp_request *rq = server->requests, *next; rq; rq = next) {
        next = rq->next;
        request_free(rq);
    }
    server->requests = NULL;
}

static void move(bp_str *slice, bp_str from, char *to)
{
    if (slice->ptr >= from.ptr && slice->ptr < from.ptr + from.len)
        slice->ptr = to + (slice->ptr - from.ptr);
}

static void move_head(struct parser_head *head, bp_str from, char *to)
{
    move(&head->method_text, from, to);
    move(&head->target, from, to);
    move(&head->path, from, to);
    move(&head->query, from, to);
    move(&head->authority, from, to);
    for (uint32_t i = 0; i < head->field_count; i++) {
        move(&head->fields[i].name, from, to);
        move(&head->fields[i].value, from, to);
    }
}

struct bp_request *server_request_lean(struct server *server, struct bp_request *rq, bp_str head)
{
    size_t used = offsetof(struct bp_request, head.fields) + rq->head.field_count * sizeof(rq->head.fields[0]);
    size_t slots = aligned(used), slot_bytes = server->assembly->slot_bytes;
    struct bp_request *lean = malloc(slots + slot_bytes);
    struct bp_arena *arena = arena_new_small(LEAN_CHUNK_BYTES);
    struct reply_header *headers = malloc(HEADERS_BYTES);
    struct inbuf *inbuf = server_inbuf_exact(head.len);
    if (!lean || !arena || !headers || !inbuf) {
        free(lean);
        arena_free(arena);
        free(headers);
        free(inbuf);
        return NULL;
    }
    memcpy(lean, rq, used);
    memcpy(inbuf->data, head.ptr, head.len);
    /* What its route was found to be lies in the arena that is given back: it is found again. */
    lean->path = bp_str_n(NULL, 0);
    memset(&lean->params, 0, sizeof(lean->params));
    lean->endpoint = NULL;
    lean->pipeline = NULL;
    lean->allowed = 0;
    lean->arena = arena;
    lean->lean = true;
    lean->slots = (char *)lean + slots;
    memset(lean->slots, 0, slot_bytes);
    lean->headers = lean->own_headers = headers;
    lean->on_done_end = &lean->on_done;
    lean->inbuf = inbuf;
    move_head(&lean->head, head, inbuf->data);
    server_request_free(server, rq);
    return lean;
}

void request_detach(struct bp_request *rq)
{
    rq->detached = true;
    rq->handled = bp_clock() - rq->started;
    rq->headers = NULL; /* they were sent */
    rq->header_count = rq->header_cap = 0;
    if (rq->lean) {
        free(rq->own_headers);
        rq->own_headers = NULL;
    }
}
