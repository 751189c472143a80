/* SPDX-License-Identifier: MIT */
/* Which members of a struct were given, by the bit sets of BP_PRESENCE; and rows by name. */
#include "core/schema/schema.h"

static bool bit_of(const struct bp_field *rows, const void *object, uint32_t set_offset, const char *member)
{
    uint64_t bits;
    memcpy(&bits, (const char *)object + set_offset, sizeof(bits));
    for (unsigned i = 0; rows[1 + i].type != BP_TYPE_END && i < 64; i++)
        if (strcmp(rows[1 + i].name, member) == 0)
            return bits >> i & 1;
    return false;
}

bool bp_is_set(const struct bp_field *rows, const void *object, const char *member)
{
    return rows[0].type == BP_TYPE_PRESENCE && bit_of(rows, object, rows[0].offset, member);
}

bool bp_is_null(const struct bp_field *rows, const void *object, const char *member)
{
    return rows[0].type == BP_TYPE_PRESENCE && bit_of(rows, object, rows[0].item_size, member);
}

const struct bp_field *schema_find(const struct bp_field *rows, bp_str name)
{
    for (; rows->type != BP_TYPE_END; rows++)
        if (rows->type != BP_TYPE_PRESENCE && bp_str_is(name, rows->name))
            return rows;
    return NULL;
}
