/* SPDX-License-Identifier: MIT */
/* The name that someone probably meant. */
#include "core/schema/schema.h"

enum { NAME_MAX_LEN = 64 };

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Edits (insert, delete, replace, swap neighbours) from a to b: optimal string alignment. */
static size_t distance(bp_str a, bp_str b)
{
    size_t rows[3][NAME_MAX_LEN + 1];
    size_t *before = rows[0], *above = rows[1], *row = rows[2];
    for (size_t j = 0; j <= b.len; j++)
        above[j] = j;
    for (size_t i = 1; i <= a.len; i++) {
        row[0] = i;
        for (size_t j = 1; j <= b.len; j++) {
            bool same = a.ptr[i - 1] == b.ptr[j - 1];
            row[j] = least(least(above[j], row[j - 1]) + 1, above[j - 1] + !same);
            if (i > 1 && j > 1 && a.ptr[i - 1] == b.ptr[j - 2] && a.ptr[i - 2] == b.ptr[j - 1])
                row[j] = least(row[j], before[j - 2] + 1);
        }
        size_t *spare = before;
        before = above;
        above = row;
        row = spare;
    }
    return above[b.len];
}

/* Keeps the candidate when it is near enough, shares something with the name, and is nearer than *best. */
static bool nearer(bp_str name, const char *candidate, size_t *best)
{
    bp_str other = bp_str_of(candidate);
    if (name.len == 0 || name.len > NAME_MAX_LEN || other.len == 0 || other.len > NAME_MAX_LEN)
        return false;
    size_t edits = distance(name, other);
    if (edits > (name.len / 3 > 2 ? name.len / 3 : 2) || edits >= least(name.len, other.len) || edits >= *best)
        return false;
    *best = edits;
    return true;
}

const char *nearest_name(bp_str name, const char *const *names, size_t count)
{
    const char *nearest = NULL;
    size_t best = SIZE_MAX;
    for (size_t i = 0; i < count; i++)
        if (nearer(name, names[i], &best))
            nearest = names[i];
    return nearest;
}

const char *schema_nearest(const struct bp_field *rows, bp_str name)
{
    const char *nearest = NULL;
    size_t best = SIZE_MAX;
    for (; rows->type != BP_TYPE_END; rows++)
        if (rows->type != BP_TYPE_PRESENCE && nearer(name, rows->name, &best))
            nearest = rows->name;
    return nearest;
}
