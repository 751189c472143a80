/* SPDX-License-Identifier: MIT */
#include "backplane/iface/database.h"
#include "backplane/resource.h"
#include "backplane/status.h"
#include "lists.h"

static const char *const removals[] = {"keep", "delete", NULL};
const struct bp_field removal_query[] = {
    BP_CHOICE(struct removal_query, todos, .choices = removals, .def = "keep",
              .doc = "What becomes of the todos in it: keep takes them out of the list, delete deletes them."),
    BP_END};

struct row {
    bp_uuid id;
};
static const struct bp_field rows[] = {BP_UUID(struct row, id), BP_END};

/* From here on no todo gets into it: a todo's foreign key waits for the lock. */
static const struct bp_statement lock =
    BP_STATEMENT(.name = "lists.lock", .sql = "SELECT id FROM lists WHERE id = $1 AND user_id = $2",
                 .sql_postgres = "SELECT id FROM lists WHERE id = $1 AND user_id = $2 FOR UPDATE", .rows = rows,
                 .row_size = sizeof(struct row));
static const struct bp_statement keep =
    BP_STATEMENT(.name = "lists.keep_todos", .tag = "todos:user:$2",
                 .sql = "UPDATE todos SET list_id = NULL, version = version + 1, updated_at = max(updated_at + 1, $3)"
                        " WHERE list_id = $1 AND user_id = $2",
                 .sql_postgres =
                     "UPDATE todos SET list_id = NULL, version = version + 1, updated_at = greatest(updated_at +"
                     " interval '1 millisecond', $3) WHERE list_id = $1 AND user_id = $2");
static const struct bp_statement drop = BP_STATEMENT(.name = "lists.delete_todos", .tag = "todos:user:$2",
                                                     .sql = "DELETE FROM todos WHERE list_id = $1 AND user_id = $2");

/* The list's own deletion, with its conditions and its reply, is that of every resource. */
static int empty_and_remove(struct bp_request *rq, void *self, const void *stage, struct bp_tx *tx)
{
    const struct lists *lists = self;
    const struct removal_query *query = bp_query(rq);
    struct bp_db_value values[] = {bp_db_uuid(bp_param_uuid(rq, "id")), bp_db_uuid(&bp_identity(rq)->user_id),
                                   bp_db_date(bp_date_now())};
    struct bp_result result;
    int status = bp_db_query(lists->db, tx, &lock, values, 2, bp_arena(rq), &result);
    if (status == 0 && result.len > 0)
        status = query->todos == REMOVAL_DELETE ? bp_db_query(lists->db, tx, &drop, values, 2, NULL, NULL)
                                                : bp_db_query(lists->db, tx, &keep, values, 3, NULL, NULL);
    if (status != 0)
        return status < 0 ? status : BP_ERROR;
    struct bp_tx *before = bp_db_enlist(tx);
    status = bp_resource_delete(rq, self, stage);
    (void)bp_db_enlist(before);
    return status;
}

int lists_remove(struct bp_request *rq, void *self, const void *stage)
{
    const struct lists *lists = self;
    struct bp_tx *tx;
    if (!bp_identity(rq))
        return bp_resource_delete(rq, self, stage); /* which says what is wrong */
    int status = bp_db_begin(lists->db, &tx);
    if (status < 0)
        return status;
    status = empty_and_remove(rq, self, stage, tx);
    if (status == 0 && bp_reply_status(rq) < 400)
        return bp_db_commit(lists->db, tx);
    bp_db_rollback(lists->db, tx);
    return status;
}
