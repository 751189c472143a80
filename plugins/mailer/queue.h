/* SPDX-License-Identifier: MIT */
/* Messages that wait to be delivered, one after another, by a fiber that lives as long as there are any. */
#ifndef MAILER_QUEUE_H
#define MAILER_QUEUE_H

#include "backplane/backplane.h"
#include "deliver.h"

enum transport { TRANSPORT_AUTO, TRANSPORT_NONE, TRANSPORT_FILE, TRANSPORT_SMTP };

/* A message. All texts end with NUL. */
struct queued {
    struct queued *next;
    char *to, *message;
    char name[BP_UUID_LEN + 1];
};

struct mailer {
    /* options */
    uint32_t transport;
    bp_str folder, from, secret;
    uint32_t queue, attempts;
    bp_span retry_after;
    /* services */
    struct bp_service mail_transport; /* vtable NULL: none */
    struct bp_service jobs;           /* the same */
    /* state */
    struct bp_host *host;
    char *folder_path, *sender; /* folder and from, with a NUL */
    struct queued *first, **last;
    uint32_t length;
    bool sending;
    char job_name[80];
};

/* See iface/mailer.h. */
int queue_send(void *mailer, bp_str to, bp_str subject, bp_str text);
/* Tries to deliver it, once. Suspends. 0, BP_MAIL_E_REFUSED, BP_ERROR with the reason, or another status. */
int queue_attempt(struct mailer *mailer, const struct queued *queued, char ret_why[BP_MAIL_WHY]);
/* Says that it could not be delivered: yet, or for good. */
void queue_log(const struct mailer *mailer, bp_str to, uint32_t attempt, bool last, bp_str reason);
/* Says how many are lost. */
void queue_drop(struct mailer *mailer);

#endif
