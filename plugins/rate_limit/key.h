/* SPDX-License-Identifier: MIT */
/* Who is counted: what an option says ("ip+route"), and the bytes that stand for one client. Knows no request. */
#ifndef KEY_H
#define KEY_H

#include "limiter.h"

#define KEY_PARTS 4u

enum key_part { KEY_IP, KEY_USER, KEY_API_KEY, KEY_ROUTE, KEY_HEADER };

struct key {
    struct {
        enum key_part part;
        bp_str header; /* KEY_HEADER: its name, in lower case */
    } parts[KEY_PARTS];
    uint32_t count;
};

/* "ip", "user", "api_key", "route", "header:x-tenant", or several joined by "+". False when it is none. The names point into text. */
bool key_parse(bp_str text, struct key *ret_key);
bool key_has(const struct key *key, enum key_part part);

/* A client's name, part by part; zero it before the first. Parts are told apart by their kinds and lengths: no two clients have one name. */
struct key_name {
    size_t len;
    char bytes[LIMITER_CLIENT_MAX];
};
/* An address of 4 or 16 bytes; of IPv6 the first prefix bits, 64 being what one subscriber has. Of anything else (a Unix socket) everybody is one client. */
void key_add_address(struct key_name *name, bp_str address, uint32_t prefix);
/* A user's identifier, or anything else of fixed length up to 32 bytes. */
void key_add_bytes(struct key_name *name, enum key_part part, const void *bytes, size_t len);
/* Anything that a client sends, however long: its hash. What is a secret is nowhere kept. */
void key_add_text(struct key_name *name, enum key_part part, bp_str text);

/* The name under which all replicas know the client: 32 hexadecimal digits of its hash. */
#define KEY_DIGITS 32u
void key_digest(bp_str name, char ret_digits[KEY_DIGITS]);

#endif
