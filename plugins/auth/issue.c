/* SPDX-License-Identifier: MIT */
#include "issue.h"

#include "token.h"

#define USER_AGENT_MAX 200

const struct bp_field token_reply[] = {
    BP_BOOL(struct token_pair, success),
    BP_TEXT(struct token_pair, message),
    BP_TEXT(struct token_pair, token, .doc = "To be sent as Authorization: Bearer."),
    BP_TEXT(struct token_pair, refresh_token, .doc = "For POST refresh, once."),
    BP_I64(struct token_pair, expires_in, .doc = "Seconds until the token expires."),
    BP_END,
};

/* What browsers send is ASCII; what is not would have to be valid UTF-8 to be kept. */
static bp_str printable(bp_str text, struct bp_arena *arena)
{
    size_t len = text.len < USER_AGENT_MAX ? text.len : USER_AGENT_MAX;
    char *copy = bp_arena_alloc(arena, len + 1);
    if (!copy)
        return bp_str_n(NULL, 0);
    for (size_t i = 0; i < len; i++)
        copy[i] = text.ptr[i] >= ' ' && text.ptr[i] <= '~' ? text.ptr[i] : '?';
    return bp_str_n(copy, len);
}

static int client_of(struct bp_request *rq, struct session_client *ret_client)
{
    bp_str user_agent = bp_request_header(rq, BP_STR("user-agent"));
    *ret_client =
        (struct session_client){.user_agent = printable(user_agent, bp_arena(rq)), .address = bp_request_client(rq)};
    return ret_client->user_agent.ptr ? 0 : BP_NOMEM;
}

/* A session is not forgotten before its tokens have expired. */
static bp_date end_of_session(const struct auth *auth, bp_date now)
{
    bp_span span = auth->refresh_expires_in > auth->expires_in ? auth->refresh_expires_in : auth->expires_in;
    return now + span / BP_MILLISECOND;
}

static int make_pair(const struct auth *auth, struct bp_arena *arena, const struct session *session,
                     const struct refresh_token *token, bp_date now, const char *message, struct token_pair *ret_pair)
{
    char text[REFRESH_TOKEN_LEN + 1];
    struct token_pair pair = {
        .success = true, .message = bp_str_of(message), .expires_in = auth->expires_in / BP_SECOND};
    refresh_token_format(token, text);
    pair.refresh_token = bp_arena_copy(arena, bp_str_of(text));
    if (!pair.refresh_token.ptr)
        return BP_NOMEM;
    int status = token_make(key_ring_signer(&auth->key_ring), &session->user_id, &session->id, now, auth->expires_in,
                            arena, &pair.token);
    if (status == 0)
        *ret_pair = pair;
    return status;
}

int issue_new(struct auth *auth, struct bp_request *rq, struct bp_tx *tx, const bp_uuid *user_id, const char *message,
              struct token_pair *ret_pair)
{
    struct session_client client;
    struct refresh_token token;
    int status = client_of(rq, &client);
    if (status < 0)
        return status;
    bp_date now = bp_date_now();
    struct session session = {.id = bp_uuid_new(),
                              .user_id = *user_id,
                              .created_at = now,
                              .last_used_at = now,
                              .expires_at = end_of_session(auth, now),
                              .user_agent = client.user_agent,
                              .address = client.address};
    refresh_token_new(&token);
    status = session_create(auth->db, tx, &session, &token);
    return status != 0 ? status : make_pair(auth, bp_arena(rq), &session, &token, now, message, ret_pair);
}

int issue_again(struct auth *auth, struct bp_request *rq, const struct refresh_token *token, const char *message,
                struct session *ret_session, struct token_pair *ret_pair)
{
    struct session_client client;
    struct refresh_token next;
    int status = client_of(rq, &client);
    if (status < 0)
        return status;
    bp_date now = bp_date_now();
    status = session_rotate(auth->db, token, &client, now, end_of_session(auth, now), auth->refresh_grace, bp_arena(rq),
                            &next, ret_session);
    return status != 0 ? status : make_pair(auth, bp_arena(rq), ret_session, &next, now, message, ret_pair);
}
