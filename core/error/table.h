/* SPDX-License-Identifier: MIT */
/* How the table lies in memory. */
#ifndef CORE_ERROR_TABLE_H
#define CORE_ERROR_TABLE_H

#include <stdatomic.h>

#include "backplane/shared.h"
#include "core/error/errors.h"

/* NUL-terminated, printable ASCII. */
struct error_key {
    char plugin[65], route[129], code[65];
};
struct error_last {
    char message[201], request_id[129], trace_id[33];
};

struct error_group {
    struct error_key key; /* unchanged from when it counts among .used */
    _Atomic uint64_t count;
    _Atomic bp_date first, last;
    _Atomic uint32_t sequence; /* odd: sample is being written */
    struct error_last sample;
};

struct error_words {
    _Atomic uint32_t said;
    char plugin[65], route[129], request_id[129];
};

struct errors {
    struct bp_mutex mutex;
    _Atomic uint32_t used;
    _Atomic uint64_t overflow; /* errors that found all groups taken */
    struct error_words words[BP_WORKER_SLOTS];
    struct error_group groups[ERRORS_GROUPS];
};

#endif
