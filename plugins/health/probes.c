/* SPDX-License-Identifier: MIT */
#include "probes.h"

#include "backplane/backplane.h"

const struct bp_field health_reply_rows[] = {
    BP_TEXT(struct health_reply, status, .doc = "\"alive\", \"ready\" or \"not ready\"."),
    BP_DATE(struct health_reply, timestamp, .doc = "When this was asked."), BP_END};

static const struct bp_field services_rows[] = {
    BP_TEXT(struct health_services, database, .doc = "\"Connected\" or \"Disconnected\"."),
    BP_TEXT(struct health_services, redis, .doc = "\"Connected\", \"Disconnected\", \"Disabled\" or \"Unknown\"."),
    BP_END};

enum { LINE_NAME = 1, LINE_INSTANCE = 2, LINE_STATUS = 4, LINE_REQUIRED = 8, LINE_LATENCY = 16, LINE_DETAIL = 32 };

static const struct bp_field line_rows[] = {
    BP_PRESENCE(struct health_line, set, null),
    BP_TEXT(struct health_line, name, .doc = "What is checked: \"database\", \"redis\"."),
    BP_TEXT(struct health_line, instance, .doc = "The plugin instance that checks it."),
    BP_TEXT(struct health_line, status, .doc = "\"up\", \"down\", or \"unknown\" before the first answer."),
    BP_BOOL(struct health_line, required, .doc = "Whether readiness depends on it."),
    BP_F64(struct health_line, latency_ms, .doc = "How long the last answer took, in milliseconds."),
    BP_TEXT(struct health_line, detail, .doc = "What the check says. Only with details = \"full\"."),
    BP_END};

const struct bp_field health_report_rows[] = {
    BP_PRESENCE(struct health_report, set, null),
    BP_TEXT(struct health_report, status, .doc = "\"healthy\" or \"unhealthy\"."),
    BP_TEXT(struct health_report, message, .doc = "Why it is unhealthy."),
    BP_F64(struct health_report, uptime, .doc = "Seconds since this worker started."),
    BP_DATE(struct health_report, timestamp, .doc = "When this was asked."),
    BP_OBJECT(struct health_report, services, services_rows, .doc = "Each service."),
    BP_ARRAY(struct health_report, checks, struct health_line, line_rows, .max = 64,
             .doc = "Each check of each plugin. Not with details = \"none\"."),
    BP_END};

enum { SET_STATUS = 1, SET_MESSAGE = 2, SET_UPTIME = 4, SET_TIMESTAMP = 8, SET_SERVICES = 16, SET_CHECKS = 32 };

static int reply_state(struct bp_request *rq, unsigned status, bp_str text)
{
    const struct health_reply reply = {text, bp_date_now()};
    int failed = bp_header_set(rq, BP_STR("Cache-Control"), BP_STR("no-store"));
    return failed < 0 ? failed : bp_reply_json(rq, status, health_reply_rows, &reply);
}

int health_live(struct bp_request *rq, void *self, const void *stage)
{
    (void)self;
    (void)stage;
    return reply_state(rq, 200, BP_STR("alive"));
}

int health_ready(struct bp_request *rq, void *self, const void *stage)
{
    struct health *health = self;
    (void)stage;
    if (bp_draining())
        return reply_state(rq, 503, BP_STR("not ready"));
    int status = checks_settle(health);
    if (status < 0)
        return status;
    if (checks_ready(&health->checks, bp_clock()))
        return reply_state(rq, 200, BP_STR("ready"));
    return reply_state(rq, 503, BP_STR("not ready"));
}

enum service { SERVICE_ABSENT, SERVICE_UP, SERVICE_DOWN };

/* Several instances are one service: down when one of them is. */
static enum service service(const struct checks *checks, const char *name)
{
    enum service found = SERVICE_ABSENT;
    for (size_t i = 0; i < checks->count && found != SERVICE_DOWN; i++)
        if (strcmp(checks->items[i].entry->check->name, name) == 0)
            found = checks->items[i].state.up ? SERVICE_UP : SERVICE_DOWN;
    return found;
}

static struct health_line line(const struct check *check, bool full)
{
    const struct health_state *state = &check->state;
    struct health_line line = {.set = LINE_NAME | LINE_INSTANCE | LINE_STATUS | LINE_REQUIRED,
                               .name = bp_str_of(check->entry->check->name),
                               .instance = check->entry->instance,
                               .status = !state->known ? BP_STR("unknown")
                                         : state->up   ? BP_STR("up")
                                                       : BP_STR("down"),
                               .required = state->required};
    if (state->known) {
        line.set |= LINE_LATENCY;
        int64_t microseconds = state->latency / BP_MICROSECOND;
        line.latency_ms = (double)microseconds / 1000.0;
    }
    if (full && state->detail[0]) {
        line.set |= LINE_DETAIL;
        line.detail = bp_str_of(state->detail);
    }
    return line;
}

static int add_lines(const struct health *health, struct health_report *report)
{
    const struct checks *checks = &health->checks;
    if (health->details == DETAILS_NONE)
        return 0;
    struct health_line *lines = bp_arena_array(bp_fiber_arena(), checks->count + 1, sizeof(*lines));
    if (!lines)
        return BP_NOMEM;
    for (size_t i = 0; i < checks->count; i++)
        lines[i] = line(&checks->items[i], health->details == DETAILS_FULL);
    report->checks = (struct bp_array){lines, checks->count};
    report->set |= SET_CHECKS;
    return 0;
}

static void add_services(const struct health *health, struct health_report *report)
{
    if (service(&health->checks, "database") == SERVICE_UP) {
        enum service redis = service(&health->checks, "redis");
        int64_t milliseconds = (bp_clock() - health->started) / BP_MILLISECOND;
        report->set |= SET_UPTIME;
        report->uptime = (double)milliseconds / 1000.0;
        report->status = BP_STR("healthy");
        report->services =
            (struct health_services){BP_STR("Connected"), redis == SERVICE_ABSENT ? BP_STR("Disabled")
                                                          : redis == SERVICE_UP   ? BP_STR("Connected")
                                                                                  : BP_STR("Disconnected")};
    } else {
        report->set |= SET_MESSAGE;
        report->status = BP_STR("unhealthy");
        report->message = BP_STR("Service unavailable");
        report->services = (struct health_services){BP_STR("Disconnected"), BP_STR("Unknown")};
    }
}

int health_database(struct bp_request *rq, void *self, const void *stage)
{
    struct health *health = self;
    struct health_report report = {.set = SET_STATUS | SET_TIMESTAMP | SET_SERVICES, .timestamp = bp_date_now()};
    (void)stage;
    int status = checks_settle(health);
    if (status == 0)
        status = add_lines(health, &report);
    if (status == 0)
        status = bp_header_set(rq, BP_STR("Cache-Control"), BP_STR("no-store"));
    if (status < 0)
        return status;
    add_services(health, &report);
    return bp_reply_json(rq, report.set & SET_UPTIME ? 200 : 503, health_report_rows, &report);
}
