/* SPDX-License-Identifier: MIT */
#include "authenticate_key.h"

#include <stdlib.h>

#include "api_key.h"
#include "token.h"

bool api_key_of(struct bp_request *rq, bp_str *ret_key)
{
    bp_str authorization = bp_request_header(rq, BP_STR("authorization")), key;
    if (authorization.ptr) {
        if (!bearer_token(authorization, &key) || !api_key_is(key))
            return false;
    } else {
        key = bp_request_header(rq, BP_STR("x-api-key"));
        if (!key.ptr)
            return false;
    }
    *ret_key = key;
    return true;
}

/* Behind the request, which does not wait for it. */
struct use {
    struct auth *auth;
    bp_uuid id;
    bp_date date;
};

static int note_use(void *argument)
{
    struct use use = *(struct use *)argument;
    free(argument);
    int status = api_key_note_use(use.auth->db, &use.id, use.date);
    return status < 0 ? status : 0;
}

static void note(struct auth *auth, const struct api_key *key, bp_date now)
{
    if (key->last_used_at > now - API_KEY_NOTE_EVERY / BP_MILLISECOND)
        return;
    struct use *use = malloc(sizeof(*use));
    if (!use)
        return;
    *use = (struct use){.auth = auth, .id = key->id, .date = now};
    if (bp_spawn(auth->host, "key_use", note_use, use, 10 * BP_SECOND) != 0)
        free(use);
}

int api_key_identify(struct auth *auth, struct bp_request *rq, bp_str text, bool fresh,
                     struct bp_identity *ret_identity, bp_date *ret_expires)
{
    bp_str prefix;
    char hash[API_KEY_HASH + 1];
    struct api_key key;
    bp_date now = bp_date_now();
    if (!api_key_parse(text, &prefix, hash))
        return API_KEY_E_MISSING;
    int status = api_key_find(auth->db, prefix, now, fresh, bp_arena(rq), &key);
    if (status != 0)
        return status;
    if (!bp_str_eq_secret(key.secret_hash, bp_str_n(hash, API_KEY_HASH)))
        return API_KEY_E_MISSING;
    note(auth, &key, now);
    *ret_identity = (struct bp_identity){.user_id = key.user_id, .role = key.role, .scopes = key.scopes};
    *ret_expires = key.expires_at;
    return 0;
}
