/* SPDX-License-Identifier: MIT */
#include "core/schema/read_json.h"

#include "backplane/status.h"
#include "core/schema/scan.h"
#include "core/schema/schema.h"

#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

/* READ_JSON_OVERFLOW; no number that overflows is written shorter. */
static const char overflow_text[] = "1e308";

static bool is_number_byte(char c)
{
    return (c >= '0' && c <= '9') || c == '-' || c == '+' || c == '.' || c == 'e' || c == 'E';
}

static const char *skip_digits(const char *p)
{
    while (*p >= '0' && *p <= '9')
        p++;
    return p;
}

/* RFC 8259 section 6; NUL-terminated. *ret_integer: without fraction and exponent. */
static bool is_number(const char *p, bool *ret_integer)
{
    const char *digits = p += *p == '-';
    p = skip_digits(p);
    if (p == digits || (*digits == '0' && p > digits + 1))
        return false;
    *ret_integer = *p == '\0';
    if (*p == '.') {
        digits = p + 1;
        p = skip_digits(digits);
        if (p == digits)
            return false;
    }
    if (*p == 'e' || *p == 'E') {
        digits = p + 1 + (p[1] == '-' || p[1] == '+');
        p = skip_digits(digits);
        if (p == digits)
            return false;
    }
    return *p == '\0';
}

/* The len bytes at text, with two to spare behind them, in a form that jansson takes, if they are a number; the new length. */
static size_t rewrite_number(char *text, size_t len)
{
    bool integer = false;
    text[len] = '\0';
    if (!is_number(text, &integer))
        return len;
    if (!isfinite(strtod(text, NULL))) {
        size_t sign = text[0] == '-';
        memset(text + sign, ' ', len - sign);
        memcpy(text + sign, overflow_text, sizeof(overflow_text) - 1);
        return len;
    }
    errno = 0;
    strtoll(text, NULL, 10);
    if (!integer || errno != ERANGE)
        return len;
    memcpy(text + len, ".0", 2);
    return len + 2;
}

/*
 * jansson refuses integers beyond int64_t and reals beyond double as syntax errors, which they are not. Copies the text with such numbers in another
 * form. Returns how much of json makes the first stop bytes of out; the length of the copy is in *ret_len. out: room for 2 * json.len + 3 bytes.
 */
static size_t rewrite_numbers(bp_str json, size_t stop, char *out, size_t *ret_len)
{
    size_t n = 0, i = 0, before = 0;
    bool string = false;
    while (i < json.len) {
        size_t from = i;
        if (string || !is_number_byte(json.ptr[i])) {
            if (json.ptr[i] == '"')
                string = !string;
            else if (string && json.ptr[i] == '\\' && i + 1 < json.len)
                out[n++] = json.ptr[i++];
            out[n++] = json.ptr[i++];
        } else {
            while (i < json.len && is_number_byte(json.ptr[i]))
                i++;
            memcpy(out + n, json.ptr + from, i - from);
            n += rewrite_number(out + n, i - from);
        }
        if (n <= stop)
            before = i;
    }
    *ret_len = n;
    return before;
}

static int fail(bp_str json, size_t position, const char *what, struct syntax_error *ret_error)
{
    scan_locate(json, position, &ret_error->line, &ret_error->column);
    snprintf(ret_error->what, sizeof(ret_error->what), "%s", what);
    return SCHEMA_SYNTAX;
}

/*
 * jansson 2.14 takes some of its failed allocations for syntax errors, and after others leaves bytes out of a text without a word: so its allocator says
 * whether there was one.
 */
static _Thread_local bool starved;
static json_malloc_t beneath;

static void *allocate(size_t size)
{
    void *memory = beneath(size);
    if (!memory)
        starved = true;
    return memory;
}

static void set_allocator(void)
{
    json_free_t release;
    json_get_alloc_funcs(&beneath, &release);
    json_set_alloc_funcs(allocate, release);
}

/* jansson's words without what it quotes of the input. */
static int fail_parse(bp_str json, const json_error_t *error, size_t consumed, struct syntax_error *ret_error)
{
    char what[JSON_ERROR_TEXT_LENGTH];
    char *quote;
    if (starved || error->text[0] == '\0' || json_error_code(error) == json_error_out_of_memory)
        return BP_NOMEM;
    snprintf(what, sizeof(what), "%s", error->text);
    if ((quote = strstr(what, " near ")))
        *quote = '\0';
    if ((quote = strstr(what, " '\\")))
        *quote = '\0';
    if (json.len == 0)
        return fail(json, 0, "the text is empty", ret_error);
    return fail(json, consumed > 0 ? consumed - 1 : 0, what, ret_error);
}

static json_t *load(bp_str json, json_error_t *error)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    json_t *value;
    (void)pthread_once(&once, set_allocator);
    starved = false;
    value = json_loadb(json.ptr, json.len, JSON_DECODE_ANY | JSON_ALLOW_NUL, error);
    if (value && starved) {
        json_decref(value);
        return NULL;
    }
    return value;
}

static int read_rewritten(bp_str json, json_t **ret_value, struct syntax_error *ret_error)
{
    json_error_t error;
    size_t len;
    char *copy = json.len < SIZE_MAX / 4 ? malloc(2 * json.len + 3) : NULL;
    int status = 0;
    if (!copy)
        return BP_NOMEM;
    rewrite_numbers(json, 0, copy, &len);
    *ret_value = load(bp_str_n(copy, len), &error);
    if (!*ret_value)
        status = fail_parse(json, &error, rewrite_numbers(json, (size_t)error.position, copy, &len), ret_error);
    free(copy);
    return status;
}

int read_json(bp_str json, json_t **ret_value, bool *ret_overflow, struct syntax_error *ret_error)
{
    json_error_t error;
    size_t position;
    const char *what;
    if (!json.ptr)
        json = BP_STR("");
    if (!scan_json(json, &position, &what))
        return fail(json, position, what, ret_error);
    *ret_overflow = false;
    *ret_value = load(json, &error);
    if (*ret_value)
        return 0;
    if (starved || json_error_code(&error) != json_error_numeric_overflow)
        return fail_parse(json, &error, (size_t)error.position, ret_error);
    *ret_overflow = true;
    return read_rewritten(json, ret_value, ret_error);
}
