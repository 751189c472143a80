/* SPDX-License-Identifier: MIT */
#include "claims.h"

#include <jansson.h>

#define NESTING_MAX 16u
/* Seconds; 9999-12-31. What is later is as good as for ever, and its milliseconds still fit. */
#define SECONDS_MAX 253402300799.0

/* A quick look at the brackets outside of strings; whether they match is the parser's business. */
static bool nesting_bounded(bp_str text)
{
    unsigned depth = 0;
    bool in_string = false;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        if (in_string) {
            if (c == '\\')
                i++;
            else if (c == '"')
                in_string = false;
        } else if (c == '"') {
            in_string = true;
        } else if (c == '{' || c == '[') {
            if (++depth > NESTING_MAX)
                return false;
        } else if ((c == '}' || c == ']') && depth > 0) {
            depth--;
        }
    }
    return true;
}

json_t *claims_parse(bp_str text)
{
    /* A raw NUL after a number would be accepted by the parser. */
    if (!nesting_bounded(text) || (text.len > 0 && memchr(text.ptr, 0, text.len)))
        return NULL;
    json_t *object = json_loadb(text.ptr, text.len, JSON_REJECT_DUPLICATES, NULL);
    if (object && !json_is_object(object)) {
        json_decref(object);
        return NULL;
    }
    return object;
}

bool claims_date(const json_t *value, bp_date *ret_date)
{
    if (!json_is_number(value))
        return false;
    double seconds = json_number_value(value);
    if (!(seconds >= 0))
        seconds = 0;
    if (seconds > SECONDS_MAX)
        seconds = SECONDS_MAX;
    *ret_date = (bp_date)(seconds * 1000);
    return true;
}

static bool read_identity(const json_t *object, bp_uuid *ret_id)
{
    const json_t *id = json_object_get(object, "id"), *sub = json_object_get(object, "sub");
    if (!json_is_string(id))
        return false;
    bp_str text = bp_str_n(json_string_value(id), json_string_length(id));
    if (sub && (!json_is_string(sub) || !bp_str_eq(text, bp_str_n(json_string_value(sub), json_string_length(sub)))))
        return false;
    return bp_uuid_parse(text, ret_id);
}

static bool read_session(const json_t *object, struct claims *claims)
{
    const json_t *sid = json_object_get(object, "sid");
    claims->has_session = sid != NULL;
    return !sid || (json_is_string(sid) &&
                    bp_uuid_parse(bp_str_n(json_string_value(sid), json_string_length(sid)), &claims->session_id));
}

int claims_check(const json_t *object, bp_date now, struct claims *ret_claims)
{
    struct claims claims = {0};
    const json_t *issued = json_object_get(object, "iat"), *not_before = json_object_get(object, "nbf");
    bp_date date;
    if (!read_identity(object, &claims.user_id) || !read_session(object, &claims))
        return CLAIMS_E_IDENTITY;
    if (!claims_date(json_object_get(object, "exp"), &claims.expires))
        return CLAIMS_E_DATES;
    if (issued && (!claims_date(issued, &claims.issued) || claims.issued > now + CLAIMS_SKEW))
        return CLAIMS_E_DATES;
    if (not_before && (!claims_date(not_before, &date) || date > now))
        return CLAIMS_E_DATES;
    if (claims.expires <= now)
        return CLAIMS_E_EXPIRED;
    *ret_claims = claims;
    return 0;
}
