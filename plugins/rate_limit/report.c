/* SPDX-License-Identifier: MIT */
/*
 * What a reply says about the limits that its request passed: X-RateLimit-* of the tightest (http-api.md), and RateLimit-Policy and RateLimit of all of
 * them (draft-ietf-httpapi-ratelimit-headers).
 */
#include "check.h"

struct entry {
    const struct limited *limited;
    uint32_t limit; /* its index */
    uint32_t remaining;
    bp_span reset_in;
};

struct report {
    struct entry entries[REPORT_MAX];
    uint32_t count;
    /* Of the tightest. */
    bool refused;
    uint32_t quota, remaining;
    bp_date reset;
};

struct text {
    char *at;
};

static void put(struct text *text, bp_str part)
{
    memcpy(text->at, part.ptr, part.len);
    text->at += part.len;
}

/* printf would be most of what a limit costs. */
static void put_number(struct text *text, uint64_t value)
{
    char space[20];
    put(text, bp_str_u64(value, space));
}

/* Lists of structured fields (RFC 9651): another instance's lines make one list with them. */
static int set_lists(struct bp_request *rq, const struct report *report)
{
    size_t len = sizeof("RateLimit-Policy: \r\nRateLimit: \r\n");
    for (uint32_t i = 0; i < report->count; i++) {
        const struct entry *entry = &report->entries[i];
        len += entry->limited->policies[entry->limit].len + entry->limited->names[entry->limit].len +
               sizeof(", , ;r=4294967295;t=99999999999");
    }
    char *lines = bp_arena_alloc(bp_arena(rq), len);
    struct text text = {lines};
    if (!lines)
        return BP_NOMEM;
    put(&text, BP_STR("RateLimit-Policy: "));
    for (uint32_t i = 0; i < report->count; i++) {
        if (i > 0)
            put(&text, BP_STR(", "));
        put(&text, report->entries[i].limited->policies[report->entries[i].limit]);
    }
    put(&text, BP_STR("\r\nRateLimit: "));
    for (uint32_t i = 0; i < report->count; i++) {
        const struct entry *entry = &report->entries[i];
        if (i > 0)
            put(&text, BP_STR(", "));
        put(&text, entry->limited->names[entry->limit]);
        put(&text, BP_STR(";r="));
        put_number(&text, entry->remaining);
        put(&text, BP_STR(";t="));
        put_number(&text, (uint64_t)limiter_seconds(entry->reset_in));
    }
    put(&text, BP_STR("\r\n"));
    return bp_header_block(rq, bp_str_n(lines, (size_t)(text.at - lines)));
}

static int set(struct bp_request *rq, bool again, bp_str name, uint64_t value)
{
    char space[20];
    bp_str text = bp_str_u64(value, space);
    return again ? bp_header_set(rq, name, text) : bp_header_add(rq, name, text);
}

/* Whether the limits of another instance, inside, leave less. A refusal leaves what it leaves, and was inside of everything that passed. */
static bool is_looser(const struct bp_request *rq, const struct report *report)
{
    uint64_t other, other_reset;
    if (!bp_str_to_u64(bp_reply_header(rq, BP_STR("X-RateLimit-Remaining")), &other))
        return false;
    if (bp_reply_status(rq) == 429 && !report->refused)
        return true;
    if (other != report->remaining)
        return other < report->remaining;
    return bp_str_to_u64(bp_reply_header(rq, BP_STR("X-RateLimit-Reset")), &other_reset) &&
           other_reset > (uint64_t)report->reset;
}

static void set_headers(struct bp_request *rq, void *argument)
{
    const struct report *report = argument;
    bool again = bp_reply_header(rq, BP_STR("X-RateLimit-Limit")).ptr != NULL;

    /* Out of memory, a reply goes without. */
    (void)set_lists(rq, report);
    if (again && is_looser(rq, report))
        return;
    (void)set(rq, again, BP_STR("X-RateLimit-Limit"), report->quota);
    (void)set(rq, again, BP_STR("X-RateLimit-Remaining"), report->remaining);
    (void)set(rq, again, BP_STR("X-RateLimit-Reset"), (uint64_t)report->reset);
}

int report_add(struct bp_request *rq, int slot, const struct limited *limited, const struct verdict *verdicts,
               uint32_t refused)
{
    struct report **place = bp_slot(rq, slot), *report = *place;
    bp_date now = bp_request_date(rq);

    if (!report) {
        report = bp_arena_alloc(bp_arena(rq), sizeof(*report));
        if (!report || bp_on_head(rq, set_headers, report) != 0)
            return BP_NOMEM;
        report->remaining = UINT32_MAX;
        *place = report;
    }
    for (uint32_t i = 0; i < limited->limiter.count; i++) {
        const struct verdict *verdict = &verdicts[i];
        bp_date reset = now + limiter_milliseconds(verdict->reset_in);
        if (report->count < REPORT_MAX)
            report->entries[report->count++] = (struct entry){limited, i, verdict->remaining, verdict->reset_in};
        if (i == refused)
            report->refused = true;
        else if (report->refused || verdict->remaining > report->remaining ||
                 (verdict->remaining == report->remaining && reset < report->reset))
            continue;
        report->quota = limited->limiter.limits[i].quota;
        report->remaining = verdict->remaining;
        report->reset = reset;
    }
    return 0;
}
