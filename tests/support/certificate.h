/* SPDX-License-Identifier: MIT */
/* A certificate for "localhost" and 127.0.0.1, signed by itself (so it is its own CA), for services in tests. */
#ifndef SUPPORT_CERTIFICATE_H
#define SUPPORT_CERTIFICATE_H

/* Makes folder/server.crt and folder/server.key, which belong to the daemons' account. */
void certificate_make(const char *folder);

#endif
