/* SPDX-License-Identifier: MIT */
#include "foreign_claims.h"

#include <jansson.h>

#include "claims.h"
#include "token.h"

static bool names_audience(const json_t *object, bp_str audience)
{
    const json_t *value = json_object_get(object, "aud"), *entry;
    size_t i;
    if (!json_is_array(value))
        return bp_str_eq(token_text(object, "aud"), audience);
    json_array_foreach(value, i, entry) if (json_is_string(entry) &&
                                            bp_str_eq(bp_str_n(json_string_value(entry), json_string_length(entry)),
                                                      audience)) return true;
    return false;
}

int foreign_claims_check(const json_t *object, bp_str issuer, bp_str audience, bp_date now,
                         struct foreign_claims *ret_claims)
{
    const json_t *not_before = json_object_get(object, "nbf"), *issued = json_object_get(object, "iat");
    struct foreign_claims claims = {.subject = token_text(object, "sub")};
    bp_date date;
    if (!bp_str_eq(token_text(object, "iss"), issuer) || !names_audience(object, audience))
        return FOREIGN_E_ISSUER;
    if (claims.subject.len == 0 || claims.subject.len > SUBJECT_MAX ||
        memchr(claims.subject.ptr, 0, claims.subject.len))
        return FOREIGN_E_SUBJECT;
    if (!claims_date(json_object_get(object, "exp"), &claims.expires) ||
        (issued && (!claims_date(issued, &claims.issued) || claims.issued > now + CLAIMS_SKEW)) ||
        (not_before && (!claims_date(not_before, &date) || date > now)))
        return FOREIGN_E_DATES;
    if (claims.expires <= now)
        return FOREIGN_E_EXPIRED;
    if (json_is_true(json_object_get(object, "email_verified")))
        claims.email = token_text(object, "email");
    *ret_claims = claims;
    return 0;
}
