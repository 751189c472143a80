/* SPDX-License-Identifier: MIT */
#include "semantic.h"

#include "utf8.h"

/* UTF-8 of a byte that is none takes three. */
#define REPAIRED 3u

static const struct {
    const char *prometheus, *name;
} metrics[] = {{"db_client_connection_count", "db.client.connection.count"},
               {"db_client_connection_max", "db.client.connection.max"},
               {"db_client_connection_pending_requests", "db.client.connection.pending_requests"},
               {"db_client_connection_timeouts_total", "db.client.connection.timeouts"},
               {"db_client_connection_wait_time_seconds", "db.client.connection.wait_time"},
               {"db_client_operation_duration_seconds", "db.client.operation.duration"},
               {"http_client_active_requests", "http.client.active_requests"},
               {"http_client_request_duration_seconds", "http.client.request.duration"},
               {"http_server_active_requests", "http.server.active_requests"},
               {"http_server_request_duration_seconds", "http.server.request.duration"}};

/* "instance" alone would come twice in Prometheus: a collector writes the resource's service.instance.id into a label of that name. */
static const struct {
    const char *prometheus, *name;
    bool integer;
} labels[] = {{"db_client_connection_pool_name", "db.client.connection.pool.name", false},
              {"db_client_connection_state", "db.client.connection.state", false},
              {"db_operation_name", "db.operation.name", false},
              {"db_system_name", "db.system.name", false},
              {"error_type", "error.type", false},
              {"http_request_method", "http.request.method", false},
              {"http_response_status_code", "http.response.status_code", true},
              {"http_route", "http.route", false},
              {"instance", "backplane.instance", false},
              {"server_address", "server.address", false}};

static const char *known_name(const char *name)
{
    for (size_t i = 0; i < sizeof(metrics) / sizeof(metrics[0]); i++)
        if (strcmp(metrics[i].prometheus, name) == 0)
            return metrics[i].name;
    return NULL;
}

static bool ends_with(bp_str text, const char *end)
{
    bp_str tail = bp_str_of(end);
    return text.len > tail.len && bp_str_eq(bp_str_n(text.ptr + text.len - tail.len, tail.len), tail);
}

/* In UCUM, as OpenTelemetry asks; of what is counted there is none. */
static bp_str unit_of(const struct bp_metric_def *def)
{
    bp_str name = bp_str_of(def->name);
    if (ends_with(name, "_seconds") || ends_with(name, "_seconds_total"))
        return BP_STR("s");
    if (ends_with(name, "_bytes") || ends_with(name, "_bytes_total"))
        return BP_STR("By");
    return ends_with(name, "_ratio") ? BP_STR("1") : bp_str_of(def->unit);
}

struct otlp_metric semantic_metric(const struct bp_metric_def *def)
{
    static const enum otlp_metric_kind kinds[] = {
        [BP_COUNTER] = OTLP_SUM, [BP_GAUGE] = OTLP_GAUGE, [BP_HISTOGRAM] = OTLP_HISTOGRAM};
    const char *known = known_name(def->name);
    struct otlp_metric metric = {.kind = kinds[def->type],
                                 .name = bp_str_of(known ? known : def->name),
                                 .description = bp_str_of(def->help),
                                 .unit = unit_of(def)};
    if (known && metric.kind == OTLP_GAUGE)
        metric.kind = OTLP_UP_DOWN;
    return metric;
}

static void set_value(struct attribute *attribute, bp_str value, struct bytes *texts)
{
    attribute->type = ATTRIBUTE_TEXT;
    attribute->as.text = value;
    if (utf8_valid(value) == value.len)
        return;
    char *room = texts->ptr + texts->len;
    size_t len = utf8_repair(value, room);
    texts->len += len;
    attribute->as.text = bp_str_n(room, len);
}

static void set(struct attribute *attribute, const char *label, bp_str value, struct bytes *texts)
{
    uint64_t number;
    attribute->key = label;
    for (size_t i = 0; i < sizeof(labels) / sizeof(labels[0]); i++) {
        if (strcmp(labels[i].prometheus, label) != 0)
            continue;
        attribute->key = labels[i].name;
        if (labels[i].integer && bp_str_to_u64(value, &number)) {
            attribute->type = ATTRIBUTE_INTEGER;
            attribute->as.integer = (int64_t)number;
            return;
        }
    }
    set_value(attribute, value, texts);
}

const struct attribute *semantic_attributes(const struct bp_metric_reading *reading, struct attribute *attributes,
                                            struct bytes *texts)
{
    struct attribute *first = NULL, **end = &first;
    size_t most = 1;
    if (reading->overflow) {
        attributes[0] =
            (struct attribute){.key = "otel.metric.overflow", .type = ATTRIBUTE_BOOLEAN, .as.boolean = true};
        return attributes;
    }
    for (uint32_t i = 0; i < reading->label_count; i++)
        most += REPAIRED * reading->labels[i].len;
    texts->len = 0;
    if (!bytes_room(texts, most))
        return NULL;
    for (uint32_t i = 0; i < reading->label_count; i++) {
        if (reading->labels[i].len == 0) /* to Prometheus, a label that is empty is none */
            continue;
        attributes[i].next = NULL;
        set(&attributes[i], reading->def->labels[i], reading->labels[i], texts);
        *end = &attributes[i];
        end = &attributes[i].next;
    }
    return first;
}
