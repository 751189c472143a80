/* SPDX-License-Identifier: MIT */
/* POST /api/v1/auth/logout and logout-all; GET /api/v1/auth/sessions, DELETE /api/v1/auth/sessions/{id} */
#include "account.h"
#include "audit.h"
#include "auth.h"
#include "session.h"

#define SESSIONS_SHOWN 1000

const struct bp_field session_params[] = {
    BP_UUID(struct session_params, id, .flags = BP_REQUIRED, .invalid = "Invalid session ID format",
            .doc = "The identifier."),
    BP_END,
};

static const struct bp_field session_fields[] = {
    BP_UUID(struct session, id),
    BP_DATE(struct session, created_at, .doc = "When it began with a login."),
    BP_DATE(struct session, last_used_at, .doc = "When its refresh token was last used, or it began."),
    BP_DATE(struct session, expires_at, .doc = "When it ends unless it is used."),
    BP_TEXT(struct session, user_agent),
    BP_TEXT(struct session, address),
    BP_BOOL(struct session, current, .doc = "Whether it is that of the token of this request."),
    BP_END,
};

struct session_page {
    bool success;
    bp_str message;
    struct bp_array data;
};

const struct bp_field sessions_reply[] = {
    BP_BOOL(struct session_page, success),
    BP_TEXT(struct session_page, message),
    BP_ARRAY(struct session_page, data, struct session, session_fields, .max = SESSIONS_SHOWN),
    BP_END,
};

static int never_store(struct bp_request *rq)
{
    return bp_header_set(rq, BP_STR("Cache-Control"), BP_STR("no-store"));
}

int logout(struct bp_request *rq, void *self, const void *stage)
{
    struct auth *auth = self;
    (void)stage;
    const bp_uuid *session = request_session(auth, rq);
    int status = never_store(rq);
    /* Tokens without a session are not kept anywhere: only logout-all ends them. */
    if (status == 0 && session)
        status = session_end(auth->db, &bp_identity(rq)->user_id, session);
    if (status < 0)
        return bp_trace(status);
    if (session)
        audit_by(auth, rq, "auth.logout", "Logged out: a session was ended", "session_id", session);
    else
        audit(auth, "auth.logout", "Logged out without a session", AUDIT_OK, &bp_identity(rq)->user_id);
    forget_token(auth, rq);
    return bp_reply_message(rq, 200, "Logged out successfully");
}

/* Both in one transaction: no token may be left. */
static int end_everything(const struct auth *auth, const bp_uuid *user_id)
{
    struct bp_tx *tx;
    int status = bp_db_begin(auth->db, &tx);
    if (status != 0)
        return status;
    status = session_end_all(auth->db, tx, user_id);
    if (status == 0)
        status = account_end_tokens(auth->db, tx, user_id, bp_date_now());
    if (status >= 0) /* deleted meanwhile: nothing is left to end */
        return bp_db_commit(auth->db, tx);
    bp_db_rollback(auth->db, tx);
    return status;
}

int logout_all(struct bp_request *rq, void *self, const void *stage)
{
    struct auth *auth = self;
    (void)stage;
    int status = never_store(rq);
    if (status == 0)
        status = end_everything(auth, &bp_identity(rq)->user_id);
    if (status < 0)
        return bp_trace(status);
    audit(auth, "auth.logout_all", "All sessions of an account were ended", AUDIT_OK, &bp_identity(rq)->user_id);
    forget_token(auth, rq);
    return bp_reply_message(rq, 200, "Logged out everywhere");
}

int sessions_list(struct bp_request *rq, void *self, const void *stage)
{
    struct auth *auth = self;
    (void)stage;
    struct bp_array sessions;
    const bp_uuid *current = request_session(auth, rq);
    int status = never_store(rq);
    if (status == 0)
        status =
            session_list(auth->db, &bp_identity(rq)->user_id, bp_date_now(), SESSIONS_SHOWN, bp_arena(rq), &sessions);
    if (status < 0)
        return bp_trace(status);
    struct session *session = sessions.ptr;
    for (size_t i = 0; i < sessions.len; i++)
        session[i].current = current && bp_uuid_eq(&session[i].id, current);
    struct session_page page = {
        .success = true, .message = BP_STR("Sessions retrieved successfully"), .data = sessions};
    return bp_reply_json(rq, 200, sessions_reply, &page);
}

int sessions_end(struct bp_request *rq, void *self, const void *stage)
{
    struct auth *auth = self;
    (void)stage;
    const bp_uuid *id = bp_param_uuid(rq, "id"), *current = request_session(auth, rq);
    int status = never_store(rq);
    if (status == 0)
        status = session_end(auth->db, &bp_identity(rq)->user_id, id);
    if (status == SESSION_E_MISSING)
        return bp_fail(rq, 404, "session.not_found", "Session not found");
    if (status < 0)
        return bp_trace(status);
    audit_by(auth, rq, "auth.session_ended", "A session was ended by its owner", "session_id", id);
    if (current && bp_uuid_eq(current, id))
        forget_token(auth, rq);
    return bp_reply_message(rq, 200, "Session ended successfully");
}
