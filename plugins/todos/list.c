/* SPDX-License-Identifier: MIT */
/* GET /api/v1/todos */
#include "todos.h"

#define LIMIT_MAX 100
/* What every JSON reader can hold exactly. Times LIMIT_MAX it fits int64_t. */
#define PAGE_MAX INT64_C(9007199254740991)

const struct bp_field list_query[] = {
    BP_I64(struct list_query, page, .def = "1", .min = 1, .max = PAGE_MAX, .flags = BP_LENIENT,
           .doc = "Which page, from 1 on."),
    BP_U32(struct list_query, limit, .def = "10", .min = 1, .max = LIMIT_MAX, .flags = BP_LENIENT,
           .doc = "Todos per page."),
    BP_END,
};

struct page_meta {
    int64_t total_items, total_pages, current_page, items_per_page;
};

struct page {
    struct bp_array data;
    struct page_meta meta;
};

static const struct bp_field meta_fields[] = {
    BP_I64(struct page_meta, total_items),
    BP_I64(struct page_meta, total_pages),
    BP_I64(struct page_meta, current_page),
    BP_I64(struct page_meta, items_per_page),
    BP_END,
};

const struct bp_field list_reply[] = {
    BP_ARRAY(struct page, data, struct todo_listed, todo_fields, .max = LIMIT_MAX, .doc = "Newest first."),
    BP_OBJECT(struct page, meta, meta_fields),
    BP_END,
};

int todos_list(struct bp_request *rq, void *self, const void *stage)
{
    const struct todos *todos = self;
    (void)stage;
    const struct list_query *query = bp_query(rq);
    struct todo_page found;
    const bp_uuid *user_id;
    int status = todos_begin(todos, rq, &user_id);
    if (status == 0)
        status = todo_list(todos->db, user_id, query->page, query->limit, bp_arena(rq), &found);
    if (status < 0)
        return bp_trace(status);
    struct page page = {.data = found.items,
                        .meta = {.total_items = found.total,
                                 .total_pages = todo_page_count(found.total, query->limit),
                                 .current_page = query->page,
                                 .items_per_page = query->limit}};
    return bp_reply_object(rq, 200, "Todos retrieved successfully", list_reply, &page);
}
