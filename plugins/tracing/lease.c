/* SPDX-License-Identifier: MIT */
#include "lease.h"

#include <errno.h>
#include <signal.h>

void lease_begin(struct lease *lease, bp_date now)
{
    bp_mutex_lock(&lease->mutex);
    if (!lease->began_once) {
        lease->began = now;
        lease->instance = bp_uuid_new();
        lease->began_once = true;
    }
    bp_mutex_unlock(&lease->mutex);
}

static bool is_gone(int32_t process)
{
    return kill(process, 0) != 0 && errno == ESRCH;
}

bool lease_take(struct lease *lease, int32_t process, bp_time now, bp_span patience)
{
    bp_mutex_lock(&lease->mutex);
    bool taken =
        lease->holder == 0 || lease->holder == process || now - lease->seen > patience || is_gone(lease->holder);
    if (taken) {
        lease->holder = process;
        lease->seen = now;
    }
    bp_mutex_unlock(&lease->mutex);
    return taken;
}

bool lease_give_back(struct lease *lease, int32_t process)
{
    bp_mutex_lock(&lease->mutex);
    bool held = lease->holder == process;
    if (held)
        lease->holder = 0;
    bp_mutex_unlock(&lease->mutex);
    return held;
}
