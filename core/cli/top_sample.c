/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>

#include "core/cli/top.h"

#define LABELS 8u

struct line {
    bp_str name;
    struct {
        bp_str name;
        char value[96];
    } labels[LABELS];
    unsigned label_count;
    double value;
};

static bool take(bp_str *rest, char c)
{
    if (rest->len == 0 || rest->ptr[0] != c)
        return false;
    *rest = bp_str_n(rest->ptr + 1, rest->len - 1);
    return true;
}

static bp_str word(bp_str *rest)
{
    bp_str text = bp_str_n(rest->ptr, 0);
    while (rest->len > 0 && !strchr("{}=,\" ", rest->ptr[0])) {
        text.len++;
        *rest = bp_str_n(rest->ptr + 1, rest->len - 1);
    }
    return text;
}

/* Behind the opening quote, to behind the closing one; what a terminal could act on becomes '?'. */
static bool quoted(bp_str *rest, char *value, size_t size)
{
    size_t len = 0;
    while (rest->len > 0 && rest->ptr[0] != '"') {
        if (rest->ptr[0] == '\\' && rest->len > 1)
            *rest = bp_str_n(rest->ptr + 1, rest->len - 1);
        char c = rest->ptr[0];
        if (len + 1 < size)
            value[len++] = c < ' ' || c > '~' ? '?' : c;
        *rest = bp_str_n(rest->ptr + 1, rest->len - 1);
    }
    value[len] = '\0';
    return take(rest, '"');
}

static bool parse(bp_str rest, struct line *line)
{
    char number[40];

    line->label_count = 0;
    line->name = word(&rest);
    if (take(&rest, '{'))
        while (!take(&rest, '}')) {
            if (line->label_count == LABELS)
                return false;
            line->labels[line->label_count].name = word(&rest);
            if (!take(&rest, '=') || !take(&rest, '"') ||
                !quoted(&rest, line->labels[line->label_count].value, sizeof(line->labels[0].value)))
                return false;
            line->label_count++;
            (void)take(&rest, ',');
        }
    if (line->name.len == 0 || !take(&rest, ' ') || rest.len == 0 || rest.len >= sizeof(number))
        return false;
    memcpy(number, rest.ptr, rest.len);
    number[rest.len] = '\0';
    line->value = strtod(number, NULL);
    return true;
}

static const char *label(const struct line *line, const char *name)
{
    for (unsigned i = 0; i < line->label_count; i++)
        if (bp_str_is(line->labels[i].name, name))
            return line->labels[i].value;
    return "";
}

const struct top_row *top_find(const struct top_rows *rows, const char *key)
{
    for (size_t i = 0; i < rows->count; i++)
        if (strcmp(rows->items[i].key, key) == 0)
            return &rows->items[i];
    return NULL;
}

/* The row of this key, made when missing; NULL: out of memory. */
static struct top_row *row_of(struct top_rows *rows, const char *key)
{
    const struct top_row *found = top_find(rows, key);
    if (found)
        return &rows->items[found - rows->items];
    if (rows->count == rows->cap) {
        size_t cap = rows->cap > 0 ? 2 * rows->cap : 32;
        struct top_row *items = realloc(rows->items, cap * sizeof(*items));
        if (!items)
            return NULL;
        rows->items = items;
        rows->cap = cap;
    }
    struct top_row *row = &rows->items[rows->count++];
    memset(row, 0, sizeof(*row));
    (void)snprintf(row->key, sizeof(row->key), "%s", key);
    return row;
}

static void add_bucket(struct top_row *row, const char *le, double value)
{
    double bound = strtod(le, NULL); /* "+Inf", too */
    unsigned i = 0;
    while (i < row->bucket_count && row->bounds[i] != bound)
        i++;
    if (i == TOP_BUCKETS)
        return;
    if (i == row->bucket_count) {
        row->bounds[i] = bound;
        row->cumulated[i] = 0;
        row->bucket_count++;
    }
    row->cumulated[i] += value;
}

/* suffix: what of a histogram it is. */
static void add_histogram(struct top_row *row, const struct line *line, bp_str suffix, bool failed)
{
    if (bp_str_is(suffix, "_bucket")) {
        add_bucket(row, label(line, "le"), line->value);
    } else if (bp_str_is(suffix, "_sum")) {
        row->sum += line->value;
    } else if (bp_str_is(suffix, "_count")) {
        row->count += line->value;
        row->failures += failed ? line->value : 0;
    }
}

static bool has(const struct line *line, const char *family, bp_str *ret_suffix)
{
    bp_str prefix = bp_str_of(family);
    if (!bp_str_starts(line->name, prefix))
        return false;
    *ret_suffix = bp_str_n(line->name.ptr + prefix.len, line->name.len - prefix.len);
    return true;
}

static const struct {
    const char *metric, *caption;
} gauges[] = {{"db_client_connection_count", "connections of pool"},
              {"db_client_connection_pending_requests", "waiting for pool"},
              {"postgres_queue_depth", "postgres waiting"},
              {"sqlite_queue_depth", "sqlite waiting"},
              {"redis_up", "redis connected"},
              {"redis_commands_in_flight", "redis in flight"},
              {"backplane_connections", "connections"},
              {"backplane_fibers", "fibers"}};

static bool add_gauge(struct top_sample *sample, const struct line *line)
{
    char key[sizeof(((struct top_row *)NULL)->key)];

    for (size_t i = 0; i < sizeof(gauges) / sizeof(gauges[0]); i++) {
        if (!bp_str_is(line->name, gauges[i].metric))
            continue;
        int len = snprintf(key, sizeof(key), "%s", gauges[i].caption);
        for (unsigned at = 0; at < line->label_count && (size_t)len < sizeof(key); at++)
            len += snprintf(key + len, sizeof(key) - (size_t)len, " %s", line->labels[at].value);
        struct top_row *row = row_of(&sample->gauges, key);
        if (row)
            row->count += line->value;
        return row;
    }
    return true;
}

static bool add(struct top_sample *sample, const struct line *line)
{
    char key[sizeof(((struct top_row *)NULL)->key)];
    struct top_row *row;
    bp_str suffix;

    if (has(line, "http_server_request_duration_seconds", &suffix)) {
        bool failed = label(line, "http_response_status_code")[0] == '5';
        (void)snprintf(key, sizeof(key), "%.8s %.80s", label(line, "http_request_method"), label(line, "http_route"));
        row = row_of(&sample->routes, key);
        add_histogram(&sample->all, line, suffix, failed);
    } else if (has(line, "backplane_plugin_hook_duration_seconds", &suffix)) {
        row = row_of(&sample->plugins, label(line, "plugin"));
    } else if (has(line, "db_client_operation_duration_seconds", &suffix)) {
        (void)snprintf(key, sizeof(key), "%.30s %.60s", label(line, "db_system_name"),
                       label(line, "db_operation_name"));
        row = row_of(&sample->calls, key);
    } else if (has(line, "redis_command_duration_seconds", &suffix)) {
        (void)snprintf(key, sizeof(key), "redis %.60s", label(line, "command"));
        row = row_of(&sample->calls, key);
    } else {
        if (bp_str_is(line->name, "http_server_active_requests"))
            sample->active += line->value;
        return add_gauge(sample, line);
    }
    if (!row)
        return false;
    add_histogram(row, line, suffix, label(line, "http_response_status_code")[0] == '5');
    return true;
}

/* Errors are those of the server's table, whatever the metrics know of plugins. */
static bool add_errors(struct top_sample *sample, const json_t *errors)
{
    const json_t *error;
    size_t i;

    json_array_foreach(json_object_get(errors, "errors"), i, error)
    {
        const char *plugin = json_string_value(json_object_get(error, "plugin"));
        struct top_row *row = row_of(&sample->plugins, plugin && *plugin ? plugin : "-");
        if (!row)
            return false;
        row->failures += json_number_value(json_object_get(error, "count"));
    }
    return true;
}

bool top_sample_read(struct top_sample *sample, const char *metrics, json_t *status, json_t *errors)
{
    struct line line;
    bool fine = true;

    *sample = (struct top_sample){.at = bp_clock(), .status = status, .errors = errors};
    for (const char *at = metrics, *end; fine && at && (end = strchr(at, '\n')); at = end + 1)
        if (*at != '#' && parse(bp_str_n(at, (size_t)(end - at)), &line))
            fine = add(sample, &line);
    return fine && add_errors(sample, errors);
}

void top_sample_deinit(struct top_sample *sample)
{
    free(sample->routes.items);
    free(sample->plugins.items);
    free(sample->calls.items);
    free(sample->gauges.items);
    json_decref(sample->status);
    json_decref(sample->errors);
    *sample = (struct top_sample){0};
}

static double came(const struct top_row *before, const struct top_row *now, unsigned bucket)
{
    double old = before && bucket < before->bucket_count ? before->cumulated[bucket] : 0;
    return now->cumulated[bucket] - old;
}

double top_quantile(const struct top_row *before, const struct top_row *now, double quantile)
{
    if (now->bucket_count == 0)
        return -1;
    double total = came(before, now, now->bucket_count - 1), wanted = total * quantile;
    if (total <= 0)
        return -1;
    for (unsigned i = 0; i < now->bucket_count; i++) {
        double reached = came(before, now, i), below = i > 0 ? came(before, now, i - 1) : 0;
        double low = i > 0 ? now->bounds[i - 1] : 0;
        if (reached < wanted)
            continue;
        if (i == now->bucket_count - 1) /* beyond the last bound nothing more is known */
            return low;
        return reached > below ? low + (now->bounds[i] - low) * (wanted - below) / (reached - below) : now->bounds[i];
    }
    return -1;
}
