/* SPDX-License-Identifier: MIT */
/* The "mail_transport" interface, version 1: the way of a finished message to a mail server. Provided by smtp, used by mailer. */
#ifndef BACKPLANE_IFACE_MAIL_TRANSPORT_H
#define BACKPLANE_IFACE_MAIL_TRANSPORT_H

#include "backplane/plugin.h"

#ifdef __cplusplus
extern "C" {
#endif

#define BP_MAIL_TRANSPORT "mail_transport"
#define BP_MAIL_TRANSPORT_VERSION 1u

/* A positive condition: the server refused the message for good, there is no use in trying again. */
#define BP_MAIL_E_REFUSED 1

#define BP_MAIL_WHY 256u

/* What is to be delivered: one message to one address. Borrowed until the call returns. */
struct bp_mail {
    const char *from, *to; /* "ada@example.org" */
    const char *message;   /* RFC 5322, lines end with CRLF */
};

/* Call it through bp_mail_deliver(). */
struct bp_mail_transport_vtable {
    uint32_t size;
    uint32_t spare;
    /* Suspends until the server has taken it, or not. 0; BP_MAIL_E_REFUSED or BP_ERROR, both with the reason in ret_why (with a NUL), and not logged;
     * BP_BUSY, BP_CANCELED, BP_TIMEOUT, BP_NOMEM. Not 0: it may have been taken nevertheless, when its answer was lost. */
    int (*deliver)(void *self, const struct bp_mail *mail, char ret_why[BP_MAIL_WHY]);
};

/* As .deliver. */
static inline int bp_mail_deliver(struct bp_service transport, const struct bp_mail *mail, char ret_why[BP_MAIL_WHY])
{
    return ((const struct bp_mail_transport_vtable *)transport.vtable)->deliver(transport.self, mail, ret_why);
}

#ifdef __cplusplus
}
#endif
#endif
