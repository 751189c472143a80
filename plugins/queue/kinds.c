/* SPDX-License-Identifier: MIT */
/* What can be run, and in which queues. */
#include <stdlib.h>

#include "queue.h"

struct kind *kinds_find(const struct queue *queue, bp_str name)
{
    struct kind *kind = queue->kinds;
    while (kind && !bp_str_eq(kind->name, name))
        kind = kind->next;
    return kind;
}

struct lane *lanes_find(const struct queue *queue, bp_str name)
{
    struct lane *lane = queue->lanes;
    while (lane && !bp_str_eq(lane->name, name))
        lane = lane->next;
    return lane;
}

struct lane *lanes_get(struct queue *queue, bp_str name)
{
    const struct lane_option *options = queue->queues.ptr;
    struct lane *lane = lanes_find(queue, name);
    if (lane)
        return lane;
    lane = calloc(1, sizeof(*lane));
    if (!lane)
        return NULL;
    *lane = (struct lane){.next = queue->lanes,
                          .queue = queue,
                          .name = name,
                          .at_a_time = queue->at_a_time,
                          .cell = wake_cell(name),
                          .look = true};
    lane->ready_last = &lane->ready_first;
    for (size_t i = 0; i < queue->queues.len; i++) {
        if (bp_str_eq(options[i].name, name)) {
            lane->at_a_time = options[i].at_a_time > 0 ? options[i].at_a_time : queue->at_a_time;
            lane->limit = options[i].limit;
        }
    }
    return queue->lanes = lane;
}

/* So that a list of names needs no quotes, whatever it is a list for. */
static bool name_is_valid(const char *name)
{
    size_t len = name ? strlen(name) : 0;
    return len > 0 && len <= QUEUE_NAME_MAX &&
           strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") == len;
}

/* NULL, or what is wrong. */
static const char *check(const struct bp_job_kind *def)
{
    if (!name_is_valid(def->name))
        return "needs a name of at most 64 letters, digits, dots, underscores and hyphens";
    if (def->queue && !name_is_valid(def->queue))
        return "needs a queue whose name has at most 64 letters, digits, dots, underscores and hyphens";
    if (!def->run)
        return "has no function";
    if (def->timeout < 0 || def->max_age < 0 || def->retry_after < 0 || def->retry_at_most < 0)
        return "has a duration below 0";
    if (def->payload && def->payload_size == 0)
        return "has no payload_size";
    if (def->cron && def->payload)
        return "has both cron and a payload";
    return def->payload ? bp_rows_check(def->payload) : NULL;
}

static void fill_defaults(struct bp_job_kind *def)
{
    def->queue = def->queue ? def->queue : QUEUE_DEFAULT;
    def->attempts = def->attempts > 0 ? def->attempts : 20;
    def->timeout = def->timeout > 0 ? def->timeout : BP_MINUTE;
    def->retry_after = def->retry_after > 0 ? def->retry_after : 5 * BP_SECOND;
    def->retry_at_most = def->retry_at_most > 0 ? def->retry_at_most : BP_HOUR;
}

static int add(struct queue *queue, struct bp_host *host, const struct bp_job_kind *def, void *argument)
{
    struct cron cron = {0};
    const char *problem = check(def);
    if (!problem && kinds_find(queue, bp_str_of(def->name)))
        problem = "is run by another plugin, too";
    if (!problem && def->cron && (problem = cron_parse(def->cron, &cron)))
        return bp_config_error(host, NULL, "job %s: the schedule \"%s\" %s", def->name, def->cron, problem);
    if (problem)
        return bp_config_error(host, NULL, "job %s: %s", def->name ? def->name : "(no name)", problem);
    struct kind *kind = calloc(1, sizeof(*kind));
    struct lane *lane = lanes_get(queue, bp_str_of(def->queue ? def->queue : QUEUE_DEFAULT));
    if (!kind || !lane) {
        free(kind);
        return BP_NOMEM;
    }
    memcpy(&kind->def, def, def->size < sizeof(kind->def) ? def->size : sizeof(kind->def));
    fill_defaults(&kind->def);
    kind->host = host;
    kind->argument = argument;
    kind->name = bp_str_of(kind->def.name);
    kind->lane = lane;
    kind->cron = cron;
    kind->next = queue->kinds;
    queue->kinds = kind;
    return 0;
}

int kinds_add(void *self, struct bp_host *host, const struct bp_job_kind *kinds, void *argument)
{
    struct queue *queue = self;
    int status = 0;
    if (queue->started)
        return BP_MISUSE;
    for (const struct bp_job_kind *def = kinds; status == 0 && def->size > 0;
         def = (const struct bp_job_kind *)(const void *)((const char *)def + def->size))
        status = add(queue, host, def, argument);
    return status;
}

struct list {
    char *text;
    size_t len;
    bool postgres;
};

/* An array's literal for Postgres, a JSON array for SQLite. */
static void put(struct list *list, bp_str name)
{
    const char *quote = list->postgres ? "" : "\"";
    char *end = list->text + list->len;
    *end++ = list->len > 1 ? ',' : ' ';
    end = stpcpy(end, quote);
    memcpy(end, name.ptr, name.len);
    end = stpcpy(end + name.len, quote);
    list->len = (size_t)(end - list->text);
}

static bool begin(struct list *list, bool postgres, size_t names)
{
    *list = (struct list){.text = malloc(names * (QUEUE_NAME_MAX + 4) + 3), .len = 1, .postgres = postgres};
    if (list->text)
        list->text[0] = postgres ? '{' : '[';
    return list->text != NULL;
}

static bp_str end(struct list *list)
{
    list->text[list->len++] = list->postgres ? '}' : ']';
    return bp_str_n(list->text, list->len);
}

int kinds_lists(struct queue *queue)
{
    struct list list;
    size_t kinds = 0, lanes = 0;
    for (const struct kind *kind = queue->kinds; kind; kind = kind->next)
        kinds++;
    for (const struct lane *lane = queue->lanes; lane; lane = lane->next)
        lanes++;
    if (!begin(&list, queue->postgres, kinds))
        return BP_NOMEM;
    for (const struct kind *kind = queue->kinds; kind; kind = kind->next)
        put(&list, kind->name);
    queue->kinds_list = end(&list);
    if (!begin(&list, queue->postgres, lanes))
        return BP_NOMEM;
    for (const struct lane *lane = queue->lanes; lane; lane = lane->next)
        put(&list, lane->name);
    queue->lanes_list = end(&list);
    return 0;
}

void kinds_deinit(struct queue *queue)
{
    while (queue->kinds) {
        struct kind *next = queue->kinds->next;
        free(queue->kinds);
        queue->kinds = next;
    }
    while (queue->lanes) {
        struct lane *next = queue->lanes->next;
        free(queue->lanes);
        queue->lanes = next;
    }
    free((void *)(uintptr_t)queue->kinds_list.ptr);
    free((void *)(uintptr_t)queue->lanes_list.ptr);
}
