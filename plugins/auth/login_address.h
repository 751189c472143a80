/* SPDX-License-Identifier: MIT */
/* The addresses from which an account has logged in, as hashes. Every function suspends; statuses are those of the database. */
#ifndef AUTH_LOGIN_ADDRESS_H
#define AUTH_LOGIN_ADDRESS_H

#include "backplane/iface/database.h"
#include "throttle.h"

/* An address is familiar for this long after its last login. */
#define LOGIN_ADDRESS_LIFETIME (90 * BP_DAY)

/* user_id NULL (there is no such account): asks as long, and finds nothing. */
int login_address_is_familiar(struct bp_service db, const bp_uuid *user_id, const struct throttle_address *address,
                              bp_date now, bool *ret_familiar);
/* Also forgets those of the account that have become strange. */
int login_address_note(struct bp_service db, const bp_uuid *user_id, const struct throttle_address *address,
                       bp_date now);

#endif
