/* SPDX-License-Identifier: MIT */
/* What todo.c asks of a database, and makes of its answers. */
#include <criterion/criterion.h>

#include "backplane/status.h"
#include "todo.h"

/* A database that records the last call and gives prepared answers, one after the other. */
struct fake {
    struct {
        int status;
        void *rows;
        size_t len;
        int64_t changes;
    } answers[2];
    unsigned calls;
    const struct bp_statement *statement;
    struct bp_db_value values[8];
    size_t count;
};

static int fake_query(void *self, struct bp_db_tx *tx, const struct bp_statement *statement,
                      const struct bp_db_value *values, size_t count, struct bp_arena *arena,
                      struct bp_result *ret_result)
{
    struct fake *fake = self;
    (void)tx;
    cr_assert(count <= 8 && fake->calls < 2);
    cr_assert(arena || !statement->rows);
    fake->statement = statement;
    memcpy(fake->values, values, count * sizeof(*values));
    fake->count = count;
    unsigned call = fake->calls++;
    if (fake->answers[call].status == 0 && ret_result)
        *ret_result = (struct bp_result){
            .rows = fake->answers[call].rows, .len = fake->answers[call].len, .changes = fake->answers[call].changes};
    return fake->answers[call].status;
}

static const struct bp_database_vtable vtable = {.size = sizeof(vtable), .query = fake_query};
/* Never looked into. */
static struct bp_arena *const arena = (struct bp_arena *)8;
static const bp_uuid user = {{1}}, id = {{2}};

static struct bp_service service(struct fake *fake)
{
    return (struct bp_service){&vtable, fake};
}

Test(todo, create)
{
    static const struct {
        int answer, status;
    } cases[] = {{0, 0},
                 {BP_DB_FOREIGN, TODO_E_NO_ACCOUNT},
                 {BP_DB_CHECK, BP_ERROR},
                 {BP_DB_UNIQUE, BP_ERROR},
                 {BP_BUSY, BP_BUSY},
                 {BP_CANCELED, BP_CANCELED}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct fake fake = {.answers = {{.status = cases[i].answer}}};
        struct todo todo = {
            .id = id, .user_id = user, .title = BP_STR("x"), .completed = true, .created_at = 5, .updated_at = 5};
        cr_expect_eq(todo_create(service(&fake), &todo), cases[i].status, "answer %d", cases[i].answer);
        cr_expect_eq(fake.count, 5);
        cr_expect(bp_uuid_eq(&fake.values[0].as.uuid, &id) && bp_uuid_eq(&fake.values[3].as.uuid, &user));
        cr_expect_eq(fake.statement->flags, BP_SQL_BATCHABLE | BP_SQL_IDEMPOTENT);
    }
}

Test(todo, list)
{
    struct todo_listed rows[2] = {{.total = 12}, {.total = 12}};
    struct todo_page page;
    struct fake fake = {.answers = {{.rows = rows, .len = 2}}};
    cr_expect_eq(todo_list(service(&fake), &user, 6, 2, arena, &page), 0);
    cr_expect_eq(page.total, 12);
    cr_expect_eq(page.items.len, 2);
    cr_expect(page.items.ptr == rows);
    cr_expect_eq(fake.calls, 1);
    cr_expect_eq(fake.values[1].as.integer, 2);
    cr_expect_eq(fake.values[2].as.integer, 10);
    cr_expect_eq(fake.statement->flags, BP_SQL_READ);

    /* An empty first page says that there is nothing. */
    fake = (struct fake){0};
    cr_expect_eq(todo_list(service(&fake), &user, 1, 10, arena, &page), 0);
    cr_expect(page.total == 0 && page.items.len == 0 && fake.calls == 1);

    /* Behind the last page the total is asked for. The largest page does not overflow. */
    int64_t total = 7;
    fake = (struct fake){.answers = {{.len = 0}, {.rows = &total, .len = 1}}};
    cr_expect_eq(todo_list(service(&fake), &user, INT64_C(9007199254740991), 100, arena, &page), 0);
    cr_expect(page.total == 7 && page.items.len == 0 && fake.calls == 2);

    fake = (struct fake){.answers = {{.status = BP_TIMEOUT}}};
    cr_expect_eq(todo_list(service(&fake), &user, 1, 10, arena, &page), BP_TIMEOUT);
    fake = (struct fake){.answers = {{.len = 0}, {.status = BP_BUSY}}};
    cr_expect_eq(todo_list(service(&fake), &user, 2, 10, arena, &page), BP_BUSY);
}

Test(todo, update)
{
    struct todo row = {.title = BP_STR("new"), .updated_at = 9}, todo = {.updated_at = 1};
    bp_str title = BP_STR("new");
    bool completed = false;
    struct fake fake = {.answers = {{.rows = &row, .len = 1}}};
    struct todo_change change = {.title = &title};
    cr_expect_eq(todo_update(service(&fake), &user, &id, &change, 9, arena, &todo), 0);
    cr_expect_eq(todo.updated_at, 9);
    cr_expect(bp_str_is(fake.values[2].as.text, "new"));
    cr_expect_eq(fake.values[3].type, BP_TYPE_END);
    cr_expect(fake.statement->sql_postgres != NULL);

    fake = (struct fake){0};
    change = (struct todo_change){.completed = &completed};
    todo.updated_at = 1;
    cr_expect_eq(todo_update(service(&fake), &user, &id, &change, 9, arena, &todo), TODO_E_MISSING);
    cr_expect_eq(todo.updated_at, 1);
    cr_expect_eq(fake.values[2].type, BP_TYPE_END);
    cr_expect_eq(fake.values[3].type, BP_TYPE_BOOL);
}

Test(todo, find_and_delete)
{
    struct todo row = {.title = BP_STR("x")}, todo;
    struct fake fake = {.answers = {{.rows = &row, .len = 1}, {.len = 0}}};
    cr_expect_eq(todo_find(service(&fake), &user, &id, arena, &todo), 0);
    cr_expect(bp_str_is(todo.title, "x"));
    cr_expect_eq(todo_find(service(&fake), &user, &id, arena, &todo), TODO_E_MISSING);

    fake = (struct fake){.answers = {{.changes = 1}, {.changes = 0}}};
    cr_expect_eq(todo_delete(service(&fake), &user, &id), 0);
    cr_expect_eq(todo_delete(service(&fake), &user, &id), TODO_E_MISSING);
    fake = (struct fake){.answers = {{.status = BP_BUSY}}};
    cr_expect_eq(todo_delete(service(&fake), &user, &id), BP_BUSY);
}

Test(todo, page_count)
{
    static const struct {
        int64_t total, limit, pages;
    } cases[] = {{0, 10, 0},  {1, 10, 1},    {9, 10, 1},    {10, 10, 1},
                 {11, 10, 2}, {100, 1, 100}, {101, 100, 2}, {INT64_MAX, 1, INT64_MAX}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        cr_expect_eq(todo_page_count(cases[i].total, cases[i].limit), cases[i].pages, "%lld by %lld",
                     (long long)cases[i].total, (long long)cases[i].limit);
}
