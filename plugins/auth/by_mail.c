/* SPDX-License-Identifier: MIT */
#include "by_mail.h"

#include <stdlib.h>

#include "account.h"
#include "backplane/iface/mailer.h"

struct order {
    struct auth *auth;
    enum mailed_purpose purpose;
    size_t len;
    char email[];
};

static const struct {
    const char *subject, *text;
} letters[] = {
    [MAILED_RESET] = {"Reset your password",
                      "Somebody, hopefully you, asked for a new password for this address.\n\n%.*s%s\n\nIt can be used "
                      "once, and soon expires. If it was not you, there is nothing to do.\n"},
    [MAILED_VERIFY] = {"Verify your e-mail address",
                       "This address was given for a new account. If it was you, please verify it:\n\n%.*s%s\n\nIt can "
                       "be used once. If it was not you, there is nothing to do.\n"},
};

static int send_one(const struct order *order)
{
    const struct auth *auth = order->auth;
    struct account account;
    char token[MAILED_TOKEN_LEN + 1];
    bool reset = order->purpose == MAILED_RESET;
    bp_str link = reset ? auth->reset_link : auth->verify_link;
    int status = account_find_by_email(auth->db, bp_str_n(order->email, order->len), bp_fiber_arena(), &account);
    if (status != 0)
        return status;
    status = mailed_token_create(auth->db, order->purpose, &account.id, account.email, bp_date_now(),
                                 reset ? auth->reset_expires_in : auth->verify_expires_in, token);
    if (status != 0)
        return status;
    bp_str text = bp_arena_printf(bp_fiber_arena(), letters[order->purpose].text, BP_STR_ARG(link), token);
    if (!text.ptr)
        return BP_NOMEM;
    return bp_mail_send(auth->mailer, account.email, bp_str_of(letters[order->purpose].subject), text);
}

static int run(void *argument)
{
    struct order *order = argument;
    int status = send_one(order);
    free(order);
    return status < 0 ? status : 0;
}

int by_mail_send(struct auth *auth, enum mailed_purpose purpose, bp_str email)
{
    struct order *order = malloc(sizeof(*order) + email.len);
    if (!order)
        return BP_NOMEM;
    *order = (struct order){.auth = auth, .purpose = purpose, .len = email.len};
    memcpy(order->email, email.ptr, email.len);
    int status = bp_spawn(auth->host, "by_mail", run, order, 30 * BP_SECOND);
    if (status != 0)
        free(order);
    return status;
}
