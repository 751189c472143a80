/* SPDX-License-Identifier: MIT */
#include "core/metric/exemplar.h"

#include <string.h>

#define LIFETIME 1000 /* milliseconds */

/* Not zero for zeroes, so that an empty place does not match. */
static uint64_t check_of(const uint64_t words[EXEMPLAR_WORDS])
{
    uint64_t hash = 0x424d4558u; /* "BMEX" */
    for (unsigned i = 0; i < EXEMPLAR_CHECK; i++) {
        hash = (hash ^ words[i]) * 0x9e3779b97f4a7c15u;
        hash ^= hash >> 32;
    }
    return hash;
}

void exemplar_store(struct metric_exemplar *place, const struct exemplar *exemplar)
{
    uint64_t words[EXEMPLAR_WORDS];
    bp_date age = exemplar->date - (bp_date)atomic_load_explicit(&place->words[EXEMPLAR_DATE], memory_order_relaxed);
    if (age >= 0 && age < LIFETIME)
        return;
    memcpy(&words[EXEMPLAR_TRACE], exemplar->trace_id, sizeof(exemplar->trace_id));
    memcpy(&words[EXEMPLAR_SPAN], exemplar->span_id, sizeof(exemplar->span_id));
    memcpy(&words[EXEMPLAR_VALUE], &exemplar->value, sizeof(exemplar->value));
    words[EXEMPLAR_DATE] = (uint64_t)exemplar->date;
    words[EXEMPLAR_CHECK] = check_of(words);
    for (unsigned i = 0; i < EXEMPLAR_WORDS; i++)
        atomic_store_explicit(&place->words[i], words[i], memory_order_relaxed);
}

bool exemplar_load(const struct metric_exemplar *place, struct exemplar *ret_exemplar)
{
    uint64_t words[EXEMPLAR_WORDS];
    for (unsigned i = 0; i < EXEMPLAR_WORDS; i++)
        words[i] = atomic_load_explicit(&place->words[i], memory_order_relaxed);
    if (words[EXEMPLAR_DATE] == 0 || words[EXEMPLAR_CHECK] != check_of(words))
        return false;
    memcpy(ret_exemplar->trace_id, &words[EXEMPLAR_TRACE], sizeof(ret_exemplar->trace_id));
    memcpy(ret_exemplar->span_id, &words[EXEMPLAR_SPAN], sizeof(ret_exemplar->span_id));
    memcpy(&ret_exemplar->value, &words[EXEMPLAR_VALUE], sizeof(ret_exemplar->value));
    ret_exemplar->date = (bp_date)words[EXEMPLAR_DATE];
    return true;
}
