/* SPDX-License-Identifier: MIT */
#include "checks.h"

#include <stdlib.h>

#include "probes.h"

const struct bp_metric_row health_metrics[] = {
    BP_METRIC(struct health, checks.up, .type = BP_GAUGE, .name = "backplane_health_check_up",
              .help = "1 when the service answered its last health check (of any worker), else 0.",
              .labels = {"check", "instance"}, .aggregate = BP_METRIC_MAX),
    BP_METRIC(struct health, checks.failures, .type = BP_COUNTER, .name = "backplane_health_check_failures_total",
              .help = "Times that a service went from up to down, or was down at the start, counted in each worker.",
              .labels = {"check", "instance"}),
    BP_METRIC_END};

static void note(struct check *check, enum health_change change)
{
    const struct health_state *state = &check->state;
    struct bp_host *host = check->health->host;
    if (change == HEALTH_SAME)
        return;
    bp_metric_set(check->up, state->up);
    if (change == HEALTH_FELL) {
        bp_metric_add(check->failures, 1);
        bp_log(host, BP_LOG_WARN, "health.down", "A service is down", bp_log_cstr("check", check->entry->check->name),
               bp_log_str("service", check->entry->instance), bp_log_bool("required", state->required),
               bp_log_cstr("detail", state->detail));
    } else if (state->down_since) {
        bp_log(host, BP_LOG_INFO, "health.up", "A service is up again", bp_log_cstr("check", check->entry->check->name),
               bp_log_str("service", check->entry->instance),
               bp_log_int("down_ms", (state->known_at - state->down_since) / BP_MILLISECOND));
    }
}

static void wake_all(struct checks *checks)
{
    for (struct watcher *watcher = checks->watchers; watcher; watcher = watcher->next)
        bp_event_set(&watcher->event);
}

static int ask(void *argument)
{
    struct check *check = argument;
    struct health *health = check->health;
    char detail[BP_HEALTH_DETAIL];
    int status = bp_health_ask(check->entry, health->timeout, detail);
    if (status == BP_CANCELED ||
        status == BP_NOMEM) /* the server starts or stops, or lacks memory: this says nothing */
        check->state.asked = false;
    else
        note(check, health_state_answer(&check->state, status, detail, bp_clock()));
    wake_all(&health->checks);
    return 0;
}

static void begin(struct check *check, bp_time now)
{
    struct health_state *state = &check->state;
    if (state->asked || bp_spawn(check->health->host, "health check", ask, check, BP_FOREVER) != 0)
        return;
    health_state_ask(state, now);
}

static void see_overdue(struct health *health, bp_time now)
{
    for (size_t i = 0; i < health->checks.count; i++)
        note(&health->checks.items[i], health_state_overdue(&health->checks.items[i].state, health->timeout, now));
}

bool checks_ready(const struct checks *checks, bp_time now)
{
    for (size_t i = 0; i < checks->count; i++)
        if (health_state_fails(&checks->items[i].state, now))
            return false;
    return true;
}

static bool all_known(const struct checks *checks)
{
    for (size_t i = 0; i < checks->count; i++)
        if (!checks->items[i].state.known)
            return false;
    return true;
}

static void log_readiness(struct health *health, bp_time now)
{
    bool ready = checks_ready(&health->checks, now);
    if (ready == health->checks.ready)
        return;
    health->checks.ready = ready;
    if (ready)
        bp_log(health->host, BP_LOG_INFO, "health.ready", "Every required service is up");
    else
        bp_log(health->host, BP_LOG_ERROR, "health.not_ready", "A required service is down: readiness fails");
}

/* Time passes for grace and time-outs even when nobody asks. */
static void tick(void *argument)
{
    struct health *health = argument;
    bp_time now = bp_clock();
    see_overdue(health, now);
    if (all_known(&health->checks)) /* else it is too early to say */
        log_readiness(health, now);
    for (size_t i = 0; i < health->checks.count; i++)
        begin(&health->checks.items[i], now);
}

int checks_start(struct health *health)
{
    struct checks *checks = &health->checks;
    while (bp_health_entry(health->host, checks->count))
        checks->count++;
    checks->ready = true;
    checks->items = calloc(checks->count + 1, sizeof(*checks->items));
    if (!checks->items)
        return BP_NOMEM;
    for (size_t i = 0; i < checks->count; i++) {
        const struct bp_health_entry *entry = bp_health_entry(health->host, i);
        const bp_str labels[] = {bp_str_of(entry->check->name), entry->instance};
        checks->items[i] = (struct check){.health = health,
                                          .entry = entry,
                                          .state = {.required = entry->required, .grace = entry->grace},
                                          .up = bp_series(checks->up, labels),
                                          .failures = bp_series(checks->failures, labels)};
    }
    if (checks->count == 0)
        return 0;
    return bp_timer_every(health->host, health->interval, tick, health) ? 0 : BP_NOMEM;
}

void checks_deinit(struct checks *checks)
{
    free(checks->items);
    checks->items = NULL;
    checks->count = 0;
}

static bool is_fresh(const struct health *health, const struct health_state *state, bp_time now)
{
    return state->known && now - state->known_at < health->interval;
}

/* For answers that are wanted: what is remembered is too old. */
static bp_span longest_wait(const struct health *health, bp_time now)
{
    bp_span longest = 0;
    for (size_t i = 0; i < health->checks.count; i++) {
        const struct health_state *state = &health->checks.items[i].state;
        bp_span wait = is_fresh(health, state, now) ? 0 : health_state_wait(state, health->timeout, now);
        if (wait > longest)
            longest = wait;
    }
    return longest;
}

static void unwatch(struct checks *checks, const struct watcher *gone)
{
    struct watcher **at = &checks->watchers;
    while (*at != gone)
        at = &(*at)->next;
    *at = gone->next;
}

int checks_settle(struct health *health)
{
    struct checks *checks = &health->checks;
    bp_time now = bp_clock();
    bp_span wait;
    for (size_t i = 0; i < checks->count; i++)
        if (!is_fresh(health, &checks->items[i].state, now))
            begin(&checks->items[i], now);
    while ((wait = longest_wait(health, now)) > 0) {
        struct watcher watcher = {.next = checks->watchers};
        bp_event_init(&watcher.event);
        checks->watchers = &watcher;
        int status = bp_event_wait(&watcher.event, wait);
        unwatch(checks, &watcher);
        now = bp_clock();
        if (status == BP_TIMEOUT) /* theirs, or that of the request: what is known must do */
            break;
        if (status != 0)
            return status;
    }
    see_overdue(health, now);
    return 0;
}
