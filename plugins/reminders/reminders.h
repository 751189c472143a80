/* SPDX-License-Identifier: MIT */
/* An instance of the plugin. */
#ifndef REMINDERS_REMINDERS_H
#define REMINDERS_REMINDERS_H

#include "backplane/backplane.h"

struct reminders {
    /* options */
    bool due, mail, verified_only, skip_missed;
    bp_span late;
    bp_str link;
    /* services */
    struct bp_service db, todos, queue, events;
    struct bp_service mailer; /* vtable NULL: none */
    /* state */
    struct bp_host *host;
    char send_name[80], clean_name[80]; /* of jobs */
    char consumer_name[64];
};

#endif
