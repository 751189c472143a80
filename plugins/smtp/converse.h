/* SPDX-License-Identifier: MIT */
/* A conversation with a mail server (RFC 5321) about one message. Blocks: for the offload pool. */
#ifndef SMTP_CONVERSE_H
#define SMTP_CONVERSE_H

#include "backplane/clock.h"
#include "backplane/iface/mail_transport.h"

enum encryption { ENCRYPTION_REQUIRED, ENCRYPTION_OPPORTUNISTIC, ENCRYPTION_NONE };

/* All texts end with NUL; empty: none. */
struct conversation {
    const char *url, *user, *password, *ca_file;
    enum encryption encryption;
    bp_span timeout;
    const struct bp_mail *mail;
    char why[BP_MAIL_WHY]; /* it did not work */
};

/* 0, BP_MAIL_E_REFUSED or BP_ERROR. */
int converse(void *conversation);

#endif
