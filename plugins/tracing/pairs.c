/* SPDX-License-Identifier: MIT */
#include "pairs.h"

#include <stdlib.h>

static int digit(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

/* Decodes into out, with a NUL behind it. False: a "%" without two digits, or a NUL. */
static bool decode(bp_str text, char *out, size_t *ret_len)
{
    size_t len = 0;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        if (c == '%') {
            int high = i + 2 < text.len ? digit(text.ptr[i + 1]) : -1, low = high < 0 ? -1 : digit(text.ptr[i + 2]);
            if (low < 0)
                return false;
            c = (char)(high << 4 | low);
            i += 2;
        }
        if (c == '\0')
            return false;
        out[len++] = c;
    }
    out[len] = '\0';
    *ret_len = len;
    return true;
}

static struct pair *find(const struct pairs *pairs, const char *name)
{
    for (size_t i = 0; i < pairs->count; i++)
        if (strcmp(pairs->items[i].name, name) == 0)
            return &pairs->items[i];
    return NULL;
}

static bool add(struct pairs *pairs, bp_str member, char **at)
{
    const char *equals = memchr(member.ptr, '=', member.len);
    size_t name_len, value_len;
    if (!equals)
        return false;
    bp_str name = bp_str_trim(bp_str_n(member.ptr, (size_t)(equals - member.ptr)));
    bp_str value = bp_str_trim(bp_str_n(equals + 1, (size_t)(member.ptr + member.len - equals - 1)));
    char *name_at = *at, *value_at = name_at + name.len + 1;
    if (name.len == 0 || !decode(name, name_at, &name_len) || !decode(value, value_at, &value_len))
        return false;
    *at = value_at + value.len + 1;
    struct pair *pair = find(pairs, name_at);
    if (!pair)
        pair = &pairs->items[pairs->count++];
    *pair = (struct pair){name_at, bp_str_n(value_at, value_len)};
    return true;
}

int pairs_parse(bp_str text, struct pairs *ret_pairs, bp_str *ret_wrong)
{
    struct pairs pairs = {0};
    size_t members = 1;
    for (size_t i = 0; i < text.len; i++)
        members += text.ptr[i] == ',';
    pairs.items = calloc(members, sizeof(*pairs.items));
    pairs.text = malloc(text.len + 2 * members + 1); /* "=" and "," make room for one NUL each */
    char *at = pairs.text;
    bp_str member;
    if (!pairs.items || !pairs.text) {
        pairs_deinit(&pairs);
        return PAIRS_NOMEM;
    }
    while (bp_str_next(&text, ',', &member)) {
        member = bp_str_trim(member);
        if (member.len > 0 && !add(&pairs, member, &at)) {
            *ret_wrong = member;
            pairs_deinit(&pairs);
            return PAIRS_MALFORMED;
        }
    }
    *ret_pairs = pairs;
    return 0;
}

void pairs_deinit(struct pairs *pairs)
{
    free(pairs->items);
    free(pairs->text);
    *pairs = (struct pairs){0};
}
