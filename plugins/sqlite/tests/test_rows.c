/* SPDX-License-Identifier: MIT */
/* Values in, columns out. */
#include <criterion/criterion.h>

#include "fixture.h"

static void setup(void)
{
    fixture_new();
    cr_assert_eq(
        fixture_exec(
            "CREATE TABLE everything (id BLOB PRIMARY KEY, flag INTEGER, small INTEGER, big INTEGER, real REAL,"
            " text TEXT, choice TEXT, span INTEGER, size INTEGER, at INTEGER) STRICT"),
        SQLITE_OK);
    cr_assert_eq(fixture_start_instance(), 0);
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
/* The placeholders are not in the order of their numbers, and one is used twice. */
static const struct bp_statement insert =
    BP_STATEMENT(.name = "everything.insert", .flags = BP_SQL_BATCHABLE,
                 .sql = "INSERT INTO everything (at, id, flag, small, big, real, text, choice, span, size)"
                        " VALUES ($9, $1, $2, $3, $4, $5, $6, $7, $8, $8)");
static const struct bp_statement find =
    BP_STATEMENT(.name = "everything.find", .flags = BP_SQL_READ,
                 .sql = "SELECT id, flag, small, big, real, text, choice, span, size, at FROM everything WHERE id = $1",
                 .rows = everything_rows, .row_size = sizeof(struct everything));

static void round_trip(void *argument)
{
    static const char text[] = "na\xc3\xafve \"quoted\" \xf0\x9f\x98\x80";
    bp_uuid id = bp_uuid_new();
    struct bp_result result = {0};
    struct everything *row;
    (void)argument;
    cr_assert_eq(
        bp_db_query(fixture.service, NULL, &insert,
                    BP_VALUES(bp_db_uuid(&id), bp_db_bool(true), bp_db_i64(UINT32_MAX), bp_db_i64(INT64_MIN),
                              bp_db_f64(-0.5), bp_db_text(BP_STR("na\xc3\xafve \"quoted\" \xf0\x9f\x98\x80")),
                              bp_db_text(BP_STR("blue")), bp_db_i64(90 * BP_SECOND), bp_db_date(-62135596800000)),
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
    cr_assert_eq(row->small, UINT32_MAX);
    cr_assert_eq(row->big, INT64_MIN);
    cr_assert_eq(row->real, -0.5);
    cr_assert_str_eq(row->text.ptr, text);
    cr_assert_eq(row->text.len, sizeof(text) - 1);
    cr_assert_eq(row->choice, 2);
    cr_assert_eq(row->span, 90 * BP_SECOND);
    cr_assert_eq(row->size, (uint64_t)(90 * BP_SECOND));
    cr_assert_eq(row->at, -62135596800000);
    cr_assert_eq(row->set, 0x3ff);
    cr_assert_eq(row->null, 0);
}

Test(rows, every_type_comes_back)
{
    fixture_run(round_trip, NULL);
}

static void nulls(void *argument)
{
    bp_uuid id = bp_uuid_new();
    struct bp_result result = {0};
    struct everything *row;
    (void)argument;
    cr_assert_eq(bp_db_query(fixture.service, NULL, &insert,
                             BP_VALUES(bp_db_uuid(&id), bp_db_null(), bp_db_null(), bp_db_null(), bp_db_null(),
                                       bp_db_text(bp_str_n(NULL, 0)), bp_db_null(), bp_db_null(), bp_db_null()),
                             NULL, NULL),
                 0);
    cr_assert_eq(bp_db_query(fixture.service, NULL, &find, BP_VALUES(bp_db_uuid(&id)), bp_fiber_arena(), &result), 0);
    row = result.rows;
    cr_assert_eq(row->set, 0x3ff);
    cr_assert_eq(row->null, 0x3fe);
    cr_assert(bp_is_null(everything_rows, row, "text"));
    cr_assert_not(bp_is_null(everything_rows, row, "id"));
    cr_assert_null(row->text.ptr);
    cr_assert_eq(row->big, 0);
    /* An empty text is not NULL. */
    cr_assert_eq(bp_db_query(fixture.service, NULL,
                             &(const struct bp_statement)BP_STATEMENT(
                                     .name = "update", .sql = "UPDATE everything SET text = $1 WHERE text IS NULL"),
                             BP_VALUES(bp_db_text(BP_STR(""))), NULL, &result),
                 0);
    cr_assert_eq(result.changes, 1);
    cr_assert_eq(fixture_integer("SELECT count(*) FROM everything WHERE text = ''"), 1);
}

Test(rows, null_is_told_apart)
{
    fixture_run(nulls, NULL);
}

struct number {
    int64_t n;
    bp_str text;
};
static const struct bp_field number_rows[] = {BP_I64(struct number, n), BP_TEXT(struct number, text), BP_END};
static const struct bp_statement many =
    BP_STATEMENT(.name = "many", .flags = BP_SQL_READ,
                 .sql = "WITH RECURSIVE c(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM c WHERE n + 1 < $1)"
                        " SELECT n, 'text ' || n FROM c WHERE n < $1",
                 .rows = number_rows, .row_size = sizeof(struct number));

static void read_many(void *argument)
{
    static const int64_t counts[] = {0, 1, 15, 16, 17, 1000};
    (void)argument;
    for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
        struct bp_result result = {0};
        char text[32];
        cr_assert_eq(
            bp_db_query(fixture.service, NULL, &many, BP_VALUES(bp_db_i64(counts[i])), bp_fiber_arena(), &result), 0);
        cr_assert_eq(result.len, (size_t)counts[i]);
        cr_assert_eq(result.rows == NULL, counts[i] == 0);
        for (size_t n = 0; n < result.len; n++) {
            struct number *row = (struct number *)result.rows + n;
            snprintf(text, sizeof(text), "text %zu", n);
            cr_assert_eq(row->n, (int64_t)n);
            cr_assert_str_eq(row->text.ptr, text);
        }
    }
}

Test(rows, any_number_of_rows)
{
    fixture_run(read_many, NULL);
}

/* What a plugin's author may get wrong: BP_ERROR, and a line that says what. */
struct number_only {
    int64_t n;
};
static const struct bp_field one_column[] = {BP_I64(struct number_only, n), BP_END};
static const struct bp_field presence_only_text[] = {BP_TEXT(struct number, text), BP_END};
static const struct bp_field one_choice[] = {BP_CHOICE(struct everything, choice, .choices = colours), BP_END};
static const struct bp_field one_flag[] = {BP_BOOL(struct everything, flag), BP_END};
static const struct bp_field one_id[] = {BP_UUID(struct everything, id), BP_END};
static const struct {
    struct bp_statement statement;
    const char *error;
} mistakes[] = {
    {BP_STATEMENT(.name = "m", .flags = BP_SQL_READ, .sql = "SELEC 1"), "near \\\"SELEC\\\": syntax error"},
    {BP_STATEMENT(.name = "m", .flags = BP_SQL_READ, .sql = "SELECT 1; SELECT 2"), "not exactly one SQL statement"},
    {BP_STATEMENT(.name = "m", .flags = BP_SQL_READ, .sql = " -- nothing"), "not exactly one SQL statement"},
    {BP_STATEMENT(.name = "m", .flags = BP_SQL_READ, .sql = "SELECT 1, 2", .rows = one_column,
                  .row_size = sizeof(struct number_only)),
     "it has 2 columns, its rows describe 1"},
    {BP_STATEMENT(.name = "m", .flags = BP_SQL_READ, .sql = "DELETE FROM everything"),
     "it is declared BP_SQL_READ, but writes"},
    {BP_STATEMENT(.name = "m", .flags = BP_SQL_READ, .sql = "SELECT $1"), "it takes 1 values, 0 are given"},
    {BP_STATEMENT(.name = "m", .flags = BP_SQL_READ, .sql = "SELECT :name"),
     "the placeholder \\\":name\\\" is not $1, $2, ..."},
    {BP_STATEMENT(.name = "m", .flags = BP_SQL_READ, .sql = "SELECT ?"),
     "the placeholder \\\"?\\\" is not $1, $2, ..."},
    {BP_STATEMENT(.name = "m", .flags = BP_SQL_READ, .sql = "SELECT 'x' AS n", .rows = one_column,
                  .row_size = sizeof(struct number_only)),
     "column 1, n: its TEXT does not fit the member \\\"n\\\""},
    {BP_STATEMENT(.name = "m", .flags = BP_SQL_READ, .sql = "SELECT 1.5 AS n", .rows = one_column,
                  .row_size = sizeof(struct number_only)),
     "column 1, n: its REAL does not fit the member \\\"n\\\""},
    {BP_STATEMENT(.name = "m", .flags = BP_SQL_READ, .sql = "SELECT 7 AS t", .rows = presence_only_text,
                  .row_size = sizeof(struct number)),
     "column 1, t: its INTEGER does not fit the member \\\"text\\\""},
    {BP_STATEMENT(.name = "m", .flags = BP_SQL_READ, .sql = "SELECT 'pink' AS c", .rows = one_choice,
                  .row_size = sizeof(struct everything)),
     "column 1, c: its TEXT does not fit the member \\\"choice\\\""},
    {BP_STATEMENT(.name = "m", .flags = BP_SQL_READ, .sql = "SELECT 2 AS f", .rows = one_flag,
                  .row_size = sizeof(struct everything)),
     "column 1, f: its INTEGER does not fit the member \\\"flag\\\""},
    {BP_STATEMENT(.name = "m", .flags = BP_SQL_READ, .sql = "SELECT x'00' AS i", .rows = one_id,
                  .row_size = sizeof(struct everything)),
     "column 1, i: its BLOB does not fit the member \\\"id\\\""},
};

static void make_mistakes(void *argument)
{
    (void)argument;
    for (size_t i = 0; i < sizeof(mistakes) / sizeof(mistakes[0]); i++) {
        struct bp_result result = {0};
        cr_assert_eq(
            bp_db_query(fixture.service, NULL, &mistakes[i].statement, BP_NO_VALUES, bp_fiber_arena(), &result),
            BP_ERROR, "%s", mistakes[i].statement.sql);
        cr_assert_null(result.rows);
        cr_assert(fixture_logged(mistakes[i].error), "%s: %s", mistakes[i].error, fixture_log());
    }
}

Test(rows, mistakes_are_explained)
{
    fixture_run(make_mistakes, NULL);
}

Test(rows, only_on_a_fiber)
{
    struct bp_result result;
    cr_assert_eq(bp_db_query(fixture.service, NULL, &many, BP_VALUES(bp_db_i64(1)), NULL, &result), BP_MISUSE);
    cr_assert(fixture_logged("sqlite.misuse"));
}
