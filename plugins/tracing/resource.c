/* SPDX-License-Identifier: MIT */
/* OpenTelemetry's semantic conventions for resources. What the options say wins over what is found out. */
#include "resource.h"

#include <stdlib.h>
#include <unistd.h>

/* OpenTelemetry asks for this name where nobody has given one. */
#define UNKNOWN_SERVICE "unknown_service:backplane"

static const char *const own_names[] = {
    "service.name", "service.version",    "service.instance.id",    "host.name",
    "process.pid",  "telemetry.sdk.name", "telemetry.sdk.language", "telemetry.sdk.version"};
_Static_assert(sizeof(own_names) / sizeof(own_names[0]) == RESOURCE_OWN, "room for each");

static struct attribute *find(struct attribute *list, const char *key)
{
    for (; list; list = list->next)
        if (strcmp(list->key, key) == 0)
            return list;
    return NULL;
}

/* What of it is of one worker alone, and not of the server, whose metrics are sums. */
static bool is_of_worker(const char *key)
{
    return strcmp(key, "process.pid") == 0;
}

static void set_text(struct attribute *list, const char *key, bp_str text)
{
    struct attribute *attribute = find(list, key);
    attribute->type = ATTRIBUTE_TEXT;
    attribute->as.text = text;
}

/* A list: ours, then those of the option. NULL: out of memory. */
static struct attribute *make(const struct tracing *tracing, bool of_worker, bp_str instance)
{
    const struct pairs *pairs = &tracing->resource_pairs;
    struct attribute *list = calloc(RESOURCE_OWN + pairs->count, sizeof(*list));
    size_t count = 0;
    if (!list)
        return NULL;
    for (size_t i = 0; i < RESOURCE_OWN; i++) {
        if (!of_worker && is_of_worker(own_names[i]))
            continue;
        list[count].key = own_names[i];
        if (count > 0)
            list[count - 1].next = &list[count];
        count++;
    }
    set_text(list, "service.name", BP_STR(UNKNOWN_SERVICE));
    set_text(list, "service.version", bp_str_of(bp_version()));
    set_text(list, "service.instance.id", instance);
    set_text(list, "host.name", bp_str_of(tracing->host_name));
    set_text(list, "telemetry.sdk.name", BP_STR("backplane"));
    set_text(list, "telemetry.sdk.language", BP_STR("c"));
    set_text(list, "telemetry.sdk.version", bp_str_of(bp_version()));
    struct attribute *pid = find(list, "process.pid");
    if (pid) {
        pid->type = ATTRIBUTE_INTEGER;
        pid->as.integer = getpid();
    }
    for (size_t i = 0; i < pairs->count; i++) {
        if (!find(list, pairs->items[i].name)) {
            list[count].key = pairs->items[i].name;
            list[count - 1].next = &list[count];
            count++;
        }
        set_text(list, pairs->items[i].name, pairs->items[i].value);
    }
    if (tracing->service_name.len > 0)
        set_text(list, "service.name", tracing->service_name);
    return list;
}

/* The first worker chooses it. */
static bp_uuid server_instance(struct tracing_shared *shared)
{
    static const bp_uuid none;
    (void)bp_mutex_lock(&shared->mutex);
    if (bp_uuid_eq(&shared->instance, &none))
        shared->instance = bp_uuid_new();
    bp_uuid instance = shared->instance;
    bp_mutex_unlock(&shared->mutex);
    return instance;
}

int resource_new(struct tracing *tracing)
{
    bp_uuid instance = bp_uuid_new(), server = server_instance(tracing->shared);
    if (gethostname(tracing->host_name, sizeof(tracing->host_name) - 1) != 0)
        tracing->host_name[0] = '\0';
    bp_uuid_format(&instance, tracing->service_instance);
    bp_uuid_format(&server, tracing->server_instance);
    tracing->resource = make(tracing, true, bp_str_n(tracing->service_instance, sizeof(tracing->service_instance)));
    tracing->server_resource =
        make(tracing, false, bp_str_n(tracing->server_instance, sizeof(tracing->server_instance)));
    if (!tracing->resource || !tracing->server_resource)
        return BP_NOMEM;
    for (unsigned i = 0; i < OTLP_SIGNALS; i++)
        tracing->exporters[i].source =
            (struct otlp_source){.resource = i == OTLP_METRICS ? tracing->server_resource : tracing->resource,
                                 .scope = BP_STR("backplane"),
                                 .version = bp_str_of(bp_version())};
    return 0;
}

void resource_free(struct tracing *tracing)
{
    free(tracing->resource);
    free(tracing->server_resource);
    tracing->resource = tracing->server_resource = NULL;
}
