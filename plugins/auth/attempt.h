/* SPDX-License-Identifier: MIT */
/* What became of logins, sign-ups, refreshes and credentials that were shown, counted; and the gauges of the hash slots. */
#ifndef AUTH_ATTEMPT_H
#define AUTH_ATTEMPT_H

#include "backplane/metric.h"

struct auth;

/* Each is a kind of attempt and an outcome, in the order of the table in attempt.c. */
enum attempt {
    LOGIN_OK,
    LOGIN_FAILED,
    LOGIN_DISABLED,
    LOGIN_LOCKED_OUT,
    SIGN_UP_OK,
    SIGN_UP_TAKEN,
    REFRESH_OK,
    REFRESH_INVALID,
    REFRESH_REUSED,
    TOKEN_OK,
    TOKEN_MISSING,
    TOKEN_INVALID,
    TOKEN_EXPIRED,
    TOKEN_ENDED,
    KEY_OK,
    KEY_INVALID,
    ATTEMPTS
};

extern const struct bp_metric_row auth_metrics[];
/* In start, once the limit of the hash slots is known. */
void attempts_start(struct auth *auth);
void attempt_count(const struct auth *auth, enum attempt attempt);

#endif
