/* SPDX-License-Identifier: MIT */
/* Messages that wait to be delivered, one after another, by a fiber that lives as long as there are any. */
#ifndef MAILER_QUEUE_H
#define MAILER_QUEUE_H

#include "backplane/backplane.h"
#include "deliver.h"

struct queued;

struct mailer {
    /* options */
    uint32_t transport;
    bp_str folder, url, user, password, from, ca_file;
    uint32_t encryption;
    uint32_t queue, attempts;
    bp_span timeout, retry_after;
    /* state */
    struct bp_host *host;
    struct delivery settings; /* what all deliveries have in common */
    struct queued *first, **last;
    uint32_t length;
    bool sending;
};

/* See iface/mailer.h. */
int queue_send(void *mailer, bp_str to, bp_str subject, bp_str text);
/* Says how many are lost. */
void queue_drop(struct mailer *mailer);

#endif
