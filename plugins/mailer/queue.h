/* SPDX-License-Identifier: MIT */
/* Messages that wait to be delivered, one after another, by a fiber that lives as long as there are any. */
#ifndef MAILER_QUEUE_H
#define MAILER_QUEUE_H

#include "backplane/backplane.h"
#include "deliver.h"

enum transport { TRANSPORT_AUTO, TRANSPORT_NONE, TRANSPORT_FILE, TRANSPORT_SMTP };

struct queued;

struct mailer {
    /* options */
    uint32_t transport;
    bp_str folder, from;
    uint32_t queue, attempts;
    bp_span retry_after;
    /* services */
    struct bp_service mail_transport; /* vtable NULL: none */
    /* state */
    struct bp_host *host;
    char *folder_path, *sender; /* folder and from, with a NUL */
    struct queued *first, **last;
    uint32_t length;
    bool sending;
};

/* See iface/mailer.h. */
int queue_send(void *mailer, bp_str to, bp_str subject, bp_str text);
/* Says how many are lost. */
void queue_drop(struct mailer *mailer);

#endif
