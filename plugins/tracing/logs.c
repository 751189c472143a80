/* SPDX-License-Identifier: MIT */
/* Lines of the log, as they are written, on their way to the exporter. Threads of plugins write some. */
#include "tracing.h"
#include "utf8.h"

#define FIELDS_MAX 32u
#define OWN_ATTRIBUTES 5u /* event.name, stream, plugin, request id, client */
#define REPAIRED 3u       /* UTF-8 of a byte that is none takes so many */

struct attributes {
    struct tracing *tracing;
    struct attribute list[FIELDS_MAX + OWN_ATTRIBUTES];
    uint32_t count;
};

static struct attribute *add(struct attributes *attributes, const char *key)
{
    struct attribute *attribute = &attributes->list[attributes->count++];
    *attribute = (struct attribute){.key = key};
    if (attributes->count > 1)
        attributes->list[attributes->count - 2].next = attribute;
    return attribute;
}

/* Valid UTF-8 of at most attribute_length bytes: the text itself, or a copy for which there is room. */
static bp_str clean(struct tracing *tracing, bp_str text)
{
    struct bytes *texts = &tracing->log_texts;
    bp_str cut = bp_utf8_cut(text, tracing->attribute_length);
    if (utf8_valid(cut) == cut.len)
        return cut;
    char *copy = texts->ptr + texts->len;
    size_t len = utf8_repair(cut, copy);
    texts->len += len;
    return bp_str_n(copy, len);
}

static void add_text(struct attributes *attributes, const char *key, bp_str text)
{
    if (text.len > 0)
        add(attributes, key)->as.text = clean(attributes->tracing, text);
}

static void add_field(struct attributes *attributes, const struct bp_log_field *field)
{
    struct attribute *attribute = add(attributes, field->name);
    switch (field->kind) {
    case BP_LOG_INT:
        attribute->type = ATTRIBUTE_INTEGER;
        attribute->as.integer = field->integer;
        break;
    case BP_LOG_NUM:
        attribute->type = ATTRIBUTE_NUMBER;
        attribute->as.number = field->number;
        break;
    case BP_LOG_BOOL:
        attribute->type = ATTRIBUTE_BOOLEAN;
        attribute->as.boolean = field->integer != 0;
        break;
    default:
        attribute->as.text = clean(attributes->tracing, field->str);
    }
}

static bool is_taken(const struct bp_log_line *line, const char *name)
{
    bool taken = false;
    for (uint32_t i = 0; i < line->fields; i++)
        taken |= strcmp(line->field[i].name, name) == 0;
    return taken;
}

/* Room for the repaired copies of all of its texts. */
static bool reserve(struct tracing *tracing, const struct bp_log_line *line)
{
    size_t most =
        strlen(line->event) + strlen(line->message) + line->plugin.len + line->request_id.len + line->client.len + 1;
    for (uint32_t i = 0; i < line->fields; i++)
        if (line->field[i].kind == BP_LOG_STR)
            most += line->field[i].str.len;
    tracing->log_texts.len = 0;
    tracing->log_texts.failed = false;
    return bytes_room(&tracing->log_texts, REPAIRED * most);
}

/* Names are those of OpenTelemetry where it has one. An attribute comes once: a field of that name wins. */
static void describe(struct attributes *attributes, const struct bp_log_line *line)
{
    const struct {
        const char *key;
        bp_str text;
    } own[OWN_ATTRIBUTES] = {{"event.name", bp_str_of(line->event)},
                             {"backplane.stream", line->audit ? BP_STR("audit") : BP_STR("")},
                             {"backplane.plugin", line->plugin},
                             {"backplane.request_id", line->request_id},
                             {"client.address", line->client}};
    for (size_t i = 0; i < OWN_ATTRIBUTES; i++)
        if (!is_taken(line, own[i].key))
            add_text(attributes, own[i].key, own[i].text);
    for (uint32_t i = 0; i < line->fields && i < FIELDS_MAX; i++) {
        bool again = false;
        for (uint32_t before = 0; before < i; before++)
            again |= strcmp(line->field[before].name, line->field[i].name) == 0;
        if (!again)
            add_field(attributes, &line->field[i]);
    }
}

/* What the way to the collector has to say is not sent there: it would never come to an end. */
static bool is_own(const struct tracing *tracing, const struct bp_log_line *line)
{
    const struct bp_arena *fiber = bp_fiber_arena();
    if (bp_str_eq(line->plugin, bp_instance_name(tracing->host)))
        return true;
    for (unsigned i = 0; fiber && i < OTLP_SIGNALS; i++)
        if (tracing->exporters[i].fiber == fiber)
            return true;
    return false;
}

static void send(void *argument)
{
    struct tracing *tracing = argument;
    struct exporter *exporter = &tracing->exporters[OTLP_LOGS];
    atomic_store(&tracing->logs_posted, false);
    if (!exporter->stopping)
        exporter_send(exporter);
}

static void encode(struct tracing *tracing, const struct bp_log_line *line, struct bytes *out)
{
    static const struct {
        uint32_t number;
        const char *text;
    } severities[] = {[BP_LOG_DEBUG] = {5, "DEBUG"},
                      [BP_LOG_INFO] = {9, "INFO"},
                      [BP_LOG_WARN] = {13, "WARN"},
                      [BP_LOG_ERROR] = {17, "ERROR"}};
    struct attributes attributes = {.tracing = tracing};
    describe(&attributes, line);
    const struct otlp_log log = {.date = line->date * 1000000,
                                 .severity = severities[line->level].number,
                                 .severity_text = severities[line->level].text,
                                 .body = clean(tracing, bp_str_of(line->message)),
                                 .attributes = attributes.count > 0 ? attributes.list : NULL,
                                 .trace = line->trace};
    tracing->exporters[OTLP_LOGS].encoder->log(out, &log);
}

static void take(void *argument, const struct bp_log_line *line)
{
    struct tracing *tracing = argument;
    struct exporter *exporter = &tracing->exporters[OTLP_LOGS];
    if (is_own(tracing, line))
        return;
    if (!reserve(tracing, line)) {
        exporter_drop(exporter, DROP_MEMORY, 1);
        return;
    }
    struct bytes *out = exporter_item(exporter);
    if (out)
        encode(tracing, line, out);
    if (exporter_keep(exporter, 1) && batches_ready(&exporter->batches) &&
        !atomic_exchange(&tracing->logs_posted, true) && !bp_post(tracing->host, send, tracing))
        atomic_store(&tracing->logs_posted, false);
}

static void tick(void *argument)
{
    struct tracing *tracing = argument;
    struct exporter *exporter = &tracing->exporters[OTLP_LOGS];
    exporter_note_waiting(exporter);
    exporter_send(exporter);
}

int logs_start(struct tracing *tracing)
{
    struct exporter *exporter = &tracing->exporters[OTLP_LOGS];
    exporter_start(exporter, tracing, OTLP_LOGS);
    batches_init(&exporter->batches, exporter->encoder->separator, tracing->logs_batch, tracing->logs_queue,
                 tracing->queue_bytes);
    if (!bp_timer_every(tracing->host, tracing->logs_delay, tick, tracing))
        return BP_NOMEM;
    return bp_on_log(tracing->host, take, tracing);
}
