/* SPDX-License-Identifier: MIT */
/* One message on its way. Blocks: for the offload pool. */
#ifndef MAILER_DELIVER_H
#define MAILER_DELIVER_H

#include "backplane/clock.h"

enum transport { TRANSPORT_AUTO, TRANSPORT_NONE, TRANSPORT_FILE, TRANSPORT_SMTP };
enum encryption { ENCRYPTION_REQUIRED, ENCRYPTION_OPPORTUNISTIC, ENCRYPTION_NONE };

#define DELIVER_WHY 256u

/* All texts end with NUL. */
struct delivery {
    enum transport transport;
    const char *folder;                                 /* of TRANSPORT_FILE */
    const char *url, *user, *password, *from, *ca_file; /* of TRANSPORT_SMTP; empty: none */
    enum encryption encryption;
    bp_span timeout;
    const char *to, *message;
    const char *name;      /* of the file */
    char why[DELIVER_WHY]; /* it did not work */
    bool hopeless;         /* nor will it next time: the server refused it for good */
};

/* For bp_offload(): a struct delivery. 0, or BP_ERROR with .why. */
int deliver(void *delivery);

#endif
