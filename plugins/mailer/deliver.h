/* SPDX-License-Identifier: MIT */
/* One message into a folder, for development. Blocks: for the offload pool. */
#ifndef MAILER_DELIVER_H
#define MAILER_DELIVER_H

#include "backplane/iface/mail_transport.h"

/* All texts end with NUL. */
struct delivery {
    const char *folder, *name; /* of the file, without .eml */
    const char *message;
    char why[BP_MAIL_WHY]; /* it did not work */
};

/* 0 or BP_ERROR. */
int deliver(void *delivery);

#endif
