/* SPDX-License-Identifier: MIT */
/* The query parameters of a resource's lists, derived from its fields; and what a request's come to. */
#include <stdio.h>
#include <stdlib.h>

#include "backplane/status.h"
#include "core/http/parser.h"
#include "core/http/request.h"
#include "core/resource/list.h"
#include "core/schema/schema.h"

/* What every JSON reader can hold exactly. Times a page's rows it fits int64_t. */
#define PAGE_MAX INT64_C(9007199254740991)
#define PAGE_DEFAULT 10
#define PAGE_ROWS_MAX 100
#define TEXT_MAX 1000

static const char *const operator_names[] = {"", "[gt]", "[gte]", "[lt]", "[lte]", "[null]"};

struct derive {
    struct resource *resource;
    struct bp_field *rows;
    unsigned count; /* behind BP_PRESENCE */
    uint32_t size;
    const char *wrong;
};

static uint32_t size_of(uint32_t type)
{
    switch (type) {
    case BP_TYPE_BOOL:
        return sizeof(bool);
    case BP_TYPE_U32:
    case BP_TYPE_CHOICE:
        return sizeof(uint32_t);
    case BP_TYPE_TEXT:
        return sizeof(bp_str);
    case BP_TYPE_UUID:
        return sizeof(bp_uuid);
    default:
        return sizeof(int64_t);
    }
}

static bool has_room(struct derive *derive)
{
    if (derive->count == RESOURCE_QUERIES)
        derive->wrong = "its lists have more than 62 query parameters";
    return derive->count < RESOURCE_QUERIES;
}

static struct bp_field *add_row(struct derive *derive, struct bp_field row)
{
    if (!has_room(derive))
        return NULL;
    row.json = row.name;
    derive->rows[++derive->count] = row;
    return &derive->rows[derive->count];
}

static void add_filter(struct derive *derive, struct bp_field row, struct filter filter)
{
    row.offset = derive->size;
    derive->size += (size_of(row.type) + 15) / 16 * 16;
    struct bp_field *added = add_row(derive, row);
    if (!added)
        return;
    filter.row = added;
    filter.bit = derive->count - 1;
    derive->resource->filters[derive->resource->filter_count++] = filter;
}

static void add_member_filter(struct derive *derive, unsigned index, enum filter_operator operator)
{
    const struct member *member = &derive->resource->members[index];
    struct bp_field row = *member->row;
    char *name;
    if (!has_room(derive))
        return;
    if (asprintf(&name, "%s%s", member->json, operator_names[operator]) < 0) {
        derive->wrong = "out of memory";
        return;
    }
    row.name = name;
    row.label = name;
    row.flags &= BP_TRIM | BP_LOWER;
    row.def = NULL;
    if (operator== FILTER_NULL)
        row = (struct bp_field){.name = name, .label = name, .type = BP_TYPE_BOOL, .doc = "Whether there is no value."};
    add_filter(derive, row, (struct filter){.operator = operator, .member = index});
}

static bool is_ordered(uint16_t type)
{
    return type == BP_TYPE_U32 || type == BP_TYPE_I64 || type == BP_TYPE_F64 || type == BP_TYPE_SPAN ||
           type == BP_TYPE_SIZE || type == BP_TYPE_DATE;
}

static void add_member_filters(struct derive *derive)
{
    for (unsigned i = 0; i < derive->resource->count; i++) {
        const struct bp_field *row = derive->resource->members[i].row;
        if (!(row->flags & BP_FILTER))
            continue;
        if (row->type == BP_TYPE_ARRAY || row->type == BP_TYPE_OBJECT) {
            derive->wrong = "an array or object cannot have BP_FILTER";
            return;
        }
        add_member_filter(derive, i, FILTER_EQ);
        for (enum filter_operator operator= FILTER_GT; is_ordered(row->type) && operator<= FILTER_LTE; operator++)
            add_member_filter(derive, i, operator);
        if (row->flags & BP_NULLABLE)
            add_member_filter(derive, i, FILTER_NULL);
    }
}

static void add_custom_filters(struct derive *derive)
{
    const struct bp_resource *definition = derive->resource->definition;
    for (const struct bp_resource_filter *f = definition->filters; f && f->size; f++) {
        struct bp_field row = {.name = f->name, .label = f->name, .type = (uint16_t)f->type, .doc = f->doc};
        if (f->type == BP_TYPE_TEXT)
            row.max = TEXT_MAX;
        add_filter(derive, row, (struct filter){.operator= FILTER_CUSTOM, .custom = f});
    }
}

static void add_paging(struct derive *derive)
{
    const struct bp_resource *definition = derive->resource->definition;
    uint16_t lenient = definition->lenient_paging ? BP_LENIENT : 0;
    uint32_t rows = definition->page_size ? definition->page_size : PAGE_DEFAULT;
    uint32_t most = definition->page_max ? definition->page_max : PAGE_ROWS_MAX;
    char *def;
    if (asprintf(&def, "%u", rows) < 0) {
        derive->wrong = "out of memory";
        return;
    }
    const struct bp_field common[] = {
        BP_I64(struct list_query, page, .def = "1", .min = 1, .max = PAGE_MAX, .flags = lenient,
               .doc = "Which page, from 1 on. Not together with cursor."),
        BP_U32(struct list_query, limit, .def = def, .min = 1, .max = most, .flags = lenient, .doc = "Rows of a page."),
        BP_BOOL(struct list_query, total,
                .doc = "Whether to count all rows that match: by default with pages, but not with cursors."),
        BP_TEXT(struct list_query, cursor, .max = 6000,
                .doc = "nextCursor of the page before. With the same filters and sort."),
        BP_TEXT(struct list_query, sort, .max = 200,
                .doc = "Members to sort by, separated by commas; a minus before one sorts downwards."),
        BP_TEXT(struct list_query, fields, .max = TEXT_MAX, .doc = "Members to reply with, separated by commas."),
    };
    for (size_t i = 0; i < sizeof(common) / sizeof(*common); i++)
        add_row(derive, common[i]);
}

static void add_search(struct derive *derive)
{
    struct bp_field q[] = {BP_TEXT(struct list_query, q, .min = 1, .max = 200, .doc = "Words that must occur.")};
    struct bp_field *row = derive->resource->definition->search ? add_row(derive, q[0]) : NULL;
    if (row)
        derive->resource->filters[derive->resource->filter_count++] =
            (struct filter){.operator= FILTER_CUSTOM, .row = row, .bit = derive->count - 1};
}

static const char *parse_sort(const struct resource *resource, bp_str text, bool any, struct sort_key *keys,
                              unsigned *ret_count)
{
    unsigned count = 0;
    bp_str name;
    if (text.len == 0)
        text.ptr = NULL;
    while (bp_str_next(&text, ',', &name)) {
        name = bp_str_trim(name);
        bool descending = name.len > 0 && name.ptr[0] == '-';
        if (descending)
            name = bp_str_n(name.ptr + 1, name.len - 1);
        int member = resource_member_json(resource, name);
        if (member < 0 || (!any && !(resource->members[member].row->flags & BP_SORT)))
            return "names a member that cannot be sorted by";
        for (unsigned i = 0; i < count; i++)
            if (keys[i].member == member)
                return "names a member twice";
        if (count == SORT_KEYS)
            return "names more than 4 members";
        keys[count++] = (struct sort_key){(uint8_t)member, descending};
    }
    *ret_count = count;
    return NULL;
}

const char *list_query_compile(struct resource *resource)
{
    struct derive derive = {.resource = resource,
                            .rows = calloc(RESOURCE_QUERIES + 2, sizeof(struct bp_field)),
                            .size = (sizeof(struct list_query) + 15) / 16 * 16};
    const struct bp_field presence[] = {BP_PRESENCE(struct list_query, set, null)};
    if (!derive.rows)
        return "out of memory";
    derive.rows[0] = presence[0];
    resource->query_rows = derive.rows;
    add_paging(&derive);
    add_search(&derive);
    add_member_filters(&derive);
    add_custom_filters(&derive);
    resource->query_size = derive.size;
    if (derive.wrong)
        return derive.wrong;
    const char *wrong =
        parse_sort(resource, bp_str_of(resource->definition->sort), true, resource->sort, &resource->sort_count);
    return wrong ? "its sort names what cannot be sorted by" : schema_check(derive.rows);
}

struct reader {
    struct bp_request *rq;
    struct resource *resource;
    struct bp_problems problems;
    struct buffer binding;
};

static bool is_given(const struct resource *resource, const struct list_query *query, const char *name)
{
    return bp_is_set(resource->query_rows, query, name);
}

bp_str list_next_pair(bp_str *rest)
{
    const char *next = memchr(rest->ptr, '&', rest->len);
    bp_str pair = bp_str_n(rest->ptr, next ? (size_t)(next - rest->ptr) : rest->len);
    *rest = next ? bp_str_n(next + 1, rest->len - pair.len - 1) : bp_str_n(NULL, 0);
    return pair;
}

/* A name that lists do not have, or that comes twice. */
static void check_names(struct reader *reader)
{
    bp_str rest = bp_request_query(reader->rq);
    uint64_t seen = 0, repeated = 0;
    while (rest.len > 0) {
        bp_str pair = list_next_pair(&rest);
        const char *equals = memchr(pair.ptr, '=', pair.len);
        bp_str name = bp_str_n(pair.ptr, equals ? (size_t)(equals - pair.ptr) : pair.len);
        char *decoded = bp_arena_alloc(reader->rq->arena, name.len + 1);
        size_t len;
        if (pair.len == 0)
            continue;
        if (!decoded) {
            reader->problems.failed = true;
            return;
        }
        if (parser_percent_decode(name, true, decoded, &len))
            name = bp_str_n(decoded, len);
        unsigned i = 1;
        while (reader->resource->query_rows[i].type && !bp_str_is(name, reader->resource->query_rows[i].name))
            i++;
        if (!reader->resource->query_rows[i].type) {
            const char *nearest = schema_nearest(reader->resource->query_rows + 1, name);
            problems_add(&reader->problems, name, "unknown",
                         bp_arena_printf(reader->rq->arena, "Unknown query parameter \"%.*s\"%s%s%s",
                                         name.len < 100 ? (int)name.len : 100, name.ptr,
                                         nearest ? "; did you mean \"" : "", nearest ? nearest : "",
                                         nearest ? "\"?" : ""));
        } else if (seen & ~repeated & UINT64_C(1) << i) {
            repeated |= UINT64_C(1) << i;
            problems_add(
                &reader->problems, name, "repeated",
                bp_arena_printf(reader->rq->arena, "Query parameter \"%.*s\" is repeated", (int)name.len, name.ptr));
        }
        seen |= UINT64_C(1) << (i & 63);
    }
}

static void bind(struct reader *reader, const char *name, const struct bp_db_value *value)
{
    char text[BP_UUID_LEN + 1] = "";
    buffer_printf(&reader->binding, "%s=", name);
    switch (value->type) {
    case BP_TYPE_TEXT:
        buffer_printf(&reader->binding, "%zu:", value->as.text.len);
        buffer_add(&reader->binding, value->as.text);
        break;
    case BP_TYPE_UUID:
        bp_uuid_format(&value->as.uuid, text);
        buffer_add(&reader->binding, bp_str_of(text));
        break;
    case BP_TYPE_BOOL:
        buffer_add_char(&reader->binding, value->as.boolean ? 't' : 'f');
        break;
    default: /* a double is bound by its bits */
        buffer_printf(&reader->binding, "%lld", (long long)value->as.integer);
    }
    buffer_add_char(&reader->binding, '&');
}

/* Words as FTS5 wants them: each a string of its own, so that nothing in it is syntax. to_tsquery's relatives skip the quotes. */
static bp_str quote_words(struct bp_arena *arena, bp_str text)
{
    char *quoted = bp_arena_alloc(arena, text.len * 4 + 4), *out = quoted;
    size_t i = 0;
    while (quoted && i < text.len) {
        while (i < text.len && (unsigned char)text.ptr[i] <= ' ')
            i++;
        if (i == text.len)
            break;
        if (out > quoted)
            *out++ = ' ';
        *out++ = '"';
        for (; i < text.len && (unsigned char)text.ptr[i] > ' '; i++) {
            if (text.ptr[i] == '"')
                *out++ = '"';
            *out++ = text.ptr[i];
        }
        *out++ = '"';
    }
    return bp_str_n(quoted, quoted ? (size_t)(out - quoted) : 0);
}

static int read_filters(struct reader *reader, struct list_request *list)
{
    for (unsigned i = 0; i < reader->resource->filter_count; i++) {
        const struct filter *filter = &reader->resource->filters[i];
        if (!(list->query->set & UINT64_C(1) << filter->bit))
            continue;
        struct bp_db_value *value = &list->values[list->filter_count];
        if (!sql_value_of(filter->row, list->query, reader->rq->arena, value))
            return BP_NOMEM;
        bind(reader, filter->row->name, value);
        if (filter->operator== FILTER_CUSTOM && !filter->custom) {
            list->searches = true;
            value->as.text = quote_words(reader->rq->arena, value->as.text);
            if (!value->as.text.ptr)
                return BP_NOMEM;
        }
        list->filters[list->filter_count++] = filter;
    }
    return 0;
}

static void read_sort(struct reader *reader, struct list_request *list)
{
    const struct resource *resource = reader->resource;
    const char *wrong = NULL;
    list->sort_count = 0;
    if (is_given(resource, list->query, "sort")) {
        wrong = parse_sort(resource, list->query->sort, false, list->sort, &list->sort_count);
    } else {
        memcpy(list->sort, resource->sort, sizeof(list->sort));
        list->sort_count = resource->sort_count;
    }
    if (wrong)
        problems_add(&reader->problems, BP_STR("sort"), "invalid",
                     bp_arena_printf(reader->rq->arena, "Query parameter \"sort\" %s", wrong));
    for (unsigned i = 0; i < list->sort_count; i++)
        buffer_printf(&reader->binding, "%c%u", list->sort[i].descending ? '-' : '+', list->sort[i].member);
}

static void read_cursor(struct reader *reader, struct list_request *list)
{
    const struct resource *resource = reader->resource;
    uint32_t types[SORT_KEYS + 1];
    list->by_cursor = is_given(resource, list->query, "cursor");
    if (!list->by_cursor || reader->problems.len > 0)
        return;
    if (is_given(resource, list->query, "page"))
        problems_add(&reader->problems, BP_STR("page"), "invalid",
                     BP_STR("Query parameters \"page\" and \"cursor\" exclude each other"));
    for (unsigned i = 0; i < list->sort_count; i++)
        types[i] = list_key_type(resource, list->sort[i].member);
    types[list->sort_count] = BP_TYPE_UUID;
    if (!cursor_read(resource_cursor_key(reader->resource), list->binding, list->query->cursor, types,
                     list->sort_count + 1, reader->rq->arena, list->keys))
        problems_add(&reader->problems, BP_STR("cursor"), "invalid",
                     BP_STR("Query parameter \"cursor\" is not one that was given out for this list"));
}

int list_read(struct bp_request *rq, struct resource *resource, const struct list_query *query, const bp_uuid *owner,
              struct list_request *ret_list)
{
    struct reader reader = {.rq = rq, .resource = resource};
    struct list_request *list = ret_list;
    list->query = query;
    list->owner = owner;
    list->filter_count = 0;
    list->searches = false;
    problems_init(&reader.problems, rq->arena);
    check_names(&reader);
    buffer_printf(&reader.binding, "%s ", resource->definition->plural);
    if (owner)
        buffer_add(&reader.binding, bp_str_n((const char *)owner->bytes, sizeof(owner->bytes)));
    int status = read_filters(&reader, list);
    read_sort(&reader, list);
    list->binding = reader.binding.failed ? bp_str_n(NULL, 0) : bp_arena_copy(rq->arena, buffer_str(&reader.binding));
    buffer_deinit(&reader.binding);
    if (status < 0 || !list->binding.ptr)
        return BP_NOMEM;
    read_cursor(&reader, list);
    list->total = is_given(resource, query, "total") ? query->total : !list->by_cursor;
    if (reader.problems.failed)
        return BP_NOMEM;
    if (reader.problems.len == 0)
        return 0;
    status = request_fail_problems(rq, &reader.problems, false);
    return status < 0 ? status : BP_REFUSED;
}
