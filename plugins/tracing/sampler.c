/* SPDX-License-Identifier: MIT */
#include "sampler.h"

void sampler_init(struct sampler *sampler, enum sampler_kind kind, double ratio, uint32_t rate)
{
    *sampler = (struct sampler){.kind = kind, .rate = rate, .tokens = rate};
    sampler->bound = ratio >= 1 ? UINT64_C(1) << 63 : (uint64_t)(ratio * (double)(UINT64_C(1) << 63));
}

static bool is_below(const struct sampler *sampler, const uint8_t trace_id[16])
{
    uint64_t low = 0;
    for (unsigned i = 8; i < 16; i++)
        low = low << 8 | trace_id[i];
    return low >> 1 < sampler->bound;
}

static bool is_wanted(const struct sampler *sampler, const uint8_t trace_id[16], const struct bp_trace_context *parent)
{
    if (parent && sampler->kind >= SAMPLER_PARENT_ALWAYS_ON)
        return parent->flags & BP_TRACE_SAMPLED;
    switch (sampler->kind) {
    case SAMPLER_ALWAYS_ON:
    case SAMPLER_PARENT_ALWAYS_ON:
        return true;
    case SAMPLER_RATIO:
    case SAMPLER_PARENT_RATIO:
        return is_below(sampler, trace_id);
    default:
        return false;
    }
}

/* A bucket that holds the traces of one second. */
static bool is_within_rate(struct sampler *sampler, bp_time now)
{
    double more = (double)(now - sampler->filled) / (double)BP_SECOND * sampler->rate;
    sampler->filled = now;
    sampler->tokens = sampler->tokens + more > sampler->rate ? sampler->rate : sampler->tokens + more;
    if (sampler->tokens < 1)
        return false;
    sampler->tokens -= 1;
    return true;
}

bool sampler_decide(struct sampler *sampler, const uint8_t trace_id[16], const struct bp_trace_context *parent,
                    bp_time now)
{
    return is_wanted(sampler, trace_id, parent) && (sampler->rate == 0 || is_within_rate(sampler, now));
}
