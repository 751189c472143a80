/* SPDX-License-Identifier: MIT */
/* What a token of an external issuer must say (RFC 7519 4, RFC 9068, OpenID Connect Core 3.1.3.7). Pure. */
#ifndef AUTH_FOREIGN_CLAIMS_H
#define AUTH_FOREIGN_CLAIMS_H

#include "backplane/clock.h"

struct json_t;

#define SUBJECT_MAX 255u /* characters; OpenID Connect Core 2 */

/* Texts are those of the object. */
struct foreign_claims {
    bp_str subject;
    bp_str email; /* ptr NULL: none, or not verified by the issuer */
    bp_date issued, expires;
};

enum foreign_condition {
    FOREIGN_E_ISSUER = 64, /* another issuer, or audience */
    FOREIGN_E_SUBJECT,     /* "sub" missing, empty or too long */
    FOREIGN_E_DATES,
    FOREIGN_E_EXPIRED
};

/* 0 or a condition. */
int foreign_claims_check(const struct json_t *object, bp_str issuer, bp_str audience, bp_date now,
                         struct foreign_claims *ret_claims);

#endif
