/* SPDX-License-Identifier: MIT */
/* todos: each account's list of things to do. */
#include "backplane/backplane.h"
#include "backplane/iface/database.h"
#include "backplane/iface/identity.h"
#include "backplane/iface/todos.h"
#include "backplane/resource.h"
#include "backplane/status.h"
#include "recurrence.h"
#include "search.h"
#include "todos_migrations.h"

struct todos {
    struct bp_service db, identity;
};

struct todo {
    uint64_t set, null;
    bp_uuid id;
    bp_str title;
    bool completed;
    bp_uuid user_id;
    bp_date created_at, updated_at;
    bp_str description;
    uint32_t priority;
    bp_date due_at, completed_at;
    int64_t version;
    bp_uuid list_id;
    struct bp_array tags;
    double position;
    bp_date remind_at;
    bp_str recurrence;
};

static const struct bp_field tag_rows[] = {
    {.name = "", .type = BP_TYPE_TEXT, .label = "Tag", .flags = BP_TRIM, .min = 1, .max = 50}, BP_END};

static void check_recurrence(const struct bp_field *row, const void *value, struct bp_problems *problems)
{
    const bp_str *text = value;
    struct recurrence rule;
    struct recurrence_problem problem;
    if (text->len > 0 && !recurrence_parse(*text, &rule, &problem))
        bp_problem_add(problems, row, problem.code, problem.message);
}

static const struct bp_field fields[] = {
    BP_PRESENCE(struct todo, set, null),
    BP_UUID(struct todo, id, .flags = BP_READ_ONLY),
    BP_TEXT(struct todo, title, .flags = BP_REQUIRED | BP_TRIM | BP_SORT, .min = 1, .max = 500, .doc = "What to do.",
            .example = "Buy milk"),
    BP_BOOL(struct todo, completed, .def = "false", .flags = BP_FILTER | BP_SORT, .doc = "Whether it is done."),
    BP_UUID(struct todo, user_id, .flags = BP_READ_ONLY, .doc = "Whose it is."),
    BP_DATE(struct todo, created_at, .flags = BP_READ_ONLY | BP_FILTER | BP_SORT),
    BP_DATE(struct todo, updated_at, .flags = BP_READ_ONLY | BP_FILTER | BP_SORT),
    BP_TEXT(struct todo, description, .flags = BP_NULLABLE | BP_TRIM, .max = 10000, .doc = "More about it."),
    BP_U32(struct todo, priority, .def = "0", .max = 4, .flags = BP_FILTER | BP_SORT, .doc = "4 is the most urgent."),
    BP_DATE(struct todo, due_at, .flags = BP_NULLABLE | BP_FILTER | BP_SORT, .doc = "Until when."),
    BP_DATE(struct todo, completed_at, .flags = BP_NULLABLE | BP_READ_ONLY | BP_FILTER | BP_SORT,
            .doc = "Since when it is done."),
    BP_I64(struct todo, version, .flags = BP_READ_ONLY, .doc = "Counts changes; the ETag."),
    BP_UUID(struct todo, list_id, .flags = BP_NULLABLE | BP_FILTER, .doc = "The list that it is in; null: none."),
    BP_ARRAY(struct todo, tags, bp_str, tag_rows, .max = 20, .doc = "Words to find it by."),
    BP_F64(
        struct todo, position, .flags = BP_READ_ONLY | BP_SORT,
        .doc =
            "Its place in the order that the account gives its todos, by moving them; new ones are behind all others."),
    BP_DATE(struct todo, remind_at, .flags = BP_NULLABLE | BP_FILTER | BP_SORT,
            .doc = "When to be reminded of it; null: when it is due, if at all."),
    BP_TEXT(struct todo, recurrence, .flags = BP_NULLABLE, .min = 1, .max = 200, .check = check_recurrence,
            .patterns = recurrence_patterns, .example = "FREQ=WEEKLY;BYDAY=MO,TH",
            .doc = "That it comes back when it is done, and when: a rule as in RFC 5545, in UTC, of FREQ=DAILY, "
                   "WEEKLY, MONTHLY or "
                   "YEARLY, INTERVAL, BYDAY (with WEEKLY), and COUNT or UNTIL. Kept with its parts in this order."),
    BP_END,
};

static const struct bp_resource_computed computed[] = {
    BP_COMPUTED(.member = "completed_at", .insert_when = "completed",
                .update = "CASE WHEN {completed} THEN coalesce(completed_at, {now}) END"),
    BP_COMPUTED(.member = "text_stale", .update = "text_stale OR title <> {title} OR description IS NOT {description}",
                .update_postgres = "text_stale OR title <> {title} OR description IS DISTINCT FROM {description}"),
    BP_COMPUTED_END,
};

static const struct bp_resource_filter filters[] = {
    BP_RESOURCE_FILTER(.name = "tag", .type = BP_TYPE_TEXT, .doc = "A tag that it has.",
                       .sql = "EXISTS (SELECT 1 FROM json_each(tags) WHERE json_each.value = {value})",
                       .sql_postgres = "tags @> jsonb_build_array({value}::text)"),
    BP_RESOURCE_FILTER_END,
};

/* A list of another account does not exist. */
static const struct bp_statement find_list =
    BP_STATEMENT(.name = "todos.find_list", .flags = BP_SQL_READ,
                 .sql = "SELECT id FROM lists WHERE id = $1 AND user_id = $2",
                 .rows = (const struct bp_field[]){BP_UUID(struct todo, id), BP_END}, .row_size = sizeof(struct todo));

/* A rule that was checked, as it is kept. False: out of memory. */
static bool write_down(bp_str *text, struct bp_arena *arena)
{
    char space[RECURRENCE_MAX];
    struct recurrence rule;
    struct recurrence_problem problem;
    if (recurrence_parse(*text, &rule, &problem))
        *text = bp_arena_copy(arena, recurrence_format(&rule, space));
    return text->ptr != NULL;
}

static int before_write(struct bp_request *rq, void *self, uint32_t write, const bp_uuid *id, void *object)
{
    const struct todos *todos = self;
    struct todo *todo = object;
    struct bp_result result;
    (void)id;
    if (write == BP_WRITE_DELETE)
        return 0;
    if (todo->recurrence.ptr && !write_down(&todo->recurrence, bp_arena(rq)))
        return BP_NOMEM;
    if (!bp_is_set(fields, todo, "list_id") || bp_is_null(fields, todo, "list_id"))
        return 0;
    int status = bp_db_query(todos->db, NULL, &find_list,
                             BP_VALUES(bp_db_uuid(&todo->list_id), bp_db_uuid(&bp_identity(rq)->user_id)), bp_arena(rq),
                             &result);
    if (status != 0 || result.len > 0)
        return status > 0 ? BP_ERROR : status;
    status = bp_fail(rq, 404, "list.not_found", "List not found");
    return status < 0 ? status : BP_REFUSED;
}

static int before_search(struct bp_request *rq, void *self, const bp_uuid *owner)
{
    const struct todos *todos = self;
    return search_refresh(todos->db, owner, bp_arena(rq));
}

static const struct bp_answer answers[] = {
    BP_ANSWER(.status = 404, .code = "list.not_found", .message = "List not found",
              .doc = "The account has no such list."),
    BP_ANSWER_END,
};

static const struct bp_resource todos =
    BP_RESOURCE(.name = "todo", .plural = "todos", .table = "todos", .fields = fields,
                .object_size = sizeof(struct todo), .db = offsetof(struct todos, db),
                .identity = offsetof(struct todos, identity), .owner = "user_id", .version = "version",
                .created = "created_at", .updated = "updated_at", .sort = "-createdAt", .computed = computed,
                .lenient_paging = 1, .filters = filters, .before_write = before_write, .answers = answers,
                .position = "position", .move_into = "list_id", .before_search = before_search,
                .search =
                    "id IN (SELECT ids.todo_id FROM todos_text JOIN todos_text_ids ids ON ids.id = todos_text.rowid"
                    " WHERE todos_text MATCH 'u' || lower(hex({owner})) || ' AND (' || {value} || ')')",
                .search_postgres =
                    "text_words @@ (('u' || replace({owner}::text, '-', ''))::tsquery &&"
                    " plainto_tsquery('simple', {value})) AND numnode(plainto_tsquery('simple', {value})) > 0");

static const struct bp_need needs[] = {
    BP_NEED(BP_DATABASE, BP_DATABASE_VERSION, struct todos, db),
    BP_NEED(BP_IDENTITY, BP_IDENTITY_VERSION, struct todos, identity),
    BP_NEED_END,
};

/* See bp_todos_next(). */
static int next(bp_str text, bp_date from, bp_date after, bp_date *ret_next, char ret_rule[BP_TODOS_RULE_MAX])
{
    struct recurrence rule;
    struct recurrence_problem problem;
    if (!recurrence_parse(text, &rule, &problem))
        return BP_MISUSE;
    if (!recurrence_next(&rule, from, after, ret_next))
        return BP_TODOS_E_ENDED;
    rule.count -= rule.count > 0 ? 1 : 0;
    (void)recurrence_format(&rule, ret_rule);
    return 0;
}

_Static_assert(RECURRENCE_MAX == BP_TODOS_RULE_MAX, "what recurrence_format() writes fits");
static const struct bp_todos_vtable vtable = {.size = sizeof(struct bp_todos_vtable), .next = next};
static const struct bp_provide provides[] = {BP_PROVIDE(BP_TODOS, BP_TODOS_VERSION, &vtable), BP_PROVIDE_END};

static const struct bp_route routes[] = {
    BP_RESOURCE_ROUTES("/api/v1/todos", &todos),
    BP_RESOURCE_ROUTE(BP_POST, "/api/v1/todos/{id}/move", &todos, bp_resource_move),
    BP_ROUTE_END,
};

BP_PLUGIN(.name = "todos", .version = "1.0.0", .doc = "Each account's list of things to do.",
          .self_size = sizeof(struct todos), .needs = needs, .provides = provides, .routes = routes,
          .migrations = todos_migrations);
