/* SPDX-License-Identifier: MIT */
/* reminders: of todos, at their time; and those that come back. */
#include <stdio.h>

#include "backplane/iface/database.h"
#include "backplane/iface/events.h"
#include "backplane/iface/mailer.h"
#include "backplane/iface/queue.h"
#include "backplane/iface/todos.h"
#include "plan.h"
#include "reminders.h"
#include "reminders_migrations.h"
#include "send.h"

static const struct bp_field options[] = {
    BP_BOOL(struct reminders, due, .def = "true",
            .doc = "Whether a todo without remindAt is reminded of when it is due, at dueAt."),
    BP_BOOL(struct reminders, mail, .def = "true",
            .doc = "Whether a message is sent to the account's address, where there is a mailer; false: only events."),
    BP_BOOL(struct reminders, verified_only, .def = "false",
            .doc = "Whether messages are only sent to addresses that were verified."),
    BP_TEXT(struct reminders, link, .def = "", .max = 1000,
            .doc = "What stands before the todo's identifier in a message: \"https://app.example.com/todos/\". Empty: "
                   "no link."),
    BP_SPAN(
        struct reminders, late, .def = "1m", .min = 0, .max = 365 * BP_DAY,
        .doc =
            "A reminder whose time had passed by no more than this when the todo was written is sent at once; one of "
            "longer ago is not sent."),
    BP_BOOL(
        struct reminders, skip_missed, .def = "false",
        .doc =
            "Whether a todo that comes back leaves out the dates that had passed when the one before was completed."),
    BP_END,
};

static const struct bp_need needs[] = {
    BP_NEED(BP_DATABASE, BP_DATABASE_VERSION, struct reminders, db),
    BP_NEED(BP_TODOS, BP_TODOS_VERSION, struct reminders, todos),
    BP_NEED(BP_QUEUE, BP_QUEUE_VERSION, struct reminders, queue),
    BP_NEED(BP_EVENTS, BP_EVENTS_VERSION, struct reminders, events),
    BP_NEED(BP_MAILER, BP_MAILER_VERSION, struct reminders, mailer, .optional = 1),
    BP_NEED_END,
};

static int init(struct bp_host *host, void *self)
{
    struct reminders *reminders = self;
    reminders->host = host;
    (void)snprintf(reminders->consumer_name, sizeof(reminders->consumer_name), "%" BP_STR_FMT,
                   BP_STR_ARG(bp_instance_name(host)));
    int status = send_init(reminders);
    return status != 0 ? status
                       : bp_events_consume(host, reminders->events, reminders->consumer_name, plan_follow, reminders);
}

BP_PLUGIN(.name = "reminders", .version = "1.0.0",
          .doc = "Reminds of todos at their time, and brings back those that recur.",
          .self_size = sizeof(struct reminders), .options = options, .needs = needs, .migrations = reminders_migrations,
          .init = init);
