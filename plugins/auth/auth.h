/* SPDX-License-Identifier: MIT */
/* An instance of the plugin, and what its files have in common. */
#ifndef AUTH_AUTH_H
#define AUTH_AUTH_H

#include "backplane/backplane.h"
#include "hash_slots.h"
#include "password.h"
#include "secret.h"
#include "throttle.h"
#include "token_memory.h"

struct auth {
    /* options */
    bp_str secret;
    bp_span expires_in;
    bp_span account_check_interval;
    uint32_t remembered_tokens;
    uint32_t hash_slots;
    uint32_t hash_queue;
    uint32_t login_max_failures;
    uint32_t login_address_failures;
    bp_span login_window;
    uint32_t login_counts;
    /* services */
    struct bp_service db;
    struct bp_service key_value; /* vtable NULL: none */
    /* state of this worker */
    struct bp_host *host;
    struct hash_slots slots;
    struct token_memory memory;
    struct throttle throttle;
    char made_secret[SECRET_MAX + 1]; /* what secret points to when none was given */
    char dummy_hash[PASSWORD_HASH_SIZE];
};

/* What sign-up and login are sent. */
struct credentials {
    bp_str email, password;
};

extern const struct bp_field sign_up_body[], sign_up_reply[], login_body[], login_reply[];

bp_handler sign_up, login;
/* The middleware: nobody gets past it without a token of an account that exists. */
bp_handler authenticate;
/* See bp_identity_gone(). */
int identity_gone(void *self, struct bp_request *rq);

#endif
