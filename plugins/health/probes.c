/* SPDX-License-Identifier: MIT */
#include "probes.h"

#include "backplane/backplane.h"
#include "backplane/iface/database.h"

const struct bp_field health_state_rows[] = {
    BP_TEXT(struct health_state, status, .doc = "\"alive\", \"ready\" or \"not ready\"."),
    BP_DATE(struct health_state, timestamp, .doc = "When this was asked."), BP_END};

static const struct bp_field services_rows[] = {
    BP_TEXT(struct health_services, database, .doc = "\"Connected\" or \"Disconnected\"."),
    BP_TEXT(struct health_services, redis, .doc = "\"Connected\", \"Disconnected\", \"Disabled\" or \"Unknown\"."),
    BP_END};

const struct bp_field health_report_rows[] = {
    BP_PRESENCE(struct health_report, set, null),
    BP_TEXT(struct health_report, status, .doc = "\"healthy\" or \"unhealthy\"."),
    BP_TEXT(struct health_report, message, .doc = "Why it is unhealthy."),
    BP_F64(struct health_report, uptime, .doc = "Seconds since this worker started."),
    BP_DATE(struct health_report, timestamp, .doc = "When this was asked."),
    BP_OBJECT(struct health_report, services, services_rows, .doc = "Each service."),
    BP_END};

enum { SET_STATUS = 1, SET_MESSAGE = 2, SET_UPTIME = 4, SET_TIMESTAMP = 8, SET_SERVICES = 16 };

static int reply_state(struct bp_request *rq, unsigned status, bp_str text)
{
    const struct health_state state = {text, bp_date_now()};
    int failed = bp_header_set(rq, BP_STR("Cache-Control"), BP_STR("no-store"));
    return failed < 0 ? failed : bp_reply_json(rq, status, health_state_rows, &state);
}

/* 0, a positive status when the database does not answer, or a fatal one. */
static int ping(const struct health *health)
{
    if (!health->database.vtable)
        return 0;
    int status = bp_db_ping(health->database, health->timeout);
    return status == 0 || status == BP_CANCELED || status == BP_NOMEM ? status : 1;
}

int health_live(struct bp_request *rq, void *self, const void *stage)
{
    (void)self;
    (void)stage;
    return reply_state(rq, 200, BP_STR("alive"));
}

int health_ready(struct bp_request *rq, void *self, const void *stage)
{
    (void)stage;
    if (bp_draining())
        return reply_state(rq, 503, BP_STR("not ready"));
    int status = ping(self);
    if (status < 0)
        return status;
    return status > 0 ? reply_state(rq, 503, BP_STR("not ready")) : reply_state(rq, 200, BP_STR("ready"));
}

int health_database(struct bp_request *rq, void *self, const void *stage)
{
    const struct health *health = self;
    struct health_report report = {.set = SET_STATUS | SET_TIMESTAMP | SET_SERVICES, .timestamp = bp_date_now()};
    (void)stage;
    int status = ping(health);
    if (status >= 0) {
        bool connected = status == 0 && health->database.vtable;
        if (connected) {
            report.set |= SET_UPTIME;
            report.status = BP_STR("healthy");
            int64_t milliseconds = (bp_clock() - health->started) / BP_MILLISECOND;
            report.uptime = (double)milliseconds / 1000.0;
            report.services = (struct health_services){BP_STR("Connected"), BP_STR("Disabled")};
        } else {
            report.set |= SET_MESSAGE;
            report.status = BP_STR("unhealthy");
            report.message = BP_STR("Service unavailable");
            report.services = (struct health_services){BP_STR("Disconnected"), BP_STR("Unknown")};
        }
        status = bp_header_set(rq, BP_STR("Cache-Control"), BP_STR("no-store"));
        if (status == 0)
            status = bp_reply_json(rq, connected ? 200 : 503, health_report_rows, &report);
    }
    return status;
}
