/* SPDX-License-Identifier: MIT */
/* auth: accounts with passwords, and Bearer tokens that say whose request it is. */
#include <sodium.h>
#include <stdlib.h>

#include "answers.h"
#include "auth.h"
#include "auth_migrations.h"
#include "backplane/iface/database.h"
#include "backplane/iface/http_client.h"
#include "backplane/iface/identity.h"
#include "backplane/iface/key_value.h"
#include "backplane/iface/mailer.h"
#include "backplane/iface/queue.h"
#include "backplane/resource.h"
#include "capacity.h"
#include "clean.h"

static const struct bp_field options[] = {
    BP_TEXT(struct auth, secret, .def = "", .flags = BP_SECRET,
            .doc = "Signs the tokens; 32 characters or more. Required in production. Empty in development: made "
                   "once and kept in the data folder, in jwt-secret."),
    BP_ARRAY(struct auth, keys, struct key_option, key_option_rows, .max = KEY_RING_MAX,
             .doc = "Keys with names, each a group of kid, algorithm (RS256, ES256, EdDSA or HS256) and private_key, "
                    "public_key or (HS256) secret. The first signs, all verify. Without any, secret signs; beside them "
                    "it verifies the tokens that name no key."),
    BP_ARRAY(struct auth, issuers, struct issuer_option, issuer_option_rows, .max = ISSUERS_MAX,
             .doc = "Others whose tokens are accepted (OpenID Connect providers), each a group of issuer, audience, "
                    "jwks_url and, if need be, algorithms, create_users, ca_file, refetch_after. Needs http_client."),
    BP_SPAN(struct auth, expires_in, .def = "1h", .min = BP_SECOND, .max = 3650 * BP_DAY,
            .doc = "How long a token is valid."),
    BP_SPAN(struct auth, refresh_expires_in, .def = "30d", .min = BP_MINUTE, .max = 3650 * BP_DAY,
            .doc = "How long a session lasts after its last login or refresh; never less than expires_in."),
    BP_SPAN(struct auth, refresh_grace, .def = "10s", .min = 0, .max = BP_MINUTE,
            .doc = "For how long a refresh token that was replaced still gets the one that replaced it: for two tabs, "
                   "and for replies "
                   "that were lost. After that it ends the session."),
    BP_U32(struct auth, sessions_max, .def = "1000", .min = 1, .max = 100000,
           .doc = "Sessions of one account; a login beyond them ends the one that was used longest ago."),
    BP_SPAN(struct auth, account_check_interval, .def = "1s", .min = 0, .max = BP_MINUTE,
            .doc = "How long a worker goes on believing that the account of a token exists, and its session, before it "
                   "asks the "
                   "database again; 0: it asks for each request."),
    BP_U32(struct auth, remembered_tokens, .def = "4096", .min = 16, .max = 1048576,
           .doc = "Verified tokens that each worker remembers, so that it need not verify them again."),
    BP_U32(struct auth, hash_slots, .def = "0", .min = 0, .max = 256,
           .doc = "Passwords hashed at one time by all workers together, 19 MiB each; 0: as many as half of the "
                  "memory limit holds, at most one per processor."),
    BP_U32(struct auth, hash_queue, .def = "64", .min = 0, .max = 4096,
           .doc = "Requests of all workers that may wait for a hash slot; what comes after them is answered with 503."),
    BP_BOOL(struct auth, password_composition, .def = "true",
            .doc = "Whether a new password must have an uppercase letter, a lowercase letter, a digit and a special "
                   "character; false: its length is enough."),
    BP_BOOL(struct auth, refuse_common_passwords, .def = "false",
            .doc =
                "Refuses the 3,000 most common passwords of eight characters or more as new ones, in whatever case."),
    BP_BOOL(struct auth, verify_email, .def = "false",
            .doc = "Sends a message to the address of a new account, to be verified; needs a mailer."),
    BP_TEXT(struct auth, reset_link, .def = "", .max = 1000,
            .doc = "What stands before the token in the message for a forgotten password: "
                   "\"https://app.example.com/reset?token=\"."),
    BP_TEXT(struct auth, verify_link, .def = "", .max = 1000,
            .doc = "The same in the message that verifies an address."),
    BP_SPAN(struct auth, reset_expires_in, .def = "1h", .min = BP_MINUTE, .max = 7 * BP_DAY,
            .doc = "How long a token for a forgotten password is valid."),
    BP_SPAN(struct auth, verify_expires_in, .def = "24h", .min = BP_MINUTE, .max = 30 * BP_DAY,
            .doc = "How long a token that verifies an address is valid."),
    BP_SPAN(struct auth, cleanup, .def = "1h", .min = BP_SECOND, .max = 30 * BP_DAY,
            .doc = "How often sessions and tokens of messages that have expired are deleted, and addresses that nobody "
                   "has logged "
                   "in from for 90 days; where there is a queue."),
    BP_U32(struct auth, login_max_failures, .def = "10", .min = 0, .max = 1000000,
           .doc = "Failed logins of an account in login_window, after which further ones are answered with 429, from "
                  "addresses that it has not logged in from before; and of an account at each address that it has. "
                  "0: none are counted."),
    BP_U32(struct auth, login_address_failures, .def = "100", .min = 0, .max = 1000000,
           .doc =
               "Failed logins from one address (IPv6: from a network of 64 bits) to all accounts that do not know it, "
               "in login_window; 0: any number."),
    BP_SPAN(struct auth, login_window, .def = "15m", .min = BP_SECOND, .max = BP_DAY,
            .doc = "How long failed logins are counted from the first one on; then the counting begins anew."),
    BP_U32(struct auth, login_counts, .def = "16384", .min = 64, .max = 4194304,
           .doc = "Accounts and addresses whose failed logins are counted at a time in this server's memory, 24 bytes "
                  "each. When there are more, the lowest counts are forgotten."),
    BP_END,
};

static const struct bp_need needs[] = {
    BP_NEED(BP_DATABASE, BP_DATABASE_VERSION, struct auth, db),
    BP_NEED(BP_MAILER, BP_MAILER_VERSION, struct auth, mailer, .optional = 1),
    BP_NEED(BP_KEY_VALUE, BP_KEY_VALUE_VERSION, struct auth, key_value, .optional = 1),
    BP_NEED(BP_HTTP_CLIENT, BP_HTTP_CLIENT_VERSION, struct auth, http_client, .optional = 1),
    BP_NEED(BP_QUEUE, BP_QUEUE_VERSION, struct auth, queue, .optional = 1),
    BP_NEED_END,
};

static const struct bp_identity_vtable identity = {
    .size = sizeof(identity), .gone = identity_gone, .check = identity_check};

static const struct bp_provide provides[] = {
    BP_PROVIDE(BP_IDENTITY, BP_IDENTITY_VERSION, &identity),
    BP_PROVIDE_END,
};

static const struct bp_route routes[] = {
    BP_ROUTE(.method = BP_POST, .path = "/api/v1/auth/sign-up", .handler = sign_up, .name = "auth.sign_up",
             .doc = "Makes an account.", .body = sign_up_body, .reply = sign_up_reply, .reply_status = 201,
             .answers = sign_up_answers),
    BP_ROUTE(.method = BP_POST, .path = "/api/v1/auth/login", .handler = login, .name = "auth.login",
             .doc = "Gives a token for an e-mail address and its password.", .body = login_body, .reply = login_reply,
             .reply_form = BP_REPLY_BARE, .answers = login_answers),
    BP_ROUTE(.method = BP_POST, .path = "/api/v1/auth/refresh", .handler = refresh, .name = "auth.refresh",
             .doc = "Gives a new token, and a new refresh token for the one that is used up.", .body = refresh_body,
             .reply = token_reply, .reply_form = BP_REPLY_BARE, .answers = refresh_answers),
    BP_ROUTE(.method = BP_POST, .path = "/api/v1/auth/logout", .handler = logout, .name = "auth.logout",
             .doc = "Ends the session of the token.", .role = "user"),
    BP_ROUTE(.method = BP_POST, .path = "/api/v1/auth/logout-all", .handler = logout_all, .name = "auth.logout_all",
             .doc = "Ends every session of the account.", .role = "user"),
    BP_ROUTE(.method = BP_GET, .path = "/api/v1/auth/sessions", .handler = sessions_list, .name = "auth.sessions",
             .doc = "The sessions of the account, the last used first.", .reply = sessions_reply,
             .reply_form = BP_REPLY_BARE, .role = "user"),
    BP_ROUTE(.method = BP_DELETE, .path = "/api/v1/auth/sessions/{id}", .handler = sessions_end,
             .name = "auth.session_end", .doc = "Ends one session of the account.", .params = session_params,
             .params_size = sizeof(struct session_params), .role = "user", .answers = session_end_answers),
    BP_ROUTE(.method = BP_GET, .path = "/api/v1/auth/me", .handler = me_get, .name = "auth.me", .doc = "The account.",
             .reply = me_reply, .role = "user"),
    BP_ROUTE(.method = BP_PATCH, .path = "/api/v1/auth/me", .handler = me_update, .name = "auth.me_update",
             .doc = "Changes the e-mail address of the account.", .body = me_update_body, .reply = me_reply,
             .role = "user", .answers = me_update_answers),
    BP_ROUTE(.method = BP_DELETE, .path = "/api/v1/auth/me", .handler = me_delete, .name = "auth.me_delete",
             .doc = "Deletes the account and all of its data.", .body = me_delete_body, .role = "user",
             .answers = confirmed_answers),
    BP_ROUTE(.method = BP_POST, .path = "/api/v1/auth/password", .handler = password_change, .name = "auth.password",
             .doc = "Changes the password, ends every session, and begins a new one.", .body = password_body,
             .reply = token_reply, .reply_form = BP_REPLY_BARE, .role = "user", .answers = confirmed_answers),
    BP_ROUTE(.method = BP_POST, .path = "/api/v1/auth/password/forgot", .handler = password_forgot,
             .name = "auth.forgot", .doc = "Sends a token for a new password, when there is an account of the address.",
             .body = forgot_body, .reply_status = 202, .answers = forgot_answers),
    BP_ROUTE(.method = BP_POST, .path = "/api/v1/auth/password/reset", .handler = password_reset, .name = "auth.reset",
             .doc = "Sets a new password by the token of a message; every session ends.", .body = reset_body,
             .answers = mailed_token_answers),
    BP_ROUTE(.method = BP_POST, .path = "/api/v1/auth/verify", .handler = email_verify, .name = "auth.verify",
             .doc = "Verifies the address of an account by the token of a message.", .body = verify_body,
             .answers = mailed_token_answers),
    BP_ROUTE(.method = BP_GET, .path = "/api/v1/auth/keys", .handler = keys_list, .name = "auth.keys",
             .doc = "The API keys of the account, the newest first.", .reply = keys_reply, .role = "user",
             .reply_form = BP_REPLY_BARE),
    BP_ROUTE(.method = BP_POST, .path = "/api/v1/auth/keys", .handler = keys_create, .name = "auth.key_create",
             .doc = "Makes an API key; only this answer shows it.", .body = key_body, .reply = key_fields,
             .role = "user", .answers = key_create_answers, .reply_status = 201),
    BP_ROUTE(.method = BP_DELETE, .path = "/api/v1/auth/keys/{id}", .handler = keys_delete, .name = "auth.key_delete",
             .doc = "Deletes an API key: it ends at once.", .params = key_params,
             .params_size = sizeof(struct session_params), .role = "user", .answers = key_delete_answers),
    BP_ROUTE(.method = BP_GET, .path = "/.well-known/jwks.json", .handler = jwks_get, .name = "auth.jwks",
             .doc = "The public keys that verify tokens (RFC 7517).", .reply_form = BP_REPLY_BARE),
    /* Never cached: others than this resource write accounts, too. */
    BP_ROUTE(.method = BP_GET, .path = "/api/v1/admin/users", .handler = bp_resource_list, .resource = &admin_users,
             .name = "admin.users_list", .doc = "A page of the accounts, newest first unless sorted otherwise.",
             .role = "admin", .cache_tag = ""),
    BP_ROUTE(.method = BP_GET, .path = "/api/v1/admin/users/{id}", .handler = bp_resource_get, .resource = &admin_users,
             .name = "admin.users_get", .doc = "One account.", .role = "admin", .cache_tag = ""),
    BP_ROUTE(.method = BP_PATCH, .path = "/api/v1/admin/users/{id}", .handler = admin_user_update,
             .resource = &admin_users, .name = "admin.users_update",
             .doc = "Changes the role of an account, or disables it, which ends its sessions.", .role = "admin",
             .params = admin_user_params, .params_size = sizeof(struct bp_resource_params), .body = admin_user_body,
             .reply = admin_user_reply, .answers = admin_user_answers),
    BP_ROUTE_END,
};

static int auth_init(struct bp_host *host, void *self)
{
    struct auth *auth = self;
    auth->host = host;
    auth->slot = bp_slot_new(host, sizeof(struct auth_slot));
    if (auth->slot < 0)
        return auth->slot;
    if (sodium_init() < 0)
        return bp_config_error(host, NULL, "libsodium could not be set up");
    size_t characters = secret_characters(auth->secret);
    if (characters > 0 && characters < SECRET_MIN)
        return bp_config_error(host, "secret", "must have at least %d characters, has %zu", SECRET_MIN, characters);
    if (auth->issuers.len > 0 && !auth->http_client.vtable)
        return bp_config_error(
            host, "issuers",
            "needs a service \"http_client\", which no instance provides: add { use = \"http_client\"; } to plugins");
    if (auth->verify_email && !auth->mailer.vtable)
        return bp_config_error(host, "verify_email", "needs a service \"mailer\", which no instance provides");
    size_t index;
    const char *problem = key_ring_init(&auth->key_ring, auth->keys.ptr, auth->keys.len, &index);
    if (problem)
        return bp_config_error(host, "keys", "key %zu %s", index + 1, problem);
    if (auth->expires_in % BP_SECOND != 0)
        return bp_config_error(host, "expires_in", "must be whole seconds: tokens know no others");
    return auth->queue.vtable ? clean_init(auth) : 0;
}

static const struct bp_command commands[] = {
    BP_COMMAND(.name = "set-role", .doc = "Changes the role of an account.", .changes = 1, .run = set_role),
    BP_COMMAND_END,
};

static bool lacks_secret(const struct auth *auth)
{
    return auth->secret.len == 0 && auth->key_ring.count == 0;
}

/* Not in init: check and migrate need no secret. */
static int auth_before_start(struct bp_host *host, void *self)
{
    if (!lacks_secret(self) || !bp_is_production(host))
        return 0;
    return bp_start_error(host, "secret is required in production: set JWT_SECRET to at least %d random characters",
                          SECRET_MIN);
}

static int start_secret(struct bp_host *host, struct auth *auth)
{
    bool created;
    int status = auth_before_start(host, auth);
    if (status < 0)
        return status;
    bp_str folder = bp_data_dir(host);
    status = secret_load(folder.ptr, auth->made_secret, &created);
    if (status == SECRET_E_SHORT)
        return bp_start_error(host, "%s/%s: must hold 32 to %d characters", folder.ptr, SECRET_FILE, SECRET_MAX);
    if (status == SECRET_E_EXPOSED)
        return bp_start_error(host, "%s/%s: others may read it: chmod 600 it, or remove it to get a new secret",
                              folder.ptr, SECRET_FILE);
    if (status < 0)
        return bp_start_error(host, "%s/%s: %s", folder.ptr, SECRET_FILE, strerror(-status));
    auth->secret = bp_str_of(auth->made_secret);
    if (created)
        bp_log(host, BP_LOG_WARN, "auth.secret_made",
               "No secret is configured: made one, kept in the data folder for development",
               bp_log_str("folder", folder), bp_log_cstr("file", SECRET_FILE));
    return 0;
}

/* The region of this name in shared memory. */
static int start_region(struct bp_host *host, const char *name, uint32_t layout, size_t size, void **ret_region)
{
    bp_str region = bp_arena_printf(bp_fiber_arena(), "%" BP_STR_FMT ".%s", BP_STR_ARG(bp_instance_name(host)), name);
    if (!region.ptr)
        return BP_NOMEM;
    void *memory = bp_shared(host, region.ptr, layout, size);
    if (!memory)
        return bp_start_error(host, "shared memory is full: raise server.shared_memory");
    *ret_region = memory;
    return 0;
}

static int start_throttle(struct bp_host *host, struct auth *auth)
{
    void *failures;
    int status = start_region(host, "login_failures", FAILURES_LAYOUT, failures_size(auth->login_counts), &failures);
    if (status < 0)
        return status;
    failures_prepare(failures, auth->login_counts);
    auth->throttle = (struct throttle){.host = host,
                                       .key_value = auth->key_value,
                                       .failures = failures,
                                       .window = auth->login_window,
                                       .max_failures = auth->login_max_failures,
                                       .address_failures = auth->login_address_failures};
    return 0;
}

static int start_issuers(struct auth *auth)
{
    if (auth->issuers.len == 0)
        return 0;
    auth->issuer = calloc(auth->issuers.len, sizeof(*auth->issuer));
    if (!auth->issuer)
        return BP_NOMEM;
    for (size_t i = 0; i < auth->issuers.len; i++)
        auth->issuer[i].option = &((const struct issuer_option *)auth->issuers.ptr)[i];
    return 0;
}

static int auth_start(struct bp_host *host, void *self)
{
    struct auth *auth = self;
    int status = lacks_secret(auth) ? start_secret(host, auth) : 0;
    auth->key_ring.default_key = (struct key){.algorithm = KEY_HS256, .secret = auth->secret, .signs = true};
    auth->public_keys = key_ring_public(&auth->key_ring);
    if (status == 0 && !auth->public_keys)
        return BP_NOMEM;
    if (status == 0)
        status = owned_tags_init(&auth->owned_tags, host);
    if (status == 0)
        status = token_memory_init(&auth->memory, auth->remembered_tokens);
    if (status < 0)
        return status;

    void *shared;
    status = start_region(host, "hash_slots", HASH_SLOTS_LAYOUT, sizeof(struct hash_slots_shared), &shared);
    if (status == 0)
        status = start_throttle(host, auth);
    if (status == 0)
        status = start_issuers(auth);
    if (status < 0)
        return status;
    uint32_t limit = auth->hash_slots;
    if (limit == 0)
        limit = hash_slots_automatic(capacity_memory(), capacity_processors());
    hash_slots_init(&auth->slots, shared, bp_worker_slot(), limit, auth->hash_queue);
    attempts_start(auth);
    password_dummy(auth->dummy_hash);
    return 0;
}

static void auth_deinit(struct bp_host *host, void *self)
{
    struct auth *auth = self;
    (void)host;
    token_memory_deinit(&auth->memory);
    key_ring_deinit(&auth->key_ring);
    free(auth->public_keys);
    owned_tags_deinit(&auth->owned_tags);
    for (size_t i = 0; auth->issuer && i < auth->issuers.len; i++)
        issuer_deinit(&auth->issuer[i]);
    free(auth->issuer);
    sodium_memzero(auth->made_secret, sizeof(auth->made_secret));
}

BP_PLUGIN(.name = "auth", .version = "1.0.0", .doc = "Accounts with passwords, and Bearer tokens.",
          .self_size = sizeof(struct auth), .phase = BP_PHASE_IDENTIFY, .options = options, .needs = needs,
          .provides = provides, .routes = routes, .commands = commands, .metrics = auth_metrics,
          .migrations = auth_migrations, .init = auth_init, .before_start = auth_before_start, .start = auth_start,
          .deinit = auth_deinit, .middleware = authenticate, .answers = authenticate_answers);
