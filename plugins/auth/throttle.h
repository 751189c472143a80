/* SPDX-License-Identifier: MIT */
/*
 * Failed logins are counted, and too many of them answered with 429 for a while, by account and by address. Whoever logs in from an
 * address that has logged in to the account before has a count of his own there: what others fail at does not lock him out.
 * Accounts that do not exist are counted as those that do. Counted in the key_value service, so over all replicas, when there is
 * one and it answers; else in memory that the workers share.
 */
#ifndef AUTH_THROTTLE_H
#define AUTH_THROTTLE_H

#include "backplane/backplane.h"
#include "failures.h"

struct throttle {
    struct bp_host *host;
    struct bp_service key_value; /* vtable NULL: there is none */
    struct failures *failures;
    bp_span window;
    uint32_t max_failures;     /* of an account, or of an account at an address it knows; 0: nothing is counted */
    uint32_t address_failures; /* of an address, over all accounts */
    bool away;                 /* the service did not count the last time; said once */
};

/* One login, from before its password is looked at until it is known whether it was right. */
struct throttle_attempt {
    struct failures_bucket buckets[2];
    size_t count;
    bool familiar;  /* the address has logged in to the account before */
    bool is_shared; /* counted in the service */
};

/* Where a request comes from, as far as counting goes: of IPv6 the network of 64 bits. Pure. */
struct throttle_address {
    char bytes[16];
    size_t len;
};
struct throttle_address throttle_address_of(bp_str client);

enum throttle_condition { THROTTLE_E_LIMITED = 1 };

/* Counts the attempt as failed until it is said otherwise, so that many at the same time are not more than the limit. Suspends. 0,
 * THROTTLE_E_LIMITED, BP_CANCELED or BP_NOMEM. */
int throttle_begin(struct throttle *throttle, bp_str email, const struct throttle_address *address, bool familiar,
                   struct throttle_attempt *ret_attempt, bp_span *ret_retry_in);
/* The password was right. Suspends; never cancelled. */
void throttle_succeeded(struct throttle *throttle, const struct throttle_attempt *attempt);
/* It was not looked at (no slot was free): does not count. Suspends; never cancelled. */
void throttle_undo(struct throttle *throttle, const struct throttle_attempt *attempt);
/* The owner of the account has proved who he is: its failures are forgotten. Suspends; never cancelled. */
void throttle_forgive(struct throttle *throttle, bp_str email);

#endif
