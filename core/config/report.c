/* SPDX-License-Identifier: MIT */
#include "core/config/report.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

struct report_file {
    char *name;
};

struct report_line {
    unsigned file; /* 0: none; else its index in files + 1 */
    unsigned line;
    size_t start, len; /* in text, with the newline */
};

static unsigned file_number(struct report *report, const char *name)
{
    if (!name)
        return 0;
    struct report_file *files = (void *)report->files.ptr;
    size_t count = report->files.len / sizeof(*files);
    for (size_t i = 0; i < count; i++)
        if (strcmp(files[i].name, name) == 0)
            return (unsigned)i + 1;
    struct report_file file = {strdup(name)};
    if (file.name && buffer_reserve(&report->files, sizeof(file))) {
        buffer_add(&report->files, bp_str_n((const char *)&file, sizeof(file)));
        return (unsigned)count + 1;
    }
    free(file.name);
    return 0;
}

void report_file(struct report *report, const char *file)
{
    file_number(report, file);
}

/* A problem is one line whatever was quoted in it. */
static void add_message(struct buffer *text, const char *format, va_list arguments)
{
    char *message = NULL;
    if (vasprintf(&message, format, arguments) < 0) {
        text->failed = true;
        return;
    }
    for (const char *c = message; *c; c++) {
        if ((unsigned char)*c < 0x20 || *c == 0x7f)
            buffer_printf(text, "\\x%02x", (unsigned char)*c);
        else
            buffer_add_char(text, *c);
    }
    free(message);
}

static void add(struct report *report, const char *file, unsigned line, const char *kind, const char *path,
                const char *format, va_list arguments)
{
    struct report_line entry = {.file = file_number(report, file), .line = line, .start = report->text.len};
    if (file && line > 0)
        buffer_printf(&report->text, "%s:%u: ", file, line);
    else if (file)
        buffer_printf(&report->text, "%s: ", file);
    buffer_add(&report->text, bp_str_of(kind));
    if (path && *path)
        buffer_printf(&report->text, "%s: ", path);
    add_message(&report->text, format, arguments);
    buffer_add_char(&report->text, '\n');
    entry.len = report->text.len - entry.start;
    buffer_add(&report->lines, bp_str_n((const char *)&entry, sizeof(entry)));
}

void report_error(struct report *report, const char *file, unsigned line, const char *path, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    add(report, file, line, "", path, format, arguments);
    va_end(arguments);
    report->errors++;
}

void report_warning(struct report *report, const char *file, unsigned line, const char *path, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    add(report, file, line, "warning: ", path, format, arguments);
    va_end(arguments);
    report->warnings++;
}

static int compare(const void *left, const void *right)
{
    const struct report_line *a = left, *b = right;
    if (a->file != b->file)
        return a->file < b->file ? -1 : 1;
    if (a->line != b->line)
        return a->line < b->line ? -1 : 1;
    return a->start < b->start ? -1 : a->start > b->start;
}

void report_sort(struct report *report)
{
    struct report_line *lines = (void *)report->lines.ptr;
    size_t count = report->lines.len / sizeof(*lines);
    struct buffer sorted = {0};
    if (count < 2 || report->text.failed || report->lines.failed || !buffer_reserve(&sorted, report->text.len))
        return;
    qsort(lines, count, sizeof(*lines), compare);
    for (size_t i = 0; i < count; i++) {
        size_t start = sorted.len;
        buffer_add(&sorted, bp_str_n(report->text.ptr + lines[i].start, lines[i].len));
        lines[i].start = start;
    }
    buffer_deinit(&report->text);
    report->text = sorted;
}

void report_deinit(struct report *report)
{
    struct report_file *files = (void *)report->files.ptr;
    for (size_t i = 0; i < report->files.len / sizeof(*files); i++)
        free(files[i].name);
    buffer_deinit(&report->files);
    buffer_deinit(&report->lines);
    buffer_deinit(&report->text);
    *report = (struct report){0};
}
