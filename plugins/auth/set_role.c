/* SPDX-License-Identifier: MIT */
/* `backplane auth set-role EMAIL ROLE`: how the first administrator is made. */
#include <stdio.h>
#include <unistd.h>

#include "account.h"
#include "auth.h"
#include "credentials.h"

static bp_str lower(const char *email, struct bp_arena *arena)
{
    bp_str text = bp_arena_copy(arena, bp_str_of(email));
    for (char *c = (char *)(uintptr_t)text.ptr; c && *c; c++)
        if (*c >= 'A' && *c <= 'Z')
            *c = (char)(*c - 'A' + 'a');
    return text;
}

/* No account asked for it, but who may run commands on this machine. */
static void note(const struct auth *auth, const bp_uuid *id, const char *role)
{
    char text[BP_UUID_LEN];
    bp_uuid_format(id, text);
    bp_audit(auth->host, "auth.account_changed", "A command changed the role of an account",
             bp_log_cstr("outcome", "ok"), bp_log_str("target_user_id", bp_str_n(text, sizeof(text))),
             bp_log_cstr("role", role), bp_log_int("uid", getuid()));
}

int set_role(struct bp_host *host, void *self, const char *const *arguments, size_t count)
{
    const struct auth *auth = self;
    (void)host;
    if (count != 2 || (strcmp(arguments[1], "user") != 0 && strcmp(arguments[1], "admin") != 0)) {
        fputs("an e-mail address and a role, user or admin, are needed\n", stderr);
        return 1;
    }
    bp_str email = lower(arguments[0], bp_fiber_arena());
    bp_uuid id;
    int status = email.ptr
                     ? account_set_role(auth->db, email, bp_str_of(arguments[1]), bp_date_now(), bp_fiber_arena(), &id)
                     : BP_NOMEM;
    if (status == ACCOUNT_E_MISSING)
        fprintf(stderr, "no account has the address %s\n", email.ptr);
    else if (status < 0)
        fprintf(stderr, "the database cannot be used (%s): is its schema up to date (backplane migrate status)?\n",
                bp_status_name(status));
    else {
        note(auth, &id, arguments[1]);
        printf("%s has the role %s\n", email.ptr, arguments[1]);
    }
    return status == 0 ? 0 : 1;
}
