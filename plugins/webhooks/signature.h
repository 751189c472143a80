/* SPDX-License-Identifier: MIT */
/* Secrets and signatures of Standard Webhooks 1.0.0: HMAC-SHA256 over "<id>.<timestamp>.<body>". */
#ifndef PLUGINS_WEBHOOKS_SIGNATURE_H
#define PLUGINS_WEBHOOKS_SIGNATURE_H

#include "backplane/str.h"

#define SECRET_BYTES 32
#define SECRET_LEN 50    /* "whsec_" and 44 of base64 */
#define SIGNATURE_LEN 47 /* "v1," and 44 of base64 */

/* A new one, with a NUL behind it. */
void secret_make(char ret_secret[SECRET_LEN + 1]);
/* The signature, with a NUL behind it. False: the secret is none. */
bool signature_make(bp_str secret, bp_str id, int64_t timestamp, bp_str body, char ret_signature[SIGNATURE_LEN + 1]);

#endif
