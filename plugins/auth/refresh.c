/* SPDX-License-Identifier: MIT */
/* POST /api/v1/auth/refresh */
#include "audit.h"
#include "issue.h"

struct refresh_request {
    bp_str refresh_token;
};

const struct bp_field refresh_body[] = {
    BP_TEXT(struct refresh_request, refresh_token, .flags = BP_REQUIRED | BP_SECRET,
            .doc = "The one that was given last."),
    BP_END,
};

/* One answer for all that may be wrong with it. */
static int refuse(const struct auth *auth, struct bp_request *rq, enum attempt attempt)
{
    attempt_count(auth, attempt);
    int status = bp_header_set(rq, BP_STR("WWW-Authenticate"), BP_STR("Bearer realm=\"api\""));
    return status < 0 ? bp_trace(status)
                      : bp_fail(rq, 401, "auth.invalid_refresh_token", "Invalid or expired refresh token");
}

static void log_reuse(const struct auth *auth, const struct session *session)
{
    audit(auth, "auth.token_reused", "A used refresh token came again: its session was ended", AUDIT_DENIED,
          &session->user_id);
    char user_id[BP_UUID_LEN], id[BP_UUID_LEN];
    bp_uuid_format(&session->user_id, user_id);
    bp_uuid_format(&session->id, id);
    bp_log(
        auth->host, BP_LOG_WARN, "auth.refresh_token_reused", "A used refresh token came again: its session was ended",
        bp_log_str("user_id", bp_str_n(user_id, sizeof(user_id))), bp_log_str("session_id", bp_str_n(id, sizeof(id))));
}

int refresh(struct bp_request *rq, void *self, const void *stage)
{
    struct auth *auth = self;
    (void)stage;
    struct refresh_request body;
    struct refresh_token token;
    struct session session;
    struct token_pair pair;
    int status = bp_header_set(rq, BP_STR("Cache-Control"), BP_STR("no-store"));
    if (status == 0)
        status = bp_body_object(rq, refresh_body, &body);
    if (status < 0)
        return bp_trace(status);
    if (!refresh_token_parse(body.refresh_token, &token))
        return refuse(auth, rq, REFRESH_INVALID);
    status = issue_again(auth, rq, &token, "Token refreshed successfully", &session, &pair);
    if (status == SESSION_E_REUSED)
        log_reuse(auth, &session);
    if (status != 0)
        return status < 0 ? bp_trace(status)
                          : refuse(auth, rq, status == SESSION_E_REUSED ? REFRESH_REUSED : REFRESH_INVALID);
    attempt_count(auth, REFRESH_OK);
    return bp_reply_json(rq, 200, token_reply, &pair);
}
