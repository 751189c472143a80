/* SPDX-License-Identifier: MIT */
/* Messages that hold a token. */
#ifndef AUTH_BY_MAIL_H
#define AUTH_BY_MAIL_H

#include "auth.h"
#include "mailed_token.h"

/* Sends one to the account of the address, when there is one, behind the request: neither its answer nor its time says whether there is. Does not
 * suspend. 0 or BP_NOMEM. */
int by_mail_send(struct auth *auth, enum mailed_purpose purpose, bp_str email);

#endif
