/* SPDX-License-Identifier: MIT */
/* What lists are filtered and sorted by: each operator on each type of member, of the plugin filtered.c. On every database. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "build_info.h"
#include "tests/support/database.h"
#include "tests/support/http.h"
#include "tests/support/server.h"

#define LENGTH(array) (sizeof(array) / sizeof(*(array)))

static const char config[] =
    "server: { listen = ( { address = \"${HOST}:${PORT}\"; } ); data = \"${BACKPLANE_DATA}\"; workers = 1;\n"
    "  plugin_path = \"" BACKPLANE_BUILD_ROOT "/tests/http\"; };\n"
    "plugins: ( { use = \"health\"; }, { use = \"filtered\"; },\n"
    "  { use = \"sqlite\"; name = \"main\"; unless = \"DATABASE_URL\"; },\n"
    "  { use = \"postgres\"; name = \"main\"; when = \"DATABASE_URL\"; url = \"${DATABASE_URL}\"; migrate = true;\n"
    "    direct_url = \"${DIRECT_URL}\"; } );\n"
    "pipelines: { rest = (); };\n"
    "routes: ( { match = \"/*\"; pipeline = \"rest\"; } );\n";

#define ROW(name, flag, small, big, ratio, text, kind, wait, bytes, ref, moment)                                      \
    "{\"name\":\"" name "\",\"flag\":" flag ",\"small\":" small ",\"big\":" big ",\"ratio\":" ratio ",\"text\":" text \
    ",\"kind\":" kind ",\"wait\":" wait ",\"bytes\":" bytes ",\"ref\":" ref ",\"moment\":" moment "}"

/* "n" has nothing but its name, and is only among those that may be null. */
static const char *const rows[] = {
    ROW("a", "false", "1", "-9223372036854775808", "-10", "\"Abc\"", "\"red\"", "\"1s\"", "0",
        "\"00000000-0000-4000-8000-000000000001\"", "\"1970-01-01T00:00:00Z\""),
    ROW("b", "true", "50", "0", "0.5", "\"b\"", "\"green\"", "\"90s\"", "1024",
        "\"00000000-0000-4000-8000-000000000002\"", "\"2026-01-31T12:00:00.001Z\""),
    ROW("c", "true", "99", "9223372036854775806", "10", "\"\xc3\xa9t\xc3\xa9\"", "\"blue\"", "\"1d\"", "1048576",
        "\"ffffffff-ffff-4fff-bfff-ffffffffffff\"", "\"9999-12-31T23:59:59.998Z\""),
    ROW("n", "null", "null", "null", "null", "null", "null", "null", "null", "null", "null"),
};

static struct test_server server;

static void start(void)
{
    server_start(&server, &(struct server_options){.config = config, .database = true});
    for (size_t i = 0; i < LENGTH(rows); i++)
        for (int nulls = 0; nulls < 2; nulls++) {
            struct http_reply reply;
            if (i == LENGTH(rows) - 1 && !nulls)
                continue;
            http_call(server.port, "POST", nulls ? "/nullables" : "/plains", NULL, rows[i], &reply);
            cr_assert_eq(reply.status, 201, "%s: %s", rows[i], reply.body);
            http_reply_free(&reply);
        }
}

static void stop(void)
{
    server_stop(&server);
}

TestSuite(filters, .init = start, .fini = stop, .timeout = 110);

static json_t *ask(const char *path, const char *query, unsigned status)
{
    struct http_reply reply;
    char target[1200];
    snprintf(target, sizeof(target), "%s?%s", path, query);
    http_call(server.port, "GET", target, NULL, NULL, &reply);
    cr_assert_eq(reply.status, status, "%s: %u %s", target, reply.status, reply.body);
    json_t *root = http_json(&reply);
    http_reply_free(&reply);
    return root;
}

static void add_names(const json_t *root, char names[32])
{
    json_t *row;
    size_t i;
    json_array_foreach(http_json_at(root, "data.data"), i, row) strcat(names, http_json_text(row, "name"));
}

static const struct {
    const char *query;
    const char *plain, *nullable; /* names, in their order; nullable: NULL: the same */
} matches[] = {
    {"", "abc", "abcn"},
    {"flag=true", "bc", NULL},
    {"flag=0", "a", NULL},
    {"small=50", "b", NULL},
    {"small=2", "", NULL},
    {"small[gt]=1", "bc", NULL},
    {"small[gte]=1", "abc", NULL},
    {"small[lt]=99", "ab", NULL},
    {"small[lte]=50", "ab", NULL},
    {"small[gt]=1&small[lt]=99", "b", NULL},
    {"small[gt]=50&small[lt]=50", "", NULL},
    {"small=050", "b", NULL},
    {"big=-9223372036854775808", "a", NULL},
    {"big=9223372036854775806", "c", NULL},
    {"big[gt]=-9223372036854775808", "bc", NULL},
    {"big[gte]=9223372036854775807", "", NULL},
    {"big[lt]=9223372036854775807", "abc", NULL},
    {"big[lte]=0", "ab", NULL},
    {"ratio=0.5", "b", NULL},
    {"ratio=5e-1", "b", NULL},
    {"ratio[gt]=-10", "bc", NULL},
    {"ratio[gte]=0.5", "bc", NULL},
    {"ratio[lt]=10", "ab", NULL},
    {"ratio[lte]=-10.0", "a", NULL},
    {"ratio[gt]=0.49999999999999994&ratio[lt]=0.50000000000000011", "b", NULL},
    {"ratio=-0", "", NULL},
    {"text=abc", "a", NULL},
    {"text=+ABC%20", "a", NULL},
    {"text=%C3%A9t%C3%A9", "c", NULL},
    {"text=%25", "", NULL},
    {"text=ab", "", NULL},
    {"text='%20OR", "", NULL},
    {"kind=green", "b", NULL},
    {"wait=90s", "b", NULL},
    {"wait=90", "b", NULL},
    {"wait=1500ms", "", NULL},
    {"wait[gt]=1s", "bc", NULL},
    {"wait[gte]=24h", "c", NULL},
    {"wait[lt]=2m", "ab", NULL},
    {"wait[lte]=1000ms", "a", NULL},
    {"bytes=1KiB", "b", NULL},
    {"bytes[gt]=0", "bc", NULL},
    {"bytes[gte]=1MiB", "c", NULL},
    {"bytes[lt]=1025", "ab", NULL},
    {"bytes[lte]=0B", "a", NULL},
    {"ref=00000000-0000-4000-8000-000000000002", "b", NULL},
    {"ref=FFFFFFFF-FFFF-4FFF-BFFF-FFFFFFFFFFFF", "c", NULL},
    {"moment=2026-01-31T12:00:00.001Z", "b", NULL},
    {"moment=2026-01-31T13:00:00.001%2B01:00", "b", NULL},
    {"moment=2026-01-31T12:00:00Z", "", NULL},
    {"moment[gt]=2026-01-31T12:00:00Z", "bc", NULL},
    {"moment[gte]=2026-01-31T12:00:00.002Z", "c", NULL},
    {"moment[lt]=2026-01-31T12:00:00.001Z", "a", NULL},
    {"moment[lte]=9999-12-31T23:59:59.999Z", "abc", NULL},
    /* Names as they may be written. */
    {"small%5Bgte%5D=50", "bc", NULL},
    {"small%5bgte]=50", "bc", NULL},
    {"%73mall=50", "b", NULL},
    {"&&small=50&", "b", NULL},
    /* Of the resource's own. */
    {"odd=true", "ac", NULL},
    {"odd=false", "b", NULL},
    {"above=-1", "bc", NULL},
    {"without=b", "c", NULL},
    {"without=", "abc", NULL},
    {"notRef=00000000-0000-4000-8000-000000000001", "bc", NULL},
    {"since=2026-01-31T12:00:00.001Z", "bc", NULL},
    {"q=B", "", NULL},
    {"q=b", "ab", NULL},
    {"q=b&flag=true&small[gt]=1&odd=false", "b", NULL},
};

Test(filters, what_matches)
{
    for (size_t i = 0; i < LENGTH(matches); i++)
        for (int nulls = 0; nulls < 2; nulls++) {
            const char *expected = nulls && matches[i].nullable ? matches[i].nullable : matches[i].plain;
            char names[32] = "";
            json_t *root = ask(nulls ? "/nullables" : "/plains", matches[i].query, 200);
            add_names(root, names);
            cr_expect_str_eq(names, expected, "%d %s: %s", nulls, matches[i].query, names);
            cr_expect_eq(http_json_integer(root, "data.meta.totalItems"), (long long)strlen(expected), "%s",
                         matches[i].query);
            json_decref(root);
        }
}

static const char *const members[] = {"flag", "small", "big",   "ratio", "text",
                                      "kind", "wait",  "bytes", "ref",   "moment"};

Test(filters, what_is_null)
{
    static const struct {
        const char *value, *names;
    } cases[] = {{"true", "n"}, {"false", "abc"}, {"1", "n"}, {"0", "abc"}};
    for (size_t m = 0; m < LENGTH(members); m++) {
        char query[64], message[160];
        json_t *root;
        for (size_t i = 0; i < LENGTH(cases); i++) {
            char names[32] = "";
            snprintf(query, sizeof(query), "%s%%5Bnull%%5D=%s", members[m], cases[i].value);
            root = ask("/nullables", query, 200);
            add_names(root, names);
            cr_expect_str_eq(names, cases[i].names, "%s: %s", query, names);
            json_decref(root);
        }
        snprintf(query, sizeof(query), "%s[null]=maybe", members[m]);
        root = ask("/nullables", query, 400);
        snprintf(message, sizeof(message), "Validation failed: %s[null] must be a boolean", members[m]);
        cr_expect_str_eq(http_json_text(root, "message"), message);
        json_decref(root);
        snprintf(query, sizeof(query), "%s[null]=true", members[m]);
        root = ask("/plains", query, 400);
        snprintf(message, sizeof(message), "Unknown query parameter \"%s[null]\"", members[m]);
        cr_expect_str_eq(http_json_text(root, "errors.0.code"), "unknown");
        cr_expect_eq(strncmp(http_json_text(root, "errors.0.message"), message, strlen(message)), 0, "%s",
                     http_json_text(root, "errors.0.message"));
        json_decref(root);
    }
}

/* Nulls stand where the zero of the type does, those of numbers and dates behind all. Equals by name. */
static const struct {
    const char *member, *upwards, *downwards, *nullable_upwards, *nullable_downwards;
} orders[] = {
    {"flag", "abc", "bca", "anbc", "bcan"}, {"small", "abc", "cba", "abcn", "ncba"},
    {"big", "abc", "cba", "abcn", "ncba"},  {"ratio", "abc", "cba", "abcn", "ncba"},
    {"text", "abc", "cba", "nabc", "cban"}, {"kind", "cba", "abc", "ncba", "abcn"},
    {"wait", "abc", "cba", "abcn", "ncba"}, {"bytes", "abc", "cba", "abcn", "ncba"},
    {"ref", "abc", "cba", "nabc", "cban"},  {"moment", "abc", "cba", "abcn", "ncba"},
};

/* Page by page, a row each, by cursor: what comes is what one page would hold. */
static void expect_order(const char *path, const char *sort, const char *expected)
{
    char names[32] = "", query[1100];
    snprintf(query, sizeof(query), "sort=%s", sort);
    json_t *root = ask(path, query, 200);
    add_names(root, names);
    cr_expect_str_eq(names, expected, "%s %s: %s", path, query, names);
    json_decref(root);
    names[0] = '\0';
    snprintf(query, sizeof(query), "sort=%s&limit=1", sort);
    for (size_t page = 0; page < 6; page++) {
        root = ask(path, query, 200);
        add_names(root, names);
        const char *cursor = http_json_text(root, "data.meta.nextCursor");
        bool end = !cursor[0];
        snprintf(query, sizeof(query), "sort=%s&limit=1&cursor=%s", sort, cursor);
        json_decref(root);
        if (end)
            break;
    }
    cr_expect_str_eq(names, expected, "%s by cursor, sort=%s: %s", path, sort, names);
}

Test(filters, orders_and_cursors)
{
    for (size_t i = 0; i < LENGTH(orders); i++) {
        char sort[64];
        snprintf(sort, sizeof(sort), "%s,name", orders[i].member);
        expect_order("/plains", sort, orders[i].upwards);
        expect_order("/nullables", sort, orders[i].nullable_upwards);
        snprintf(sort, sizeof(sort), "-%s,name", orders[i].member); /* two directions */
        expect_order("/plains", sort, orders[i].downwards);
        expect_order("/nullables", sort, orders[i].nullable_downwards);
    }
    expect_order("/nullables", "-name", "ncba");
    expect_order("/nullables", "%20-flag%20,%20-kind%20", "bcan"); /* one direction */
    expect_order("/nullables", "flag,-small,kind,-name", "nacb");
}

static void expect_mistake(const char *query, const char *field, const char *code, const char *said)
{
    char message[400];
    snprintf(message, sizeof(message), "Validation failed: %s", said);
    for (int nulls = 0; nulls < 2; nulls++) {
        json_t *root = ask(nulls ? "/nullables" : "/plains", query, 400);
        cr_expect_str_eq(http_json_text(root, "code"), "validation.failed");
        cr_expect_str_eq(http_json_text(root, "message"), message, "%s: %s", query, http_json_text(root, "message"));
        cr_expect_str_eq(http_json_text(root, "errors.0.field"), field, "%s", query);
        cr_expect_str_eq(http_json_text(root, "errors.0.code"), code, "%s: %s", query,
                         http_json_text(root, "errors.0.code"));
        json_decref(root);
    }
}

static const char *const operators[] = {"", "[gt]", "[gte]", "[lt]", "[lte]"};

/* Values that a member cannot have, whatever it is compared by. */
static const struct {
    const char *member, *must;
    bool ordered;
    const char *malformed[12], *beyond[8];
} bad_values[] = {
    {"flag", "a boolean", false, {"yes", "", "TRUE", "2", "null", "+true", "true%00"}, {NULL}},
    {"small",
     "an integer from 1 to 100",
     true,
     {"x", "", "1.5", "+1", "%2B1", "1e1", "0x10", "null", "1%00"},
     {"0", "101", "-1", "4294967296", "99999999999999999999"}},
    {"big",
     "an integer",
     true,
     {"a", "", "1.0", "true", "--1", "-", "0%00"},
     {"9223372036854775808", "-9223372036854775809", "99999999999999999999"}},
    {"ratio",
     "a number from -10 to 10",
     true,
     {"NaN", "Infinity", "-inf", "", "0x1", "1,5", "--1", "1e", "."},
     {"10.1", "-10.000001", "1e999", "-1e999", "11"}},
    {"kind", "one of red, green, blue", false, {"Red", "", "0", "red,green", "pink", "red%00"}, {NULL}},
    {"wait",
     "a duration from 1s to 1d",
     true,
     {"1w", "", "-1s", "1.5s", "x", "s", "1+s"},
     {"999ms", "25h", "0", "2d", "99999999999d", "99999999999999999999"}},
    {"bytes",
     "a size of at most 1MiB",
     true,
     {"-1", "", "1kb", "1.5KiB", "x", "1XB", "KiB"},
     {"1048577", "2MiB", "9TiB", "9999999999TiB"}},
    {"ref",
     "a UUID",
     false,
     {"1", "", "00000000-0000-4000-8000-00000000000g", "000000000000400080000000000000001",
      "%7B00000000-0000-4000-8000-000000000001%7D"},
     {NULL}},
    {"moment",
     "a date from 1970-01-01T00:00:00.000Z to 9999-12-31T23:59:59.999Z",
     true,
     {"", "now", "2026-02-30T00:00:00Z", "2026-01-31", "2026-01-31T13:00:00.001+01:00", "10000-01-01T00:00:00Z", "0",
      "1767225600"},
     {"1969-12-31T23:59:59.999Z"}},
};

Test(filters, bad_values)
{
    for (size_t i = 0; i < LENGTH(bad_values); i++)
        for (size_t o = 0; o < (bad_values[i].ordered ? LENGTH(operators) : 1); o++) {
            char field[40], query[120], said[160];
            snprintf(field, sizeof(field), "%s%s", bad_values[i].member, operators[o]);
            snprintf(said, sizeof(said), "%s must be %s", field, bad_values[i].must);
            for (int beyond = 0; beyond < 2; beyond++)
                for (const char *const *value = beyond ? bad_values[i].beyond : bad_values[i].malformed; *value;
                     value++) {
                    snprintf(query, sizeof(query), "%s=%s", field, *value);
                    expect_mistake(query, field, beyond ? "out_of_range" : "invalid", said);
                }
        }
}

#define UNKNOWN(name) "Unknown query parameter \"" name "\""
#define REPEATED(name) "Query parameter \"" name "\" is repeated"
#define SORT(what) "Query parameter \"sort\" names " what

static const struct {
    const char *query, *field, *code, *said;
} mistakes[] = {
    {"text=", "text", "too_short", "text cannot be empty"},
    {"text=%20", "text", "too_short", "text cannot be empty"},
    {"text=abcdef", "text", "too_long", "text must be less than 5 characters"},
    {"text=%FF", "text", "invalid", "text must be valid UTF-8"},
    {"text=a%00", "text", "invalid", "text must not contain U+0000"},
    {"odd=x", "odd", "invalid", "odd must be a boolean"},
    {"above=1.5", "above", "invalid", "above must be an integer"},
    {"above=", "above", "invalid", "above must be an integer"},
    {"notRef=x", "notRef", "invalid", "notRef must be a UUID"},
    {"since=", "since", "invalid", "since must be a date such as 2026-01-31T12:00:00Z"},
    {"without=%FF", "without", "invalid", "without must be valid UTF-8"},
    {"q=", "q", "too_short", "Q cannot be empty"},
    {"small=0&big=x&kind=pink", "small", "out_of_range",
     "small must be an integer from 1 to 100, big must be an integer, kind must be one of red, green, blue"},
    /* Operators and names that there are not. */
    {"flag[gt]=true", "flag[gt]", "unknown", UNKNOWN("flag[gt]")},
    {"text[gte]=a", "text[gte]", "unknown", UNKNOWN("text[gte]") "; did you mean \"wait[gte]\"?"},
    {"kind[gt]=red", "kind[gt]", "unknown", UNKNOWN("kind[gt]")},
    {"ref[gt]=00000000-0000-4000-8000-000000000001", "ref[gt]", "unknown", UNKNOWN("ref[gt]")},
    {"above[gt]=1", "above[gt]", "unknown", UNKNOWN("above[gt]")},
    {"small[ne]=1", "small[ne]", "unknown", UNKNOWN("small[ne]") "; did you mean \"small[gt]\"?"},
    {"small[]=1", "small[]", "unknown", UNKNOWN("small[]") "; did you mean \"small\"?"},
    {"small[gte=1", "small[gte", "unknown", UNKNOWN("small[gte") "; did you mean \"small[gt]\"?"},
    {"smallgte]=1", "smallgte]", "unknown", UNKNOWN("smallgte]") "; did you mean \"small[gte]\"?"},
    {"small[GTE]=1", "small[GTE]", "unknown", UNKNOWN("small[GTE]") "; did you mean \"small[gt]\"?"},
    {"small[gte][lt]=1", "small[gte][lt]", "unknown", UNKNOWN("small[gte][lt]") "; did you mean \"small[gte]\"?"},
    {"small%5Bgte%255D=1", "small[gte%5D", "unknown", UNKNOWN("small[gte%5D") "; did you mean \"small[gte]\"?"},
    {"SMALL=1", "SMALL", "unknown", UNKNOWN("SMALL")},
    {"small%=1", "small%", "unknown", UNKNOWN("small%") "; did you mean \"small\"?"},
    {"[gte]=1", "[gte]", "unknown", UNKNOWN("[gte]")},
    {"name=a", "name", "unknown", UNKNOWN("name") "; did you mean \"page\"?"},
    {"id=00000000-0000-4000-8000-000000000001", "id", "unknown", UNKNOWN("id")},
    {"=1", "", "unknown", UNKNOWN("")},
    {"unknown=1&flag[gt]=1", "unknown", "unknown", UNKNOWN("unknown") ", " UNKNOWN("flag[gt]")},
    /* One that comes twice, however it is written. */
    {"small=1&small=1", "small", "repeated", REPEATED("small")},
    {"small=1&sm%61ll=2", "small", "repeated", REPEATED("small")},
    {"small[gte]=1&small%5Bgte%5D=2", "small[gte]", "repeated", REPEATED("small[gte]")},
    {"flag=true&flag=false&odd=true&odd=true", "flag", "repeated", REPEATED("flag") ", " REPEATED("odd")},
    {"q=a&q=b", "q", "repeated", REPEATED("q")},
    {"sort=name&sort=name", "sort", "repeated", REPEATED("sort")},
    {"sort=id", "sort", "invalid", SORT("a member that cannot be sorted by")},
    {"sort=nothing", "sort", "invalid", SORT("a member that cannot be sorted by")},
    {"sort=Name", "sort", "invalid", SORT("a member that cannot be sorted by")},
    {"sort=-", "sort", "invalid", SORT("a member that cannot be sorted by")},
    {"sort=--name", "sort", "invalid", SORT("a member that cannot be sorted by")},
    {"sort=,name", "sort", "invalid", SORT("a member that cannot be sorted by")},
    {"sort=%2Bname", "sort", "invalid", SORT("a member that cannot be sorted by")},
    {"sort=name,-name", "sort", "invalid", SORT("a member twice")},
    {"sort=flag,small,big,ratio,text", "sort", "invalid", SORT("more than 4 members")},
};

Test(filters, mistakes)
{
    for (size_t i = 0; i < LENGTH(mistakes); i++)
        expect_mistake(mistakes[i].query, mistakes[i].field, mistakes[i].code, mistakes[i].said);
}
