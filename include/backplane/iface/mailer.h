/* SPDX-License-Identifier: MIT */
/* The "mailer" interface, version 1: short messages to people. Provided by mailer. */
#ifndef BACKPLANE_IFACE_MAILER_H
#define BACKPLANE_IFACE_MAILER_H

#include "backplane/plugin.h"

#ifdef __cplusplus
extern "C" {
#endif

#define BP_MAILER "mailer"
#define BP_MAILER_VERSION 1u

/* Call it through bp_mail_send(). */
struct bp_mailer_vtable {
    uint32_t size;
    uint32_t spare;
    /* Copies the message and queues it; it leaves later, and is tried again for a while when it cannot. With a queue of jobs it is one when 0 is
     * returned, and survives the server; in the transaction that bp_db_enlist() says, when that is committed. On a fiber; may suspend. 0;
     * BP_BUSY when the queue is full; BP_NOMEM; BP_MISUSE when to or subject hold what a header field must not (a line end); with a queue of jobs
     * also the negative statuses of bp_db_query(). text: UTF-8, lines end with "\n". */
    int (*send)(void *self, bp_str to, bp_str subject, bp_str text);
};

/* As .send: `status = bp_mail_send(auth->mailer, address, subject, text);` */
static inline int bp_mail_send(struct bp_service mailer, bp_str to, bp_str subject, bp_str text)
{
    return ((const struct bp_mailer_vtable *)mailer.vtable)->send(mailer.self, to, subject, text);
}

#ifdef __cplusplus
}
#endif
#endif
