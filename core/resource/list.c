/* SPDX-License-Identifier: MIT */
/* GET of a resource's collection. */
#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>

#include "backplane/shared.h"
#include "backplane/status.h"
#include "core/http/request.h"
#include "core/resource/list.h"

struct page_meta {
    uint64_t set, null;
    int64_t total_items, total_pages, current_page, items_per_page;
    bool has_more;
    bp_str next_cursor;
};
enum { SET_TOTAL = 3, SET_PAGE = 4, SET_LIMIT = 8, SET_MORE = 16, SET_CURSOR = 32 };

static const struct bp_field meta_rows[] = {
    BP_PRESENCE(struct page_meta, set, null),
    BP_I64(struct page_meta, total_items, .doc = "Rows that match."),
    BP_I64(struct page_meta, total_pages, .doc = "Pages that they fill."),
    BP_I64(struct page_meta, current_page, .doc = "Of lists by page."),
    BP_I64(struct page_meta, items_per_page),
    BP_BOOL(struct page_meta, has_more, .doc = "Whether there is a next page."),
    BP_TEXT(struct page_meta, next_cursor, .doc = "The cursor of the next page, where there is one."),
    BP_END,
};

struct page {
    struct bp_array data;
    struct page_meta meta;
};

const char *list_compile(struct resource *resource)
{
    const struct bp_resource *definition = resource->definition;
    struct bp_field *listed = calloc(resource->count + 3, sizeof(*listed));
    struct bp_field *page = calloc(3, sizeof(*page));
    resource->total_offset = (definition->object_size + 7u) / 8 * 8;
    resource->listed_size = (resource->total_offset + 8u + 15u) / 16 * 16;
    resource->listed_rows = listed;
    resource->page_rows = page;
    if (!listed || !page)
        return "out of memory";
    memcpy(listed, definition->fields, (resource->count + 1) * sizeof(*listed));
    listed[resource->count + 1] =
        (struct bp_field){.name = "total", .type = BP_TYPE_I64, .offset = resource->total_offset};
    page[0] = (struct bp_field){.name = "data",
                                .type = BP_TYPE_ARRAY,
                                .offset = offsetof(struct page, data),
                                .sub = definition->fields,
                                .item_size = resource->listed_size,
                                .max = definition->page_max ? definition->page_max : 100};
    page[1] = (struct bp_field){
        .name = "meta", .type = BP_TYPE_OBJECT, .offset = offsetof(struct page, meta), .sub = meta_rows};
    return list_query_compile(resource);
}

struct shared_key {
    struct bp_mutex mutex;
    uint32_t made;
    unsigned char key[CURSOR_KEY_BYTES];
};

const unsigned char *resource_cursor_key(struct resource *resource)
{
    struct assembly *assembly = resource->host->assembly;
    if (assembly->cursor_key_made)
        return assembly->cursor_key;
    bp_str secret = assembly->config->server.secret;
    struct shared_key *shared = NULL;
    if (secret.len > 0)
        crypto_generichash(assembly->cursor_key, CURSOR_KEY_BYTES, (const unsigned char *)secret.ptr, secret.len,
                           (const unsigned char *)"backplane cursors", 17);
    else
        shared = bp_shared(resource->host, "core.cursor_key", 1, sizeof(*shared));
    if (shared) {
        (void)bp_mutex_lock(&shared->mutex);
        if (!shared->made)
            randombytes_buf(shared->key, sizeof(shared->key));
        shared->made = 1;
        memcpy(assembly->cursor_key, shared->key, sizeof(shared->key));
        bp_mutex_unlock(&shared->mutex);
    } else if (secret.len == 0) {
        randombytes_buf(assembly->cursor_key, CURSOR_KEY_BYTES);
    }
    assembly->cursor_key_made = true;
    return assembly->cursor_key;
}

static int run(struct bp_request *rq, struct resource *resource, const struct list_request *list, int64_t limit,
               struct bp_result *ret_result)
{
    bool once;
    struct statement *statement = list_statement(resource, list, &once);
    struct binding binding = {.owner = list->owner,
                              .filters = list->values,
                              .keys = list->keys,
                              .limit = limit,
                              .offset = (list->query->page - 1) * list->query->limit};
    if (!statement)
        return BP_NOMEM;
    int status = statement_run(resource, NULL, statement, &binding, rq->arena, ret_result);
    if (once)
        list_statement_free(statement);
    return status > 0 ? BP_ERROR : status;
}

static void *row_at(const struct resource *resource, const struct bp_result *result, size_t index)
{
    return (char *)result->rows + index * resource->listed_size;
}

/* The total came with the rows, unless the page is behind the last one. */
static int find_total(struct bp_request *rq, struct resource *resource, const struct list_request *list,
                      const struct bp_result *result, int64_t *ret_total)
{
    struct list_query first_query = *list->query;
    struct list_request first = *list;
    struct bp_result found = *result;
    *ret_total = 0;
    if (result->len == 0 && list->query->page == 1 && !list->by_cursor)
        return 0;
    if (result->len == 0) {
        first_query.page = 1;
        first.query = &first_query;
        first.by_cursor = false;
        int status = run(rq, resource, &first, 1, &found);
        if (status < 0)
            return status;
    }
    if (found.len > 0)
        memcpy(ret_total, (char *)found.rows + resource->total_offset, sizeof(*ret_total));
    return 0;
}

static int make_cursor(struct bp_request *rq, struct resource *resource, const struct list_request *list, void *last,
                       struct page_meta *meta)
{
    struct bp_db_value keys[SORT_KEYS + 1];
    for (unsigned i = 0; i < list->sort_count; i++)
        if (!list_key(resource, list->sort[i].member, last, rq->arena, &keys[i]))
            return BP_NOMEM;
    keys[list->sort_count] = bp_db_uuid(object_member(resource, last, 0));
    meta->next_cursor =
        cursor_make(resource_cursor_key(resource), list->binding, keys, list->sort_count + 1, rq->arena);
    if (meta->next_cursor.ptr)
        meta->set |= SET_CURSOR;
    return 0;
}

/* The query as it was, with page and cursor replaced. */
static void add_link(struct bp_request *rq, struct buffer *out, const char *name, bp_str value, const char *relation)
{
    bp_str rest = bp_request_query(rq), path = bp_request_path(rq);
    char separator = '?';
    buffer_printf(out, "%s<%" BP_STR_FMT, out->len ? ", " : "", BP_STR_ARG(path));
    while (rest.len > 0) {
        bp_str pair = list_next_pair(&rest);
        if (pair.len == 0 || bp_str_starts(pair, BP_STR("page=")) || bp_str_starts(pair, BP_STR("cursor=")) ||
            memchr(pair.ptr, '>', pair.len))
            continue;
        buffer_add_char(out, separator);
        buffer_add(out, pair);
        separator = '&';
    }
    buffer_printf(out, "%c%s=%" BP_STR_FMT ">; rel=\"%s\"", separator, name, BP_STR_ARG(value), relation);
}

static void add_page_link(struct bp_request *rq, struct buffer *out, int64_t page, const char *relation)
{
    char text[24];
    int len = snprintf(text, sizeof(text), "%" PRId64, page);
    add_link(rq, out, "page", bp_str_n(text, (size_t)len), relation);
}

/* RFC 8288. */
static int set_link(struct bp_request *rq, const struct list_request *list, const struct page_meta *meta)
{
    struct buffer out = {0};
    int64_t page = meta->current_page;
    if (list->by_cursor) {
        if (meta->set & SET_CURSOR)
            add_link(rq, &out, "cursor", meta->next_cursor, "next");
    } else {
        if (page > 1)
            add_page_link(rq, &out, 1, "first");
        if (page > 1 && (!list->total || page <= meta->total_pages + 1))
            add_page_link(rq, &out, page - 1, "prev");
        if (meta->has_more)
            add_page_link(rq, &out, page + 1, "next");
        if (list->total && meta->total_pages > 1)
            add_page_link(rq, &out, meta->total_pages, "last");
    }
    int status = out.failed ? BP_NOMEM : out.len ? bp_header_set(rq, BP_STR("Link"), buffer_str(&out)) : 0;
    buffer_deinit(&out);
    return status;
}

static int fill_meta(struct bp_request *rq, struct resource *resource, const struct list_request *list,
                     struct bp_result *result, struct page_meta *meta)
{
    int64_t limit = list->query->limit;
    *meta = (struct page_meta){.set = SET_LIMIT | SET_MORE, .items_per_page = limit};
    meta->has_more = (int64_t)result->len > limit;
    if (meta->has_more)
        result->len = (size_t)limit;
    if (!list->by_cursor) {
        meta->set |= SET_PAGE;
        meta->current_page = list->query->page;
    }
    if (list->total) {
        int status = find_total(rq, resource, list, result, &meta->total_items);
        if (status < 0)
            return status;
        meta->set |= SET_TOTAL;
        meta->total_pages = meta->total_items / limit + (meta->total_items % limit != 0);
    }
    return meta->has_more ? make_cursor(rq, resource, list, row_at(resource, result, result->len - 1), meta) : 0;
}

int bp_resource_list(struct bp_request *rq, void *self, const void *stage)
{
    (void)stage;
    struct resource *resource = resource_of(rq);
    const struct list_query *query = bp_query(rq);
    struct list_request list;
    struct bp_result result;
    struct page page;
    const bp_uuid *owner;
    uint64_t wanted;
    int status = resource_begin(rq, resource, &owner);
    if (status == 0)
        status = list_read(rq, resource, query, owner, &list);
    if (status == 0)
        status = resource_select(rq, resource, query->fields, &wanted);
    if (status == 0 && list.searches && resource->definition->before_search)
        status = resource->definition->before_search(rq, self, owner);
    if (status == 0) /* one more row says whether there is more */
        status = run(rq, resource, &list, (int64_t)query->limit + 1, &result);
    if (status == 0)
        status = fill_meta(rq, resource, &list, &result, &page.meta);
    if (status == 0)
        status = set_link(rq, &list, &page.meta);
    if (status < 0)
        return bp_trace(status);
    for (size_t i = 0; i < result.len; i++)
        *object_set(resource, row_at(resource, &result, i)) = wanted;
    page.data = (struct bp_array){result.rows, result.len};
    return bp_reply_object(rq, 200, resource->list_message, resource->page_rows, &page);
}
