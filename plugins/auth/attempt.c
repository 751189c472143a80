/* SPDX-License-Identifier: MIT */
#include "attempt.h"

#include "auth.h"

const struct bp_metric_row auth_metrics[] = {
    BP_METRIC(struct auth, hashes, .type = BP_COUNTER, .name = "backplane_auth_password_hashes_total",
              .help = "Passwords that were hashed, to be stored or to be compared."),
    BP_METRIC(struct auth, hash_used, .type = BP_GAUGE, .name = "backplane_auth_hash_slots",
              .help = "Passwords that are being hashed."),
    BP_METRIC(struct auth, hash_limit, .type = BP_GAUGE, .name = "backplane_auth_hash_slots_limit",
              .help = "Passwords that may be hashed at one time, by all workers together.", .aggregate = BP_METRIC_MAX),
    BP_METRIC(struct auth, hash_waiting, .type = BP_GAUGE, .name = "backplane_auth_hashes_waiting",
              .help = "Requests that wait until their password may be hashed."),
    BP_METRIC(struct auth, hash_refused, .type = BP_COUNTER, .name = "backplane_auth_hashes_refused_total",
              .help = "Requests that were answered with 503, because hash_queue of them waited."),
    BP_METRIC(struct auth, attempts, .type = BP_COUNTER, .name = "backplane_auth_attempts_total",
              .help = "What became of attempts: login (ok, failed, disabled, locked_out), sign_up (ok, taken), refresh "
                      "(ok, invalid, reused), and of requests that must say who asks: token (ok, missing, invalid, "
                      "expired, ended), api_key (ok, invalid).",
              .labels = {"kind", "outcome"}),
    BP_METRIC_END};

static const struct {
    const char *kind, *outcome;
} names[ATTEMPTS] = {[LOGIN_OK] = {"login", "ok"},
                     [LOGIN_FAILED] = {"login", "failed"},
                     [LOGIN_DISABLED] = {"login", "disabled"},
                     [LOGIN_LOCKED_OUT] = {"login", "locked_out"},
                     [SIGN_UP_OK] = {"sign_up", "ok"},
                     [SIGN_UP_TAKEN] = {"sign_up", "taken"},
                     [REFRESH_OK] = {"refresh", "ok"},
                     [REFRESH_INVALID] = {"refresh", "invalid"},
                     [REFRESH_REUSED] = {"refresh", "reused"},
                     [TOKEN_OK] = {"token", "ok"},
                     [TOKEN_MISSING] = {"token", "missing"},
                     [TOKEN_INVALID] = {"token", "invalid"},
                     [TOKEN_EXPIRED] = {"token", "expired"},
                     [TOKEN_ENDED] = {"token", "ended"},
                     [KEY_OK] = {"api_key", "ok"},
                     [KEY_INVALID] = {"api_key", "invalid"}};

/* All series are there from the start on, so that the first failure is an increase. */
void attempts_start(struct auth *auth)
{
    for (unsigned i = 0; i < ATTEMPTS; i++) {
        const bp_str labels[2] = {bp_str_of(names[i].kind), bp_str_of(names[i].outcome)};
        auth->attempt_series[i] = bp_series(auth->attempts, labels);
    }
    auth->slots.taken = bp_series(auth->hashes, NULL);
    auth->slots.used = bp_series(auth->hash_used, NULL);
    auth->slots.waiting = bp_series(auth->hash_waiting, NULL);
    auth->slots.refused = bp_series(auth->hash_refused, NULL);
    bp_metric_set(bp_series(auth->hash_limit, NULL), auth->slots.limit);
}

void attempt_count(const struct auth *auth, enum attempt attempt)
{
    bp_metric_add(auth->attempt_series[attempt], 1);
}
