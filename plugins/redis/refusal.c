/* SPDX-License-Identifier: MIT */
#include "refusal.h"

#include "backplane/status.h"

static const struct refusal refusals[] = {
    {"LOADING", BP_BUSY, true},     /* reads its file after a start */
    {"READONLY", BP_BUSY, true},    /* a replica: after a fail-over the name may lead elsewhere */
    {"MASTERDOWN", BP_BUSY, true},  /* a replica that lost its primary */
    {"NOAUTH", BP_BUSY, true},      /* a password was set meanwhile */
    {"WRONGPASS", BP_BUSY, true},   /* or another one */
    {"OOM", BP_BUSY, false},        /* maxmemory: writes are refused */
    {"MISCONF", BP_BUSY, false},    /* cannot save: writes are refused */
    {"NOREPLICAS", BP_BUSY, false}, /* too few replicas: writes are refused */
    {"BUSY", BP_BUSY, false},       /* a script runs for long */
    {"CLUSTERDOWN", BP_BUSY, false}, {"TRYAGAIN", BP_BUSY, false},
    {"MOVED", BP_BUSY, false},                                   /* a cluster, which is not understood here */
    {"ASK", BP_BUSY, false},         {"NOPERM", BP_ERROR, false} /* the user may not */
};

static const struct refusal *find(bp_str text)
{
    for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
        size_t len = strlen(refusals[i].code);
        if (bp_str_starts(text, bp_str_of(refusals[i].code)) && (text.len == len || text.ptr[len] == ' '))
            return &refusals[i];
    }
    return NULL;
}

struct refusal refusal_of(bp_str text)
{
    static const char script[] = ": -"; /* Redis 6: "ERR Error running script (call to f_…): @user_script:1: -OOM …" */
    const struct refusal *refusal = find(text);
    if (!refusal && bp_str_starts(text, BP_STR("ERR Error running script"))) {
        const char *inner = memmem(text.ptr, text.len, script, sizeof(script) - 1);
        if (inner)
            refusal = find(bp_str_n(inner + 3, text.len - (size_t)(inner + 3 - text.ptr)));
    }
    return refusal ? *refusal : (struct refusal){.status = BP_ERROR};
}

bool refusal_is_no_script(bp_str text)
{
    return bp_str_starts(text, BP_STR("NOSCRIPT"));
}
