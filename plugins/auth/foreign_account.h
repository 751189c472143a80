/* SPDX-License-Identifier: MIT */
/* The accounts of those whom external issuers know. Functions suspend; statuses are those of the database. */
#ifndef AUTH_FOREIGN_ACCOUNT_H
#define AUTH_FOREIGN_ACCOUNT_H

#include "backplane/iface/database.h"

enum foreign_account_condition { FOREIGN_ACCOUNT_E_MISSING = 1 };

int foreign_account_find(struct bp_service db, bp_str issuer, bp_str subject, bp_uuid *ret_user_id);
/* Makes the account of one that has none; of several at the same time all get the same. email: verified by the issuer, ptr NULL: none; when it
 * is taken the account gets a placeholder, never the account that has it. hash: of a password that nobody has. *ret_made is set to true by who made it. */
int foreign_account_create(struct bp_service db, bp_str issuer, bp_str subject, bp_str email, const char *hash,
                           bp_date now, bp_uuid *ret_user_id, bool *ret_made);

#endif
