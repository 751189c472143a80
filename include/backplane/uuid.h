/* SPDX-License-Identifier: MIT */
/* UUIDs (RFC 9562). New ones are version 7: sorted by time of creation. */
#ifndef BACKPLANE_UUID_H
#define BACKPLANE_UUID_H

#include "backplane/str.h"

#ifdef __cplusplus
extern "C" {
#endif

/* In network order, as in the text. */
typedef struct bp_uuid {
    uint8_t bytes[16];
} bp_uuid;

#define BP_UUID_LEN 36

/* A fresh version 7 UUID: 48 bits of Unix milliseconds, then a per-process counter and random bits, so
 * that two made by one process sort in the order they were made. Thread-safe. */
bp_uuid bp_uuid_new(void);
/* Writes BP_UUID_LEN lower-case bytes, no NUL. */
void bp_uuid_format(const bp_uuid *uuid, char ret_text[BP_UUID_LEN]);
/* The 8-4-4-4-12 form, either case, any version. False when it is not one. */
bool bp_uuid_parse(bp_str text, bp_uuid *ret_uuid);

/* Whether they are the same. */
static inline bool bp_uuid_eq(const bp_uuid *a, const bp_uuid *b)
{
    return memcmp(a->bytes, b->bytes, sizeof(a->bytes)) == 0;
}

/* Cryptographically strong random bytes. Thread-safe, never fails. */
void bp_random(void *ret_bytes, size_t len);

#ifdef __cplusplus
}
#endif
#endif
