/* SPDX-License-Identifier: MIT */
#include "row.h"

#include <math.h>

/* pg_type.dat of PostgreSQL; they never change. */
enum {
    OID_BOOL = 16,
    OID_CHAR = 18,
    OID_NAME = 19,
    OID_INT8 = 20,
    OID_INT2 = 21,
    OID_INT4 = 23,
    OID_TEXT = 25,
    OID_OID = 26,
    OID_JSON = 114,
    OID_FLOAT4 = 700,
    OID_FLOAT8 = 701,
    OID_BPCHAR = 1042,
    OID_VARCHAR = 1043,
    OID_DATE = 1082,
    OID_TIMESTAMP = 1114,
    OID_TIMESTAMPTZ = 1184,
    OID_NUMERIC = 1700,
    OID_UUID = 2950,
    OID_JSONB = 3802,
    OID_FIRST_USER = 16384 /* enums, domains of extensions (citext): their binary format is their text */
};

/* 2000-01-01T00:00:00Z, from which Postgres counts microseconds. */
#define POSTGRES_EPOCH INT64_C(946684800000)
#define DAY_MS INT64_C(86400000)
#define NUMERIC_HEAD 8u
#define NUMERIC_NEGATIVE 0x4000u

static void put64(char *bytes, uint64_t value)
{
    for (int i = 7; i >= 0; i--, value >>= 8)
        bytes[i] = (char)(value & 0xff);
}

static uint64_t get(const char *bytes, size_t len)
{
    uint64_t value = 0;
    for (size_t i = 0; i < len; i++)
        value = value << 8 | (uint8_t)bytes[i];
    return value;
}

static bool encode_date(bp_date date, char *bytes)
{
    int64_t microseconds;
    if (__builtin_sub_overflow(date, POSTGRES_EPOCH, &microseconds) ||
        __builtin_mul_overflow(microseconds, 1000, &microseconds))
        return false;
    put64(bytes, (uint64_t)microseconds);
    return true;
}

bool row_encode(const struct bp_db_value *value, struct parameter *ret_parameter)
{
    struct parameter *p = ret_parameter;
    uint64_t bits;
    p->bytes = p->scratch;
    p->len = 8;
    switch (value->type) {
    case BP_TYPE_END:
        p->oid = 0;
        p->bytes = NULL;
        p->len = 0;
        return true;
    case BP_TYPE_BOOL:
        p->oid = OID_BOOL;
        p->scratch[0] = value->as.boolean;
        p->len = 1;
        return true;
    case BP_TYPE_I64:
        p->oid = OID_INT8;
        put64(p->scratch, (uint64_t)value->as.integer);
        return true;
    case BP_TYPE_F64:
        p->oid = OID_FLOAT8;
        memcpy(&bits, &value->as.number, sizeof(bits));
        put64(p->scratch, bits);
        return true;
    case BP_TYPE_TEXT:
        p->oid = OID_TEXT;
        p->bytes = value->as.text.ptr;
        p->len = (int)value->as.text.len;
        return value->as.text.len <= INT32_MAX / 2;
    case BP_TYPE_UUID:
        p->oid = OID_UUID;
        memcpy(p->scratch, value->as.uuid.bytes, sizeof(value->as.uuid.bytes));
        p->len = (int)sizeof(value->as.uuid.bytes);
        return true;
    case BP_TYPE_DATE:
        p->oid = OID_TIMESTAMPTZ;
        return encode_date(value->as.integer, p->scratch);
    default:
        return false;
    }
}

static bool decode_number(const struct bp_field *row, double number, void *member)
{
    if (row->type != BP_TYPE_F64 || !isfinite(number))
        return false;
    *(double *)member = number;
    return true;
}

static bool decode_float(const struct bp_field *row, bp_str bytes, void *member)
{
    uint64_t bits = get(bytes.ptr, bytes.len);
    double number;
    if (bytes.len == sizeof(float)) {
        uint32_t short_bits = (uint32_t)bits;
        float short_number;
        memcpy(&short_number, &short_bits, sizeof(short_number));
        number = (double)short_number;
    } else {
        memcpy(&number, &bits, sizeof(number));
    }
    return decode_number(row, number, member);
}

/*
 * numeric_send(): counts of digits, weight of the first, sign, scale, then digits to the base of 10000. sum(bigint) is one. For an
 * integer, nothing but zeroes may follow the point.
 */
static bool decode_numeric(const struct bp_field *row, bp_str bytes, void *member)
{
    bool whole = row->type != BP_TYPE_F64;
    double number = 0;
    int64_t integer = 0;
    if (bytes.len < NUMERIC_HEAD)
        return false;
    size_t digits = (size_t)get(bytes.ptr, 2);
    int weight = (int16_t)get(bytes.ptr + 2, 2);
    unsigned sign = (unsigned)get(bytes.ptr + 4, 2);
    if (bytes.len != NUMERIC_HEAD + 2 * digits || (sign != 0 && sign != NUMERIC_NEGATIVE)) /* NaN, infinities */
        return false;
    for (size_t i = 0; i < digits; i++) {
        int64_t digit = (int64_t)get(bytes.ptr + NUMERIC_HEAD + 2 * i, 2);
        int place = weight - (int)i;
        if (digit > 9999)
            return false;
        number += (double)digit * pow(10000, place);
        if (!whole || (place < 0 && digit == 0))
            continue;
        if (place < 0 || __builtin_mul_overflow(integer, 10000, &integer) ||
            __builtin_sub_overflow(integer, digit, &integer))
            return false;
    }
    if (!whole)
        return decode_number(row, sign ? -number : number, member);
    /* Trailing zeroes are not sent. Built up below zero, where there is one number more. */
    for (int place = weight - (int)digits; digits > 0 && place >= 0; place--)
        if (__builtin_mul_overflow(integer, 10000, &integer))
            return false;
    if (!sign && __builtin_sub_overflow(0, integer, &integer))
        return false;
    return bp_db_store_integer(row, integer, member);
}

static bool decode_timestamp(const struct bp_field *row, bp_str bytes, void *member)
{
    int64_t microseconds = (int64_t)get(bytes.ptr, 8);
    if (row->type != BP_TYPE_DATE || microseconds == INT64_MAX || microseconds == INT64_MIN) /* the infinities */
        return false;
    int64_t milliseconds = microseconds / 1000 - (microseconds % 1000 < 0);
    *(bp_date *)member = milliseconds + POSTGRES_EPOCH;
    return true;
}

static bool decode_day(const struct bp_field *row, bp_str bytes, void *member)
{
    int32_t days = (int32_t)(uint32_t)get(bytes.ptr, 4);
    if (row->type != BP_TYPE_DATE || days == INT32_MAX || days == INT32_MIN)
        return false;
    *(bp_date *)member = days * DAY_MS + POSTGRES_EPOCH;
    return true;
}

/* The types of a fixed length. */
static bool decode_fixed(const struct bp_field *row, uint32_t oid, bp_str bytes, void *member)
{
    uint64_t bits = get(bytes.ptr, bytes.len > 8 ? 8 : bytes.len);
    switch (oid) {
    case OID_BOOL:
        return bytes.len == 1 && bp_db_store_integer(row, (int64_t)bits, member);
    case OID_INT2:
        return bytes.len == 2 && bp_db_store_integer(row, (int16_t)bits, member);
    case OID_INT4:
        return bytes.len == 4 && bp_db_store_integer(row, (int32_t)bits, member);
    case OID_OID:
        return bytes.len == 4 && bp_db_store_integer(row, (int64_t)bits, member);
    case OID_INT8:
        return bytes.len == 8 && bp_db_store_integer(row, (int64_t)bits, member);
    case OID_FLOAT4:
        return bytes.len == 4 && decode_float(row, bytes, member);
    case OID_FLOAT8:
        return bytes.len == 8 && decode_float(row, bytes, member);
    case OID_TIMESTAMP:
    case OID_TIMESTAMPTZ:
        return bytes.len == 8 && decode_timestamp(row, bytes, member);
    case OID_DATE:
        return bytes.len == 4 && decode_day(row, bytes, member);
    case OID_UUID:
        if (bytes.len != sizeof(bp_uuid) || row->type != BP_TYPE_UUID)
            return false;
        memcpy(member, bytes.ptr, sizeof(bp_uuid));
        return true;
    default:
        return false;
    }
}

int row_decode(const struct bp_field *row, uint32_t oid, bp_str bytes, struct bp_arena *arena, void *member)
{
    switch (oid) {
    case OID_CHAR:
    case OID_NAME:
    case OID_TEXT:
    case OID_JSON:
    case OID_BPCHAR:
    case OID_VARCHAR:
        return bp_db_store_text(row, bytes, arena, (char *)member - row->offset);
    case OID_JSONB: /* a version, then the text */
        if (bytes.len < 1 || bytes.ptr[0] != 1)
            return BP_ERROR;
        return bp_db_store_text(row, bp_str_n(bytes.ptr + 1, bytes.len - 1), arena, (char *)member - row->offset);
    case OID_NUMERIC:
        return decode_numeric(row, bytes, member) ? 0 : BP_ERROR;
    default:
        if (oid >= OID_FIRST_USER)
            return bp_db_store_text(row, bytes, arena, (char *)member - row->offset);
        return decode_fixed(row, oid, bytes, member) ? 0 : BP_ERROR;
    }
}

const char *row_type_name(uint32_t oid)
{
    static const struct {
        uint32_t oid;
        const char *name;
    } names[] = {{OID_BOOL, "bool"},           {OID_CHAR, "\"char\""},
                 {OID_NAME, "name"},           {OID_INT8, "int8"},
                 {OID_INT2, "int2"},           {OID_INT4, "int4"},
                 {OID_TEXT, "text"},           {OID_OID, "oid"},
                 {OID_JSON, "json"},           {OID_FLOAT4, "float4"},
                 {OID_FLOAT8, "float8"},       {OID_BPCHAR, "char"},
                 {OID_VARCHAR, "varchar"},     {OID_DATE, "date"},
                 {OID_TIMESTAMP, "timestamp"}, {OID_TIMESTAMPTZ, "timestamptz"},
                 {OID_NUMERIC, "numeric"},     {OID_UUID, "uuid"},
                 {OID_JSONB, "jsonb"}};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (names[i].oid == oid)
            return names[i].name;
    return "type";
}
