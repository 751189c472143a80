/* SPDX-License-Identifier: MIT */
/* struct bp_duty: what one worker of the server does for all. */
#include <stdatomic.h>

#include "backplane/shared.h"

bool bp_duty_take(struct bp_duty *duty, bp_span patience)
{
    _Atomic uint32_t *worker = (_Atomic uint32_t *)&duty->worker;
    _Atomic bp_time *taken = (_Atomic bp_time *)&duty->taken;
    uint32_t mine = bp_worker_slot() + 1, has = atomic_load(worker);
    bool kept = has != 0 && bp_clock() - atomic_load(taken) <= patience;
    if (has != mine && (kept || !atomic_compare_exchange_strong(worker, &has, mine)))
        return false;
    atomic_store(taken, bp_clock());
    return true;
}

void bp_duty_leave(struct bp_duty *duty)
{
    uint32_t mine = bp_worker_slot() + 1;
    (void)atomic_compare_exchange_strong((_Atomic uint32_t *)&duty->worker, &mine, 0);
}
