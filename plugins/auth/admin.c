/* SPDX-License-Identifier: MIT */
/* GET /api/v1/admin/users, GET and PATCH /api/v1/admin/users/{id}: accounts as those see them who look after them. */
#include "audit.h"
#include "backplane/resource.h"

#include "account.h"
#include "auth.h"
#include "session.h"

struct user {
    uint64_t set, null;
    bp_uuid id;
    bp_str email;
    uint32_t role;
    bool disabled;
    bp_date email_verified_at, created_at, updated_at;
};

static const char *const roles[] = {"user", "admin", NULL};

const struct bp_field admin_user_reply[] = {
    BP_PRESENCE(struct user, set, null),
    BP_UUID(struct user, id, .flags = BP_READ_ONLY),
    BP_TEXT(struct user, email, .flags = BP_READ_ONLY | BP_FILTER | BP_SORT),
    BP_CHOICE(struct user, role, .choices = roles, .def = "user", .flags = BP_FILTER | BP_SORT,
              .doc = "What the account may do."),
    BP_BOOL(struct user, disabled, .def = "false", .flags = BP_FILTER,
            .doc = "It cannot log in, and has no sessions. Setting it ends them."),
    BP_DATE(struct user, email_verified_at, .flags = BP_NULLABLE | BP_READ_ONLY | BP_FILTER,
            .doc = "Since when the address is known to be its owner's."),
    BP_DATE(struct user, created_at, .flags = BP_READ_ONLY | BP_FILTER | BP_SORT),
    BP_DATE(struct user, updated_at, .flags = BP_READ_ONLY | BP_FILTER | BP_SORT),
    BP_END,
};

/* Of the route whose handler is ours; the others' follow from the resource. */
const struct bp_field admin_user_params[] = {
    BP_UUID(struct bp_resource_params, id, .flags = BP_REQUIRED, .invalid = "Invalid user ID format",
            .doc = "The identifier."),
    BP_END,
};

const struct bp_field admin_user_body[] = {
    BP_CHOICE(struct user, role, .choices = roles, .doc = "What the account may do."),
    BP_BOOL(struct user, disabled, .doc = "It cannot log in, and has no sessions. Setting it ends them."),
    BP_END,
};

/* Nobody locks themselves out: so there is always somebody left who can. */
static int before_write(struct bp_request *rq, void *self, uint32_t write, const bp_uuid *id, void *object)
{
    const struct auth *auth = self;
    const struct user *user = object;
    struct auth_slot *slot = bp_slot(rq, auth->slot);
    (void)write;
    if (bp_uuid_eq(id, &bp_identity(rq)->user_id)) {
        int status = bp_fail(rq, 409, "user.own_account", "Another administrator must change your account");
        return status < 0 ? status : BP_REFUSED;
    }
    slot->disables = user->disabled;
    return 0;
}

static const struct bp_resource_filter filters[] = {
    BP_RESOURCE_FILTER(.name = "contains", .type = BP_TYPE_TEXT, .doc = "A part of the e-mail address.",
                       .sql = "instr(email, lower({value})) > 0",
                       .sql_postgres = "position(lower({value}) in email) > 0"),
    BP_RESOURCE_FILTER_END,
};

const struct bp_resource admin_users =
    BP_RESOURCE(.name = "user", .plural = "users", .table = "users", .fields = admin_user_reply,
                .object_size = sizeof(struct user), .db = offsetof(struct auth, db), .created = "created_at",
                .updated = "updated_at", .sort = "-createdAt", .filters = filters, .before_write = before_write);

static int end_tokens(const struct auth *auth, struct bp_tx *tx, const bp_uuid *user_id)
{
    int status = session_end_all(auth->db, tx, user_id);
    if (status == 0)
        status = account_end_tokens(auth->db, tx, user_id, bp_date_now());
    return status > 0 ? BP_ERROR : status;
}

/* With the sessions of an account that is disabled, or not at all. */
int admin_user_update(struct bp_request *rq, void *self, const void *stage)
{
    struct auth *auth = self;
    const struct auth_slot *slot = bp_slot(rq, auth->slot);
    struct bp_tx *tx;
    bp_str body;
    int status = bp_body(rq, &body); /* no transaction waits for a client */
    if (status == 0)
        status = bp_db_begin(auth->db, &tx);
    if (status != 0)
        return bp_trace(status);
    struct bp_tx *before = bp_db_enlist(tx);
    status = bp_resource_update(rq, self, stage);
    (void)bp_db_enlist(before);
    if (status == 0 && bp_reply_status(rq) == 200 && slot->disables)
        status = end_tokens(auth, tx, bp_param_uuid(rq, "id"));
    if (status < 0 && status != BP_REFUSED) {
        bp_db_rollback(auth->db, tx);
        return bp_trace(status);
    }
    /* What was refused has written nothing; and there may be a stage whose transaction this is a part of. */
    int committed = bp_db_commit(auth->db, tx);
    if (committed == 0 && status == 0 && bp_reply_status(rq) == 200)
        audit_by(auth, rq, "auth.account_changed", "An administrator changed the role or state of an account",
                 "target_user_id", bp_param_uuid(rq, "id"));
    return bp_trace(committed < 0 ? committed : status);
}
