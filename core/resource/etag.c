/* SPDX-License-Identifier: MIT */
#include "core/resource/etag.h"

#include <inttypes.h>
#include <stdio.h>

size_t etag_format(int64_t version, char ret_text[ETAG_MAX])
{
    return (size_t)snprintf(ret_text, ETAG_MAX, "\"%" PRId64 "\"", version);
}

/* The next entity tag of a list; its quotes stay. False at the end. */
static bool next_tag(bp_str *rest, bp_str *ret_tag, bool *ret_weak)
{
    while (rest->len > 0 && (*rest->ptr == ' ' || *rest->ptr == '\t' || *rest->ptr == ','))
        *rest = bp_str_n(rest->ptr + 1, rest->len - 1);
    *ret_weak = bp_str_starts(*rest, BP_STR("W/"));
    if (*ret_weak)
        *rest = bp_str_n(rest->ptr + 2, rest->len - 2);
    if (rest->len == 0)
        return false;
    const char *quote = *rest->ptr == '"' ? memchr(rest->ptr + 1, '"', rest->len - 1) : NULL;
    const char *comma = memchr(rest->ptr, ',', rest->len);
    size_t len = quote ? (size_t)(quote + 1 - rest->ptr) : comma ? (size_t)(comma - rest->ptr) : rest->len;
    *ret_tag = bp_str_trim(bp_str_n(rest->ptr, len));
    *rest = bp_str_n(rest->ptr + len, rest->len - len);
    return true;
}

static bool version_of(bp_str tag, int64_t *ret_version)
{
    uint64_t value;
    char text[ETAG_MAX];
    if (tag.len < 3 || tag.ptr[0] != '"' || !bp_str_to_u64(bp_str_n(tag.ptr + 1, tag.len - 2), &value) ||
        value > INT64_MAX)
        return false;
    if (!bp_str_eq(tag, bp_str_n(text, etag_format((int64_t)value, text)))) /* "01" is another tag */
        return false;
    *ret_version = (int64_t)value;
    return true;
}

static bool lists(bp_str field, int64_t version, bool strong)
{
    bp_str tag;
    bool weak;
    int64_t named;
    while (next_tag(&field, &tag, &weak))
        if (!(strong && weak) && version_of(tag, &named) && named == version)
            return true;
    return false;
}

bool etag_none_match(bp_str field, int64_t version)
{
    return bp_str_is(bp_str_trim(field), "*") || lists(field, version, false);
}

enum etag_condition etag_match(bp_str field, int64_t *ret_version)
{
    enum etag_condition condition = ETAG_NEVER;
    bp_str tag;
    bool weak;
    if (!field.ptr)
        return ETAG_NO_CONDITION;
    if (bp_str_is(bp_str_trim(field), "*"))
        return ETAG_ANY;
    while (next_tag(&field, &tag, &weak)) {
        if (weak || !version_of(tag, ret_version))
            continue;
        if (condition == ETAG_ONE)
            return ETAG_SEVERAL;
        condition = ETAG_ONE;
    }
    return condition;
}

bool etag_match_lists(bp_str field, int64_t version)
{
    return lists(field, version, true);
}
