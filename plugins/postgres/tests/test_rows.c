/* SPDX-License-Identifier: MIT */
/* Values in, columns out, through a real server. */
#include <criterion/criterion.h>

#include "fixture.h"

static void setup(void)
{
    fixture_new();
    fixture_execute("CREATE TYPE colour AS ENUM ('red', 'green', 'blue');"
                    "CREATE TABLE everything (id uuid PRIMARY KEY, flag boolean, small integer, big bigint, real "
                    "double precision, text text, choice colour, span bigint, size bigint, at timestamptz);"
                    "GRANT ALL ON everything TO backplane");
    cr_assert_eq(fixture_start(), 0);
}

TestSuite(rows, .init = setup, .fini = fixture_close);

static const char *const colours[] = {"red", "green", "blue", NULL};
struct everything {
    uint64_t set, null;
    bp_uuid id;
    bool flag;
    uint32_t small;
    int64_t big;
    double real;
    bp_str text;
    uint32_t choice;
    bp_span span;
    uint64_t size;
    bp_date at;
};
static const struct bp_field everything_rows[] = {BP_PRESENCE(struct everything, set, null),
                                                  BP_UUID(struct everything, id),
                                                  BP_BOOL(struct everything, flag),
                                                  BP_U32(struct everything, small),
                                                  BP_I64(struct everything, big),
                                                  BP_F64(struct everything, real),
                                                  BP_TEXT(struct everything, text),
                                                  BP_CHOICE(struct everything, choice, .choices = colours),
                                                  BP_SPAN(struct everything, span),
                                                  BP_SIZE(struct everything, size),
                                                  BP_DATE(struct everything, at),
                                                  BP_END};
static const struct bp_statement insert =
    BP_STATEMENT(.name = "everything.insert", .flags = BP_SQL_BATCHABLE,
                 .sql = "INSERT INTO everything (at, id, flag, small, big, real, text, choice, span, size)"
                        " VALUES ($9, $1, $2, $3, $4, $5, $6, $7::text::colour, $8, $8)");
static const struct bp_statement find =
    BP_STATEMENT(.name = "everything.find", .flags = BP_SQL_READ,
                 .sql = "SELECT id, flag, small, big, real, text, choice, span, size, at FROM everything WHERE id = $1",
                 .rows = everything_rows, .row_size = sizeof(struct everything));

static void round_trip(void *argument)
{
    bp_uuid id = bp_uuid_new();
    struct bp_result result = {0};
    struct everything *row;
    (void)argument;
    cr_assert_eq(
        bp_db_query(fixture.service, NULL, &insert,
                    BP_VALUES(bp_db_uuid(&id), bp_db_bool(true), bp_db_i64(INT32_MAX), bp_db_i64(INT64_MIN),
                              bp_db_f64(-0.5), bp_db_text(BP_STR("na\xc3\xafve \"quoted\" \xf0\x9f\x98\x80")),
                              bp_db_text(BP_STR("blue")), bp_db_i64(90 * BP_SECOND), bp_db_date(-62135596800001)),
                    NULL, &result),
        0);
    cr_assert_eq(result.changes, 1);
    cr_assert_eq(result.len, 0);
    cr_assert_null(result.rows);
    cr_assert_eq(bp_db_query(fixture.service, NULL, &find, BP_VALUES(bp_db_uuid(&id)), bp_fiber_arena(), &result), 0);
    cr_assert_eq(result.len, 1);
    cr_assert_eq(result.changes, 0);
    row = result.rows;
    cr_assert(bp_uuid_eq(&row->id, &id));
    cr_assert_eq(row->flag, true);
    cr_assert_eq(row->small, INT32_MAX);
    cr_assert_eq(row->big, INT64_MIN);
    cr_assert_eq(row->real, -0.5);
    cr_assert(bp_str_is(row->text, "na\xc3\xafve \"quoted\" \xf0\x9f\x98\x80"));
    cr_assert_eq(row->text.ptr[row->text.len], '\0');
    cr_assert_eq(row->choice, 2);
    cr_assert_eq(row->span, 90 * BP_SECOND);
    cr_assert_eq(row->size, (uint64_t)(90 * BP_SECOND));
    cr_assert_eq(row->at, -62135596800001);
    cr_assert(bp_is_set(everything_rows, row, "at") && !bp_is_null(everything_rows, row, "at"));
}

Test(rows, round_trip)
{
    fixture_run(round_trip, NULL);
}

/* The first call teaches the server no types: a later one with values must not be misread. */
static void nulls(void *argument)
{
    bp_uuid id = bp_uuid_new();
    struct bp_result result = {0};
    struct everything *row;
    (void)argument;
    cr_assert_eq(bp_db_query(fixture.service, NULL, &insert,
                             BP_VALUES(bp_db_uuid(&id), bp_db_null(), bp_db_null(), bp_db_null(), bp_db_null(),
                                       bp_db_text((bp_str){NULL, 0}), bp_db_null(), bp_db_null(), bp_db_null()),
                             NULL, NULL),
                 0);
    cr_assert_eq(bp_db_query(fixture.service, NULL, &find, BP_VALUES(bp_db_uuid(&id)), bp_fiber_arena(), &result), 0);
    row = result.rows;
    cr_assert(!bp_is_null(everything_rows, row, "id"));
    for (const struct bp_field *column = everything_rows + 2; column->type != BP_TYPE_END; column++)
        cr_assert(bp_is_null(everything_rows, row, column->name), "%s", column->name);
    cr_assert_null(row->text.ptr);
    cr_assert_eq(row->big, 0);
    round_trip(NULL);
}

Test(rows, nulls_first)
{
    fixture_run(nulls, NULL);
}

struct one {
    int64_t number;
};
static const struct bp_field number_row[] = {BP_I64(struct one, number), BP_END};
static const struct bp_field small_row[] = {{.name = "number", .type = BP_TYPE_U32}, BP_END};
static const struct bp_field date_row[] = {{.name = "number", .type = BP_TYPE_DATE}, BP_END};
static const struct bp_field text_row[] = {{.name = "number", .type = BP_TYPE_BOOL}, BP_END};

struct number {
    const char *sql;
    const struct bp_field *rows;
    int status;
    int64_t number;
    const char *logged;
};

static void read_number(void *argument)
{
    const struct number *number = argument;
    /* Remembered by their address, so each has its own. */
    static struct bp_statement statements[64];
    static unsigned next;
    struct bp_statement *statement = &statements[next++];
    struct bp_result result = {0};
    *statement = (struct bp_statement)BP_STATEMENT(.name = "number", .flags = BP_SQL_READ, .sql = number->sql,
                                                   .rows = number->rows, .row_size = 16);
    cr_assert_eq(bp_db_query(fixture.service, NULL, statement, BP_NO_VALUES, bp_fiber_arena(), &result), number->status,
                 "%s", number->sql);
    if (number->status == 0)
        cr_assert_eq(((struct one *)result.rows)->number, number->number, "%s: %lld", number->sql,
                     (long long)((struct one *)result.rows)->number);
    else
        cr_assert(fixture_logged(number->logged), "%s: %s", number->sql, fixture_log());
}

Test(rows, types_of_numbers)
{
    static const struct number numbers[] = {
        {"SELECT 7::smallint", number_row, 0, 7, NULL},
        {"SELECT -7", number_row, 0, -7, NULL},
        {"SELECT 9223372036854775807::numeric", number_row, 0, INT64_MAX, NULL},
        {"SELECT -9223372036854775808::numeric", number_row, 0, INT64_MIN, NULL},
        {"SELECT 120000000::numeric", number_row, 0, 120000000, NULL},
        {"SELECT 10000.00::numeric", number_row, 0, 10000, NULL},
        {"SELECT 0::numeric", number_row, 0, 0, NULL},
        {"SELECT sum(x) FROM unnest(ARRAY[1, 2]::bigint[]) x", number_row, 0, 3, NULL},
        {"SELECT timestamptz '2026-11-22 00:00:00.1239+00'", date_row, 0, 1795305600123, NULL},
        {"SELECT timestamptz '1969-12-31 23:59:59.9991+00'", date_row, 0, -1, NULL},
        {"SELECT date '2026-11-22'", date_row, 0, 1795305600000, NULL},
        {"SELECT 1.5::numeric", number_row, BP_ERROR, 0,
         "column 1, numeric: its numeric does not fit the member \\\"number\\\""},
        {"SELECT 9223372036854775808::numeric", number_row, BP_ERROR, 0, "its numeric does not fit"},
        {"SELECT 'NaN'::numeric", number_row, BP_ERROR, 0, "its numeric does not fit"},
        {"SELECT -1", small_row, BP_ERROR, 0, "its int4 does not fit the member"},
        {"SELECT 4294967296", small_row, BP_ERROR, 0, "its int8 does not fit the member"},
        {"SELECT timestamptz 'infinity'", date_row, BP_ERROR, 0, "its timestamptz does not fit"},
        {"SELECT 'yes'", text_row, BP_ERROR, 0, "its text does not fit"},
        {"SELECT interval '1 day'", number_row, BP_ERROR, 0, "its type does not fit"},
        {"SELECT 1, 2", number_row, BP_ERROR, 0, "it has 2 columns, its rows describe 1"},
        {"SELECT nothing", number_row, BP_ERROR, 0, "42703"},
    };
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
        fixture_run(read_number, (void *)&numbers[i]);
}
