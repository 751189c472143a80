/* SPDX-License-Identifier: MIT */
#include "core/config/source.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

#define FILE_LIMIT (1024 * 1024)
#define INCLUDE_DEPTH_MAX 10
#define SOURCE_COUNT_MAX 256

enum token { TOKEN_NONE, TOKEN_NAME, TOKEN_STRING, TOKEN_NUMBER, TOKEN_PUNCTUATION };

struct scan {
    struct loader *loader;
    struct source *source;
    const char *file;
    const char *at, *end;
    unsigned line;
    unsigned include_depth;
    bool fine;
};

/* Between files: libconfig sees one text. */
struct layout {
    enum token last;
    unsigned bracket_depth;
};

static bool scan_file(struct loader *loader, struct source *source, struct layout *layout, const char *file,
                      struct config_place from, unsigned include_depth);

static struct config_place here(const struct scan *scan)
{
    return (struct config_place){scan->file, scan->line};
}

/* A wrong value, which leaves the rest readable. */
#define scan_complain(scan, ...) loader_error((scan)->loader, here(scan), NULL, __VA_ARGS__)
/* Wrong in a way that leaves libconfig nothing to read. */
#define scan_error(scan, ...) ((scan)->fine = false, scan_complain(scan, __VA_ARGS__))

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_name(char c)
{
    return is_letter(c) || is_digit(c) || c == '-' || c == '_' || c == '*';
}

/*
 * libconfig gives a string in a list the line of the token after it, and an error the line of the token it stumbles over. So what closes or separates stays on
 * the line of the string before it, and every name, value or bracket begins a line.
 */
static void begin_token(struct scan *scan, struct layout *layout, enum token token, char first)
{
    struct source *source = scan->source;
    bool closes = first == ',' || first == ';' || first == ')' || first == ']' || first == '}';
    bool stays = layout->last == TOKEN_STRING && (token == TOKEN_STRING || (token == TOKEN_PUNCTUATION && closes));
    if (!stays || source->line_count == 0) {
        struct config_place *lines =
            loader_grow(scan->loader, source->lines, source->line_count, &source->line_cap, sizeof(*source->lines));
        if (!lines)
            return;
        source->lines = lines;
        if (source->line_count > 0)
            buffer_add_char(&source->text, '\n');
        source->lines[source->line_count++] = here(scan);
    } else {
        buffer_add_char(&source->text, ' ');
    }
    layout->last = token;
}

static void skip_comment(struct scan *scan)
{
    if (scan->at[0] == '#' || scan->at[1] == '/') {
        while (scan->at < scan->end && *scan->at != '\n')
            scan->at++;
        return;
    }
    unsigned first_line = scan->line;
    for (scan->at += 2; scan->at < scan->end; scan->at++) {
        if (scan->at[0] == '*' && scan->end - scan->at >= 2 && scan->at[1] == '/') {
            scan->at += 2;
            return;
        }
        if (*scan->at == '\n')
            scan->line++;
    }
    scan->line = first_line;
    scan_error(scan, "a comment that begins here does not end");
}

/* Leaves scan->at behind the closing quote; false when there is none. */
static bool scan_string(struct scan *scan, struct layout *layout)
{
    struct buffer *text = &scan->source->text;
    unsigned first_line = scan->line;
    begin_token(scan, layout, TOKEN_STRING, '"');
    buffer_add_char(text, '"');
    for (scan->at++; scan->at < scan->end; scan->at++) {
        char c = *scan->at;
        if (c == '"') {
            buffer_add_char(text, '"');
            scan->at++;
            return true;
        }
        if (c == '\0') {
            scan_error(scan, "a NUL byte in a string");
        } else if (c == '\n') {
            buffer_add(text, BP_STR("\\n"));
            scan->line++;
        } else if (c == '\\' && scan->end - scan->at >= 2) {
            if (scan->at[1] == '\n') {
                scan_error(scan, "a backslash at the end of a line in a string");
                continue;
            }
            if (scan->end - scan->at >= 4 && (scan->at[1] == 'x' || scan->at[1] == 'X') && scan->at[2] == '0' &&
                scan->at[3] == '0')
                scan_complain(scan, "\\x00 in a string");
            buffer_add(text, bp_str_n(scan->at, 2));
            scan->at++;
        } else {
            buffer_add_char(text, c);
        }
    }
    scan->line = first_line;
    scan_error(scan, "a string that begins here does not end");
    return false;
}

static bool all_digits(bp_str text, bool hexadecimal)
{
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        if (!is_digit(c) && !(hexadecimal && ((c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'))))
            return false;
    }
    return text.len > 0;
}

struct integer {
    bp_str digits;
    bool negative, hexadecimal, wide;
};

/* Sign, notation and width of a word. False when it is no integer. */
static bool integer_parts(bp_str word, struct integer *ret_integer)
{
    struct integer integer = {.digits = word};
    bp_str *digits = &integer.digits;
    integer.negative = digits->len > 0 && digits->ptr[0] == '-';
    if (digits->len > 0 && (digits->ptr[0] == '-' || digits->ptr[0] == '+'))
        *digits = bp_str_n(digits->ptr + 1, digits->len - 1);
    if (digits->len == word.len && word.len > 2 && word.ptr[0] == '0' && (word.ptr[1] == 'x' || word.ptr[1] == 'X')) {
        integer.hexadecimal = true;
        *digits = bp_str_n(word.ptr + 2, word.len - 2);
    }
    for (int i = 0; i < 2 && digits->len > 0 && digits->ptr[digits->len - 1] == 'L'; i++) {
        integer.wide = true;
        digits->len--;
    }
    if (!all_digits(*digits, integer.hexadecimal))
        return false;
    *ret_integer = integer;
    return true;
}

/* What goes into the text for an integer, after checking that it stays what it is; false when it is none. */
static bool scan_integer(struct scan *scan, bp_str word)
{
    struct integer integer;
    if (!integer_parts(word, &integer))
        return false;

    bp_str digits = integer.digits;
    bool negative = integer.negative;
    char number[32];
    uint64_t value = UINT64_MAX;
    if (digits.len < sizeof(number)) {
        memcpy(number, digits.ptr, digits.len);
        number[digits.len] = '\0';
        errno = 0;
        value = strtoull(number, NULL, integer.hexadecimal ? 16 : 10);
    }
    struct buffer *text = &scan->source->text;
    uint64_t most = negative ? (uint64_t)INT64_MAX + 1 : INT64_MAX;
    uint64_t most_int = negative ? (uint64_t)INT32_MAX + 1 : INT32_MAX;
    if (value > most) {
        scan_complain(scan, "%" BP_STR_FMT " is not a 64-bit integer", BP_STR_ARG(word));
        buffer_add(text, BP_STR(SOURCE_UNREADABLE));
        return true;
    }
    if (!integer.hexadecimal && digits.len > 1 && digits.ptr[0] == '0')
        scan_complain(scan, "%" BP_STR_FMT " begins with a zero: write %s%llu, or text in quotes", BP_STR_ARG(word),
                      negative ? "-" : "", (unsigned long long)value);
    else if (!integer.wide && value > most_int)
        scan_complain(scan, "%" BP_STR_FMT " is not a 32-bit integer: write %" BP_STR_FMT "L", BP_STR_ARG(word),
                      BP_STR_ARG(word));
    /* In decimal and wide where needed, whatever the notation was. */
    buffer_printf(text, "%s%llu%s", negative ? "-" : "", (unsigned long long)value,
                  integer.wide || value > most_int ? "L" : "");
    return true;
}

static bool is_float(bp_str word)
{
    size_t i = word.ptr[0] == '-' || word.ptr[0] == '+', digits = 0;
    bool point = false, exponent = false;
    for (; i < word.len; i++) {
        if (is_digit(word.ptr[i])) {
            digits++;
        } else if (word.ptr[i] == '.' && !point && !exponent) {
            point = true;
        } else if ((word.ptr[i] == 'e' || word.ptr[i] == 'E') && digits > 0 && !exponent) {
            exponent = true;
            digits = 0;
            if (i + 1 < word.len && (word.ptr[i + 1] == '-' || word.ptr[i + 1] == '+'))
                i++;
        } else {
            return false;
        }
    }
    return digits > 0 && (point || exponent);
}

static void scan_number(struct scan *scan, struct layout *layout)
{
    const char *start = scan->at++;
    while (scan->at < scan->end && (is_name(*scan->at) || *scan->at == '.' || *scan->at == '+')) {
        bool sign = *scan->at == '-' || *scan->at == '+';
        if (sign && scan->at[-1] != 'e' && scan->at[-1] != 'E')
            break;
        scan->at++;
    }
    bp_str word = bp_str_n(start, (size_t)(scan->at - start));
    begin_token(scan, layout, TOKEN_NUMBER, *start);
    if (scan_integer(scan, word))
        return;
    char number[64];
    if (word.len >= sizeof(number) || !is_float(word)) {
        scan_complain(scan, "%" BP_STR_FMT " is not a number; text goes in quotes",
                      word.len > 60 ? 60 : BP_STR_ARG(word));
        buffer_add(&scan->source->text, BP_STR(SOURCE_UNREADABLE));
        return;
    }
    memcpy(number, word.ptr, word.len);
    number[word.len] = '\0';
    bool finite = isfinite(strtod(number, NULL));
    if (!finite)
        scan_complain(scan, "%s is out of range", number);
    buffer_add(&scan->source->text, finite ? word : BP_STR(SOURCE_UNREADABLE));
}

static void scan_include(struct scan *scan, struct layout *layout)
{
    static const char word[] = "@include";
    if ((size_t)(scan->end - scan->at) < sizeof(word) - 1 || memcmp(scan->at, word, sizeof(word) - 1) != 0) {
        scan_error(scan, "unexpected character \"@\"");
        scan->at++;
        return;
    }
    scan->at += sizeof(word) - 1;
    while (scan->at < scan->end && (*scan->at == ' ' || *scan->at == '\t'))
        scan->at++;
    const char *name = scan->at + 1, *close = name;
    while (close < scan->end && *close != '"' && *close != '\n')
        close++;
    if (scan->at >= scan->end || *scan->at != '"' || close >= scan->end || *close != '"' || close == name) {
        scan_error(scan, "@include needs the name of a file in quotes");
        while (scan->at < scan->end && *scan->at != '\n')
            scan->at++;
        return;
    }
    scan->at = close + 1;
    const char *path = loader_path(scan->loader, scan->file, bp_str_n(name, (size_t)(close - name)));
    if (path && !scan_file(scan->loader, scan->source, layout, path, here(scan), scan->include_depth + 1))
        scan->fine = false;
}

static void scan_punctuation(struct scan *scan, struct layout *layout)
{
    char c = *scan->at;
    if ((unsigned char)c < 0x20 || (unsigned char)c >= 0x7f) {
        scan_error(scan, "unexpected byte 0x%02x", (unsigned char)c);
    } else if (!strchr("=:,;(){}[]", c)) {
        scan_error(scan, "unexpected character \"%c\"", c);
    } else {
        begin_token(scan, layout, TOKEN_PUNCTUATION, c);
        buffer_add_char(&scan->source->text, c);
        if (strchr("({[", c) && ++layout->bracket_depth > CONFIG_DEPTH_MAX) {
            scan_error(scan, "more than %d brackets inside each other", CONFIG_DEPTH_MAX);
            scan->at = scan->end;
            return;
        }
        if (strchr(")}]", c) && layout->bracket_depth > 0)
            layout->bracket_depth--;
    }
    scan->at++;
}

static void scan_text(struct scan *scan, struct layout *layout)
{
    while (scan->at < scan->end && !scan->loader->no_memory) {
        char c = *scan->at, next = scan->end - scan->at >= 2 ? scan->at[1] : '\0';
        if (c == '\n') {
            scan->line++;
            scan->at++;
        } else if (c == ' ' || c == '\t' || c == '\r' || c == '\f') {
            scan->at++;
        } else if (c == '#' || (c == '/' && (next == '/' || next == '*'))) {
            skip_comment(scan);
        } else if (c == '"') {
            if (!scan_string(scan, layout))
                return;
        } else if (is_letter(c) || c == '*') {
            const char *start = scan->at;
            while (scan->at < scan->end && is_name(*scan->at))
                scan->at++;
            begin_token(scan, layout, TOKEN_NAME, c);
            buffer_add(&scan->source->text, bp_str_n(start, (size_t)(scan->at - start)));
        } else if (is_digit(c) || c == '.' || c == '-' || c == '+') {
            scan_number(scan, layout);
        } else if (c == '@') {
            scan_include(scan, layout);
        } else {
            scan_punctuation(scan, layout);
        }
    }
}

static bool scan_file(struct loader *loader, struct source *source, struct layout *layout, const char *file,
                      struct config_place from, unsigned include_depth)
{
    if (include_depth > INCLUDE_DEPTH_MAX || ++loader->source_count > SOURCE_COUNT_MAX) {
        loader_error(loader, from, NULL, "\"%s\": includes nest too deeply, or in a circle", file);
        return false;
    }
    const char *reason = NULL;
    size_t len = 0;
    char *text = source_slurp(file, FILE_LIMIT, &len, &reason);
    if (!text) {
        if (from.file)
            loader_error(loader, from, NULL, "cannot read \"%s\": %s", file, reason);
        else
            report_error(loader->report, file, 0, NULL, "cannot be read: %s", reason);
        return false;
    }
    report_file(loader->report, file);
    struct scan scan = {.loader = loader,
                        .source = source,
                        .file = file,
                        .at = text,
                        .end = text + len,
                        .line = 1,
                        .include_depth = include_depth,
                        .fine = true};
    scan_text(&scan, layout);
    free(text);
    return scan.fine;
}

bool source_read(struct loader *loader, const char *file, struct config_place from, struct source *source)
{
    struct layout layout = {.last = TOKEN_NONE};
    bool fine = scan_file(loader, source, &layout, file, from, 0);
    buffer_add_char(&source->text, '\n');
    buffer_add_char(&source->text, '\0');
    if (source->text.failed)
        loader->no_memory = true;
    return fine && !loader->no_memory;
}

void source_deinit(struct source *source)
{
    buffer_deinit(&source->text);
}
