/* SPDX-License-Identifier: MIT */
#include "core/error/errors.h"

#include "core/error/table.h"
#include "core/supervisor/shared.h"

static struct errors *here;

/* Async-signal-safe. */
static void keep(char *room, size_t size, bp_str text)
{
    size_t len = text.len < size - 1 ? text.len : size - 1;
    for (size_t i = 0; i < len; i++)
        room[i] = text.ptr[i] < ' ' || text.ptr[i] > '~' ? '?' : text.ptr[i];
    room[len] = '\0';
}

#define KEEP(room, text) keep((room), sizeof(room), (text))

size_t errors_size(void)
{
    return sizeof(struct errors);
}

/* Whoever held the mutex died: what it was writing is dropped. */
static void repair(struct errors *errors)
{
    for (uint32_t i = 0; i < ERRORS_GROUPS; i++) {
        struct error_group *group = &errors->groups[i];
        if (!(atomic_load_explicit(&group->sequence, memory_order_relaxed) & 1))
            continue;
        memset(&group->sample, 0, sizeof(group->sample));
        atomic_fetch_add_explicit(&group->sequence, 1, memory_order_release);
    }
}

static struct error_group *find(struct errors *errors, const struct error_key *key, bp_date now)
{
    uint32_t used = atomic_load_explicit(&errors->used, memory_order_relaxed);

    for (uint32_t i = 0; i < used && i < ERRORS_GROUPS; i++) {
        const struct error_key *other = &errors->groups[i].key;
        if (strcmp(other->code, key->code) == 0 && strcmp(other->route, key->route) == 0 &&
            strcmp(other->plugin, key->plugin) == 0)
            return &errors->groups[i];
    }
    if (used >= ERRORS_GROUPS)
        return NULL;
    struct error_group *group = &errors->groups[used];
    group->key = *key;
    atomic_store_explicit(&group->count, 0, memory_order_relaxed);
    atomic_store_explicit(&group->first, now, memory_order_relaxed);
    atomic_store_explicit(&group->last, now, memory_order_relaxed);
    atomic_store_explicit(&errors->used, used + 1, memory_order_release);
    return group;
}

static void note(struct errors *errors, const struct error_sample *sample, bp_date now)
{
    struct error_key key = {0}; /* no byte of the stack goes into shared memory */
    struct error_last last = {0};

    KEEP(key.plugin, sample->plugin);
    KEEP(key.route, sample->route);
    KEEP(key.code, sample->code);
    KEEP(last.message, sample->message);
    KEEP(last.request_id, sample->request_id);
    KEEP(last.trace_id, sample->trace_id);

    if (bp_mutex_lock(&errors->mutex))
        repair(errors);
    struct error_group *group = find(errors, &key, now);
    if (group) {
        atomic_fetch_add_explicit(&group->count, 1, memory_order_relaxed);
        atomic_store_explicit(&group->last, now, memory_order_relaxed);
        atomic_fetch_add_explicit(&group->sequence, 1, memory_order_relaxed);
        atomic_thread_fence(memory_order_release);
        group->sample = last;
        atomic_fetch_add_explicit(&group->sequence, 1, memory_order_release);
    } else {
        atomic_fetch_add_explicit(&errors->overflow, 1, memory_order_relaxed);
    }
    bp_mutex_unlock(&errors->mutex);
}

/* ---- in a worker ---- */

void errors_attach(struct shared *shared)
{
    here = shared_region(shared, ERRORS_REGION, ERRORS_VERSION, sizeof(struct errors), NULL);
}

void errors_detach(void)
{
    here = NULL;
}

void errors_note_here(const struct error_sample *sample)
{
    if (here)
        note(here, sample, bp_date_now());
}

void errors_crashing(unsigned slot, bp_str plugin, bp_str route, bp_str request_id)
{
    if (!here)
        return;
    struct error_words *words = &here->words[slot % BP_WORKER_SLOTS];
    KEEP(words->plugin, plugin);
    KEEP(words->route, route);
    KEEP(words->request_id, request_id);
    atomic_store_explicit(&words->said, 1, memory_order_release);
}

/* ---- in the supervisor ---- */

/* A text in memory that a worker may have spoilt. */
static bp_str bounded(const char *text, size_t size)
{
    return bp_str_n(text, strnlen(text, size));
}

bp_str errors_reaped(struct errors *shared, struct errors *own, unsigned slot, bp_str end, bp_date now)
{
    struct error_words *words = &shared->words[slot % BP_WORKER_SLOTS];
    struct error_sample sample = {.code = BP_STR("worker.died"), .message = end};

    if (atomic_exchange_explicit(&words->said, 0, memory_order_acquire)) {
        sample.code = BP_STR("worker.crashed");
        sample.plugin = bounded(words->plugin, sizeof(words->plugin));
        sample.route = bounded(words->route, sizeof(words->route));
        sample.request_id = bounded(words->request_id, sizeof(words->request_id));
    }
    note(own, &sample, now);
    return sample.plugin;
}
