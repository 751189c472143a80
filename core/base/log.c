/* SPDX-License-Identifier: MIT */
#include "core/base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <math.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "backplane/clock.h"
#include "core/base/buffer.h"
#include "core/plugin/assembly.h"

bp_str (*log_request_id)(void);
bool (*log_trace)(struct bp_trace_context *ret_context);
bp_str (*log_client)(void);
log_observer_function *_Atomic log_observer;

#define SHOWN_FIELDS 32u /* to the observer */

static _Atomic int least_level = BP_LOG_INFO;
static enum log_format chosen_format = LOG_AUTO;
static char process_name[32];
static int audit_fd = STDERR_FILENO;
static char audit_path[PATH_MAX]; /* empty: no file */

void log_setup(enum bp_level level, enum log_format format, const char *process)
{
    atomic_store(&least_level, (int)level);
    chosen_format = format;
    snprintf(process_name, sizeof(process_name), "%s", process ? process : "");
}

bool log_is_json(void)
{
    return chosen_format == LOG_JSON || (chosen_format == LOG_AUTO && !isatty(STDERR_FILENO));
}

const char *log_process(void)
{
    return process_name;
}

bool bp_log_enabled(enum bp_level level)
{
    return (int)level >= atomic_load_explicit(&least_level, memory_order_relaxed);
}

/* A JSON string. C1 controls and DEL are escaped too: some terminals act on them. */
static void add_quoted(struct buffer *line, bp_str text)
{
    buffer_add_char(line, '"');
    while (text.len > 0) {
        size_t len = bp_utf8_length(text);
        unsigned char c = (unsigned char)text.ptr[0];
        if (len == 0) {
            buffer_add(line, BP_STR("\xef\xbf\xbd"));
            len = 1;
        } else if (c == '"' || c == '\\') {
            buffer_add_char(line, '\\');
            buffer_add_char(line, (char)c);
        } else if (c == '\n') {
            buffer_add(line, BP_STR("\\n"));
        } else if (c == '\r') {
            buffer_add(line, BP_STR("\\r"));
        } else if (c == '\t') {
            buffer_add(line, BP_STR("\\t"));
        } else if (c < 0x20 || c == 0x7f) {
            buffer_printf(line, "\\u%04x", c);
        } else if (c == 0xc2 && (unsigned char)text.ptr[1] < 0xa0) {
            buffer_printf(line, "\\u%04x", (unsigned char)text.ptr[1]);
        } else {
            buffer_add(line, bp_str_n(text.ptr, len));
        }
        text.ptr += len;
        text.len -= len;
    }
    buffer_add_char(line, '"');
}

/* Text lines quote only what would not be read as one word, or in a sentence what could act on the terminal. */
static void add_word(struct buffer *line, bp_str text, bool sentence)
{
    bool plain = text.len > 0;
    for (size_t i = 0; i < text.len && plain; i++) {
        char c = text.ptr[i];
        plain = c >= ' ' && c < 0x7f && (sentence || (c != ' ' && c != '"' && c != '=' && c != '\\'));
    }
    if (plain)
        buffer_add(line, text);
    else
        add_quoted(line, text);
}

static void add_number(struct buffer *line, double number)
{
    char text[32];
    if (!isfinite(number)) {
        buffer_add(line, BP_STR("null"));
        return;
    }
    snprintf(text, sizeof(text), "%.15g", number);
    if (strtod(text, NULL) != number)
        snprintf(text, sizeof(text), "%.17g", number);
    buffer_add(line, bp_str_of(text));
}

static bool is_secret(bp_str name)
{
    static const bp_str endings[] = {BP_STR_INIT("password"), BP_STR_INIT("secret"), BP_STR_INIT("token"),
                                     BP_STR_INIT("authorization")};
    for (size_t i = 0; i < sizeof(endings) / sizeof(endings[0]); i++)
        if (name.len >= endings[i].len &&
            bp_str_eq_nocase(bp_str_n(name.ptr + name.len - endings[i].len, endings[i].len), endings[i]))
            return true;
    return false;
}

static void add_value(struct buffer *line, const struct bp_log_field *field, bool json)
{
    bp_str text = field->str;
    if (is_secret(bp_str_of(field->name)))
        text = BP_STR("[redacted]");
    else if (field->kind == BP_LOG_INT) {
        buffer_printf(line, "%lld", (long long)field->integer);
        return;
    } else if (field->kind == BP_LOG_NUM) {
        add_number(line, field->number);
        return;
    } else if (field->kind == BP_LOG_BOOL) {
        buffer_add(line, field->integer ? BP_STR("true") : BP_STR("false"));
        return;
    }
    if (json)
        add_quoted(line, text);
    else
        add_word(line, text, false);
}

static void add_field(struct buffer *line, const struct bp_log_field *field, bool json)
{
    bp_str name = bp_str_of(field->name);
    if (json) {
        buffer_add_char(line, ',');
        add_quoted(line, name);
        buffer_add_char(line, ':');
    } else {
        buffer_add_char(line, ' ');
        add_word(line, name, false);
        buffer_add_char(line, '=');
    }
    add_value(line, field, json);
}

static const char *const level_names[] = {"debug", "info", "warn", "error"};

static void add_head(struct buffer *line, const struct bp_log_line *what, bool json)
{
    enum bp_level level = (enum bp_level)what->level;
    const char *event = what->event, *message = what->message;
    char date[BP_DATE_LEN];
    bp_date_format(what->date, date);
    if (json) {
        buffer_printf(line, "{\"time\":\"%.*s\",\"level\":\"%s\",\"event\":", BP_DATE_LEN, date, level_names[level]);
        add_quoted(line, bp_str_of(event));
        buffer_add(line, BP_STR(",\"message\":"));
        add_quoted(line, bp_str_of(message));
    } else {
        buffer_printf(line, "%.*s %-5s ", BP_DATE_LEN, date, level_names[level]);
        add_word(line, bp_str_of(event), false);
        buffer_add(line, BP_STR(": "));
        add_word(line, bp_str_of(message), true);
    }
}

static void write_line(int fd, const char *line, size_t len)
{
    if (write(fd, line, len) == (ssize_t)len || fd == STDERR_FILENO)
        return;
    /* A full disk: the event must not be lost. When standard error takes no more there is nobody left to tell. */
    ssize_t written = write(STDERR_FILENO, line, len);
    (void)written;
}

/* So that lines and spans find each other. */
static void add_trace(struct buffer *line, const struct bp_trace_context *context, bool json)
{
    char trace_id[BP_TRACE_ID_LEN], span_id[BP_TRACE_SPAN_ID_LEN];
    bp_trace_id_format(context, trace_id);
    bp_trace_span_id_format(context, span_id);
    add_field(line, &(struct bp_log_field){.name = "trace_id", .str = bp_str_n(trace_id, sizeof(trace_id))}, json);
    add_field(line, &(struct bp_log_field){.name = "span_id", .str = bp_str_n(span_id, sizeof(span_id))}, json);
}

static void show(struct bp_log_line *what, const struct bp_log_field *fields)
{
    log_observer_function *observer = log_observer;
    struct bp_log_field shown[SHOWN_FIELDS];
    if (!observer)
        return;
    for (; fields && fields->name && what->fields < SHOWN_FIELDS; fields++)
        shown[what->fields++] = is_secret(bp_str_of(fields->name)) ? bp_log_cstr(fields->name, "[redacted]") : *fields;
    what->field = shown;
    observer(what);
}

static void write_event(struct bp_host *host, enum bp_level level, bool audit, const char *event, const char *message,
                        const struct bp_log_field *fields)
{
    struct buffer line = {0};
    int fd = audit ? audit_fd : STDERR_FILENO;
    bool json = fd == STDERR_FILENO ? log_is_json() : audit_path[0] || chosen_format != LOG_TEXT;
    struct bp_trace_context context;
    struct bp_log_line what = {.size = sizeof(what),
                               .level = level,
                               .audit = audit,
                               .date = bp_date_now(),
                               .event = event,
                               .message = message,
                               .plugin = host ? host->name_str : bp_str_n(NULL, 0),
                               .request_id = log_request_id ? log_request_id() : bp_str_n(NULL, 0),
                               .client = audit && log_client ? log_client() : bp_str_n(NULL, 0),
                               .trace = log_trace && log_trace(&context) ? &context : NULL};
    add_head(&line, &what, json);
    if (audit)
        add_field(&line, &(struct bp_log_field){.name = "stream", .str = BP_STR("audit")}, json);
    if (process_name[0])
        add_field(&line, &(struct bp_log_field){.name = "process", .str = bp_str_of(process_name)}, json);
    add_field(&line, &(struct bp_log_field){.name = "pid", .kind = BP_LOG_INT, .integer = getpid()}, json);
    if (host)
        add_field(&line, &(struct bp_log_field){.name = "plugin", .str = what.plugin}, json);
    if (what.request_id.len > 0)
        add_field(&line, &(struct bp_log_field){.name = "request_id", .str = what.request_id}, json);
    if (what.trace)
        add_trace(&line, what.trace, json);
    if (what.client.len > 0)
        add_field(&line, &(struct bp_log_field){.name = "client", .str = what.client}, json);
    for (const struct bp_log_field *field = fields; field && field->name; field++)
        add_field(&line, field, json);
    buffer_add(&line, json ? BP_STR("}\n") : BP_STR("\n"));
    if (line.failed) {
        static const char lost[] =
            "{\"level\":\"error\",\"event\":\"log.no_memory\",\"message\":\"A line was lost\"}\n";
        write_line(STDERR_FILENO, lost, sizeof(lost) - 1);
    } else {
        write_line(fd, line.ptr, line.len);
    }
    buffer_deinit(&line);
    show(&what, fields);
}

void bp_log_write(struct bp_host *host, enum bp_level level, const char *event, const char *message,
                  const struct bp_log_field *fields)
{
    if (bp_log_enabled(level))
        write_event(host, level, false, event, message, fields);
}

void bp_audit_write(struct bp_host *host, const char *event, const char *message, const struct bp_log_field *fields)
{
    write_event(host, BP_LOG_INFO, true, event, message, fields);
}

/* ---- where the audit log goes ---- */

static void close_audit(void)
{
    if (audit_fd > STDERR_FILENO)
        (void)close(audit_fd);
    audit_fd = STDERR_FILENO;
    audit_path[0] = '\0';
}

bool log_audit_reopen(void)
{
    if (!audit_path[0])
        return true;
    int fd = open(audit_path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NOFOLLOW, 0640);
    if (fd < 0)
        return false;
    if (audit_fd > STDERR_FILENO)
        (void)close(audit_fd);
    audit_fd = fd;
    return true;
}

bool log_audit_open(bp_str output, bp_str folder)
{
    close_audit();
    if (output.len == 0 || bp_str_is(output, "stderr"))
        return true;
    if (bp_str_is(output, "stdout")) {
        audit_fd = STDOUT_FILENO;
        return true;
    }
    bool relative = output.ptr[0] != '/';
    int len = snprintf(audit_path, sizeof(audit_path), "%" BP_STR_FMT "%s%" BP_STR_FMT, relative ? (int)folder.len : 0,
                       folder.ptr ? folder.ptr : "", relative ? "/" : "", BP_STR_ARG(output));
    if (len < 0 || (size_t)len >= sizeof(audit_path)) {
        audit_path[0] = '\0';
        errno = ENAMETOOLONG;
        return false;
    }
    if (log_audit_reopen())
        return true;
    audit_path[0] = '\0';
    return false;
}
