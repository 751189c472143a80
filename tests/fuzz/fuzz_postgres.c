/* SPDX-License-Identifier: MIT */
/*
 * Any bytes as a column that Postgres sends: type of the member, OID, then the value. What is decoded stays in the member; what an integer, date or
 * identifier comes to is sent back as the same bytes. The same bytes as a connection URL: refused with a reason, or in parts.
 */
#include "core/base/arena.h"
#include "plugins/postgres/row.h"
#include "plugins/postgres/url.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool truth)
{
    if (!truth)
        abort();
}

struct object {
    unsigned char before[16];
    union {
        bool boolean;
        uint32_t small;
        int64_t integer;
        double real;
        bp_str text;
        bp_uuid uuid;
    } member;
    unsigned char after[16];
};

static const char *const choices[] = {"red", "green", "", NULL};
static const uint32_t oids[] = {16,  18,   19,   20,   21,   23,   25,   26,   114,  700,
                                701, 1042, 1043, 1082, 1114, 1184, 1700, 2950, 3802, 16384};

static bool is_clean(const unsigned char bytes[16])
{
    for (size_t i = 0; i < 16; i++)
        if (bytes[i] != 0xaa)
            return false;
    return true;
}

/* What has one way to be written only. */
static void round_trip(uint32_t oid, bp_str bytes, const struct object *object, uint16_t type)
{
    struct bp_db_value value = bp_db_null();
    struct parameter parameter;
    if (oid == 20 && type == BP_TYPE_I64)
        value = bp_db_i64(object->member.integer);
    else if (oid == 2950 && type == BP_TYPE_UUID)
        value = bp_db_uuid(&object->member.uuid);
    else if (oid == 25 && type == BP_TYPE_TEXT)
        value = bp_db_text(object->member.text);
    else if (oid == 701 && type == BP_TYPE_F64)
        value = bp_db_f64(object->member.real);
    else if (oid == 16 && type == BP_TYPE_BOOL)
        value = bp_db_bool(object->member.boolean);
    else
        return;
    check(row_encode(&value, &parameter) && parameter.oid == oid);
    check((size_t)parameter.len == bytes.len && memcmp(parameter.bytes, bytes.ptr, bytes.len) == 0);
}

static void decode(uint16_t type, uint32_t oid, bp_str bytes, struct bp_arena *arena)
{
    const struct bp_field row = {.name = "x", .type = type, .choices = choices};
    struct object object;
    memset(&object, 0xaa, sizeof(object));
    memset(&object.member, 0, sizeof(object.member));
    int status = row_decode(&row, oid, bytes, arena, &object.member);
    check(status == 0 || status == BP_ERROR);
    check(is_clean(object.before) && is_clean(object.after));
    if (status != 0)
        return;
    if (type == BP_TYPE_TEXT)
        check(object.member.text.ptr[object.member.text.len] == '\0' && object.member.text.len <= bytes.len);
    if (type == BP_TYPE_CHOICE && oid >= 16384)
        check(object.member.small < 3);
    round_trip(oid, bytes, &object, type);
}

static void parse(bp_str text)
{
    struct target target = {0};
    char why[URL_WHY] = "";
    int status = target_parse(text, &target, why);
    check(status == 0 || (status == BP_INVALID && why[0] != '\0' && memchr(why, '\0', sizeof(why))));
    check((status == 0) == (target.options != NULL));
    target_deinit(&target);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bp_arena *arena = arena_new();
    check(arena != NULL);
    if (size >= 2)
        decode((uint16_t)(BP_TYPE_BOOL + data[0] % (BP_TYPE_DATE - BP_TYPE_BOOL + 1)),
               oids[data[1] % (sizeof(oids) / sizeof(oids[0]))], bp_str_n((const char *)data + 2, size - 2), arena);
    parse(bp_str_n((const char *)data, size));
    arena_free(arena);
    return 0;
}
