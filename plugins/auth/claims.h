/* SPDX-License-Identifier: MIT */
/* The claims of a token (RFC 7519 4): what they must say before anybody is believed. Pure. */
#ifndef AUTH_CLAIMS_H
#define AUTH_CLAIMS_H

#include "backplane/clock.h"
#include "backplane/uuid.h"

struct json_t;

/* How far ahead of our clock another machine's "iat" may be. Expiry knows no leeway. */
#define CLAIMS_SKEW (60 * INT64_C(1000))

struct claims {
    bp_uuid user_id;
    bp_uuid session_id; /* "sid"; when has_session */
    bool has_session;   /* tokens of the old system name none */
    bp_date issued;     /* milliseconds, as every date; 0 without "iat" */
    bp_date expires;
};

enum claims_condition {
    CLAIMS_E_IDENTITY = 1, /* "id" missing or no UUID, another "sub", or a "sid" that is no UUID */
    CLAIMS_E_DATES,        /* "exp" missing; a date that is no number; "iat" or "nbf" in the future */
    CLAIMS_E_EXPIRED       /* "exp" is now or earlier */
};

/* Parses a JSON object out of a token: nesting bounded before it is read (the reader recurses), repeated members
 * refused. The caller json_decref()s it. NULL when it is not one. */
struct json_t *claims_parse(bp_str text);
/* A NumericDate (RFC 7519 2): seconds, maybe with a fraction. False when it is none, value may be NULL. */
bool claims_date(const struct json_t *value, bp_date *ret_date);
/* 0 or a condition. */
int claims_check(const struct json_t *object, bp_date now, struct claims *ret_claims);

#endif
