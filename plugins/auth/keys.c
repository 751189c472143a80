/* SPDX-License-Identifier: MIT */
/* GET and POST /api/v1/auth/keys, DELETE /api/v1/auth/keys/{id} */
#include "api_key.h"
#include "audit.h"
#include "auth.h"

#define SCOPES_MAX 32
#define SCOPE_MAX 64
#define KEYS_MAX 100

const struct bp_field key_params[] = {
    BP_UUID(struct session_params, id, .flags = BP_REQUIRED, .invalid = "Invalid key ID format",
            .doc = "The identifier."),
    BP_END,
};

/* "todos:read": what a route asks for. */
static void check_scope(const struct bp_field *row, const void *value, struct bp_problems *problems)
{
    bp_str scope = *(const bp_str *)value;
    size_t colons = 0;
    bool fine = scope.len > 0 && scope.ptr[0] != ':' && scope.ptr[scope.len - 1] != ':';
    for (size_t i = 0; i < scope.len && fine; i++) {
        char c = scope.ptr[i];
        colons += c == ':';
        fine = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-' || c == ':';
    }
    if (!fine || colons != 1)
        bp_problem_add(problems, row, "key.scope", "Scopes must look like todos:read");
}

static void check_future(const struct bp_field *row, const void *value, struct bp_problems *problems)
{
    if (*(const bp_date *)value <= bp_date_now())
        bp_problem_add(problems, row, "key.expired", "Expires at must be in the future");
}

static const char *const scope_patterns[] = {"^[a-z0-9_-]+:[a-z0-9_-]+$", NULL};

static const struct bp_field scope_rows[] = {
    {.name = "",
     .label = "Scope",
     .type = BP_TYPE_TEXT,
     .min = 1,
     .max = SCOPE_MAX,
     .check = check_scope,
     .patterns = scope_patterns,
     .example = "todos:read"},
    BP_END,
};

struct key_request {
    uint64_t set, null;
    bp_str name;
    struct bp_array scopes; /* of bp_str */
    bp_date expires_at;
};

const struct bp_field key_body[] = {
    BP_PRESENCE(struct key_request, set, null),
    BP_TEXT(struct key_request, name, .flags = BP_REQUIRED | BP_TRIM, .min = 1, .max = 100, .doc = "What it is for.",
            .example = "Nightly backup"),
    BP_ARRAY(struct key_request, scopes, bp_str, scope_rows, .flags = BP_REQUIRED, .min = 1, .max = SCOPES_MAX,
             .doc = "What it may do, and nothing else."),
    BP_DATE(struct key_request, expires_at, .flags = BP_NULLABLE, .check = check_future,
            .doc = "When it ends; null or left out: never."),
    BP_END,
};

struct key_view {
    uint64_t set, null;
    bp_uuid id;
    bp_str name, prefix;
    struct bp_array scopes;
    bp_date created_at, expires_at, last_used_at;
    bp_str key;
};
enum { VIEW_EXPIRES = 5, VIEW_LAST_USED = 6, VIEW_KEY = 7 }; /* rows after the first */

const struct bp_field key_fields[] = {
    BP_PRESENCE(struct key_view, set, null),
    BP_UUID(struct key_view, id),
    BP_TEXT(struct key_view, name),
    BP_TEXT(struct key_view, prefix, .doc = "How it begins, behind \"bpk_\": to tell keys apart."),
    BP_ARRAY(struct key_view, scopes, bp_str, scope_rows, .max = SCOPES_MAX),
    BP_DATE(struct key_view, created_at),
    BP_DATE(struct key_view, expires_at, .flags = BP_NULLABLE),
    BP_DATE(struct key_view, last_used_at, .flags = BP_NULLABLE, .doc = "To the minute."),
    BP_TEXT(struct key_view, key, .doc = "The key itself; only in the answer to its creation."),
    BP_END,
};

struct key_list {
    bool success;
    bp_str message;
    struct bp_array data;
};

const struct bp_field keys_reply[] = {
    BP_BOOL(struct key_list, success),
    BP_TEXT(struct key_list, message),
    BP_ARRAY(struct key_list, data, struct key_view, key_fields, .max = KEYS_MAX),
    BP_END,
};

/* In the arena. BP_NOMEM or 0. */
static int split_scopes(bp_str text, struct bp_arena *arena, struct bp_array *ret_scopes)
{
    bp_str *scopes = bp_arena_array(arena, SCOPES_MAX, sizeof(*scopes));
    size_t count = 0;
    if (!scopes)
        return BP_NOMEM;
    while (text.len > 0 && count < SCOPES_MAX) {
        const char *space = memchr(text.ptr, ' ', text.len);
        size_t len = space ? (size_t)(space - text.ptr) : text.len;
        scopes[count++] = bp_str_n(text.ptr, len);
        size_t skip = len < text.len ? len + 1 : len;
        text = bp_str_n(text.ptr + skip, text.len - skip);
    }
    *ret_scopes = (struct bp_array){scopes, count};
    return 0;
}

static int join_scopes(struct bp_array scopes, struct bp_arena *arena, bp_str *ret_text)
{
    char *text = bp_arena_alloc(arena, scopes.len * (SCOPE_MAX + 1) + 1), *at = text;
    if (!text)
        return BP_NOMEM;
    for (size_t i = 0; i < scopes.len; i++) {
        bp_str scope = ((const bp_str *)scopes.ptr)[i];
        if (i > 0)
            *at++ = ' ';
        memcpy(at, scope.ptr, scope.len);
        at += scope.len;
    }
    *ret_text = bp_str_n(text, (size_t)(at - text));
    return 0;
}

static int view_of(const struct api_key *key, struct bp_arena *arena, struct key_view *ret_view)
{
    *ret_view = (struct key_view){.set = ~(UINT64_C(1) << VIEW_KEY),
                                  .id = key->id,
                                  .name = key->name,
                                  .prefix = key->prefix,
                                  .created_at = key->created_at,
                                  .expires_at = key->expires_at,
                                  .last_used_at = key->last_used_at};
    ret_view->null |= (uint64_t)(key->expires_at == 0) << VIEW_EXPIRES;
    ret_view->null |= (uint64_t)(key->last_used_at == 0) << VIEW_LAST_USED;
    return split_scopes(key->scopes, arena, &ret_view->scopes);
}

static int never_store(struct bp_request *rq)
{
    return bp_header_set(rq, BP_STR("Cache-Control"), BP_STR("no-store"));
}

int keys_list(struct bp_request *rq, void *self, const void *stage)
{
    struct auth *auth = self;
    (void)stage;
    struct bp_array keys;
    int status = never_store(rq);
    if (status == 0)
        status = api_key_list(auth->db, &bp_identity(rq)->user_id, bp_arena(rq), &keys);
    if (status < 0)
        return bp_trace(status);
    struct key_view *views = bp_arena_array(bp_arena(rq), keys.len + 1, sizeof(*views));
    if (!views)
        return BP_NOMEM;
    for (size_t i = 0; i < keys.len && status == 0; i++)
        status = view_of(&((const struct api_key *)keys.ptr)[i], bp_arena(rq), &views[i]);
    if (status < 0)
        return bp_trace(status);
    const struct key_list reply = {
        .success = true, .message = BP_STR("Keys retrieved successfully"), .data = {views, keys.len}};
    return bp_reply_json(rq, 200, keys_reply, &reply);
}

int keys_create(struct bp_request *rq, void *self, const void *stage)
{
    struct auth *auth = self;
    (void)stage;
    struct key_request request;
    struct key_view view;
    int status = never_store(rq);
    if (status == 0)
        status = bp_body_object(rq, key_body, &request);
    if (status < 0)
        return bp_trace(status);
    struct api_key_text made = api_key_make();
    struct api_key key = {.id = bp_uuid_new(),
                          .user_id = bp_identity(rq)->user_id,
                          .name = request.name,
                          .prefix = bp_str_n(made.text + 4, API_KEY_PREFIX),
                          .secret_hash = bp_str_n(made.hash, API_KEY_HASH),
                          .created_at = bp_date_now(),
                          .expires_at = request.expires_at};
    status = join_scopes(request.scopes, bp_arena(rq), &key.scopes);
    if (status == 0)
        status = api_key_create(auth->db, &key, KEYS_MAX);
    if (status == API_KEY_E_FULL)
        return bp_fail(rq, 409, "key.too_many", "Too many keys: delete one first");
    if (status == API_KEY_E_MISSING)
        return identity_gone(auth, rq);
    if (status == 0)
        status = view_of(&key, bp_arena(rq), &view);
    if (status < 0)
        return bp_trace(status);
    audit_by(auth, rq, "auth.key_created", "A key was created", "key_id", &key.id);
    view.set = UINT64_MAX;
    view.key = bp_str_n(made.text, API_KEY_LEN);
    return bp_reply_object(rq, 201, "Key created successfully", key_fields, &view);
}

int keys_delete(struct bp_request *rq, void *self, const void *stage)
{
    struct auth *auth = self;
    (void)stage;
    int status = never_store(rq);
    if (status == 0)
        status = api_key_delete(auth->db, &bp_identity(rq)->user_id, bp_param_uuid(rq, "id"));
    if (status == API_KEY_E_MISSING)
        return bp_fail(rq, 404, "key.not_found", "Key not found");
    if (status < 0)
        return bp_trace(status);
    audit_by(auth, rq, "auth.key_deleted", "A key was deleted", "key_id", bp_param_uuid(rq, "id"));
    return bp_reply_message(rq, 200, "Key deleted successfully");
}
