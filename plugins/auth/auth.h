/* SPDX-License-Identifier: MIT */
/* An instance of the plugin, and what its files have in common. */
#ifndef AUTH_AUTH_H
#define AUTH_AUTH_H

#include "attempt.h"
#include "backplane/backplane.h"
#include "hash_slots.h"
#include "issuer.h"
#include "key_ring.h"
#include "owned_tags.h"
#include "password.h"
#include "secret.h"
#include "throttle.h"
#include "token_memory.h"

struct auth {
    /* options */
    bp_str secret;
    struct bp_array keys;    /* of struct key_option */
    struct bp_array issuers; /* of struct issuer_option */
    bp_span expires_in;
    bp_span refresh_expires_in;
    bp_span refresh_grace;
    bp_span account_check_interval;
    uint32_t sessions_max;
    uint32_t remembered_tokens;
    uint32_t hash_slots;
    uint32_t hash_queue;
    bool password_composition, refuse_common_passwords;
    bool verify_email;
    bp_str reset_link, verify_link;
    bp_span reset_expires_in, verify_expires_in;
    uint32_t login_max_failures;
    uint32_t login_address_failures;
    bp_span login_window;
    uint32_t login_counts;
    bp_span cleanup;
    /* services */
    struct bp_service db;
    struct bp_service mailer;      /* vtable NULL: none */
    struct bp_service key_value;   /* vtable NULL: none */
    struct bp_service http_client; /* the same; never with issuers */
    struct bp_service queue;       /* the same */
    /* state of this worker */
    struct bp_host *host;
    int slot; /* of struct auth_slot */
    struct hash_slots slots;
    struct bp_metric *hashes, *hash_used, *hash_limit, *hash_waiting, *hash_refused, *attempts;
    struct bp_series *attempt_series[ATTEMPTS];
    struct token_memory memory;
    struct owned_tags owned_tags;
    struct throttle throttle;
    struct key_ring key_ring;
    struct issuer *issuer; /* as many as there are issuers */
    char clean_name[80], clean_cron[40];
    char *public_keys;                /* what /.well-known/jwks.json answers */
    char made_secret[SECRET_MAX + 1]; /* what secret points to when none was given */
    char dummy_hash[PASSWORD_HASH_SIZE];
};

/* What authentication found out about a request, beside the identity. */
struct auth_slot {
    bp_uuid session_id;
    bool has_session;
    bool disables; /* it changes an account to one that is disabled */
};

/* What sign-up and login are sent. */
struct credentials {
    bp_str email, password;
};

struct session_params {
    bp_uuid id;
};

extern const struct bp_field sign_up_body[], sign_up_reply[], login_body[], login_reply[];
extern const struct bp_field refresh_body[], token_reply[], session_params[], sessions_reply[];
extern const struct bp_resource admin_users;
extern const struct bp_field admin_user_params[], admin_user_body[], admin_user_reply[];
extern const struct bp_field me_reply[], me_update_body[], me_delete_body[], password_body[];

bp_handler sign_up, login, refresh, logout, logout_all, sessions_list, sessions_end;
bp_handler admin_user_update;
bp_handler me_get, me_update, me_delete, password_change;
extern const struct bp_field key_params[], key_body[], key_fields[], keys_reply[];
extern const struct bp_field forgot_body[], reset_body[], verify_body[];
bp_handler password_forgot, password_reset, email_verify;
bp_handler jwks_get, keys_list, keys_create, keys_delete;
/* The middleware: nobody gets past it without a token of an account that exists. */
bp_handler authenticate;
/* The session of the token of this request; NULL when it names none. */
const bp_uuid *request_session(const struct auth *auth, struct bp_request *rq);
/* This worker asks again about the token of this request. */
void forget_token(struct auth *auth, struct bp_request *rq);
/* The command. */
int set_role(struct bp_host *host, void *self, const char *const *arguments, size_t count);
/* See bp_identity_gone(). */
int identity_gone(void *self, struct bp_request *rq);
/* See bp_identity_check(). */
int identity_check(void *self, struct bp_request *rq);

#endif
