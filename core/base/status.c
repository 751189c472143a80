/* SPDX-License-Identifier: MIT */
#include "backplane/status.h"

#include "backplane/log.h"

const char *bp_status_name(int status)
{
    switch (status) {
    case BP_OK:
        return "BP_OK";
    case BP_ERROR:
        return "BP_ERROR";
    case BP_NOMEM:
        return "BP_NOMEM";
    case BP_TIMEOUT:
        return "BP_TIMEOUT";
    case BP_UNKNOWN:
        return "BP_UNKNOWN";
    case BP_CANCELED:
        return "BP_CANCELED";
    case BP_BUSY:
        return "BP_BUSY";
    case BP_REFUSED:
        return "BP_REFUSED";
    case BP_INVALID:
        return "BP_INVALID";
    case BP_MISUSE:
        return "BP_MISUSE";
    default:
        return "unknown status";
    }
}

int bp_trace_at(int status, const char *file, int line)
{
    if (status < 0 && bp_log_enabled(BP_LOG_DEBUG))
        bp_log(NULL, BP_LOG_DEBUG, "status.forwarded", "A status was forwarded",
               bp_log_cstr("status", bp_status_name(status)), bp_log_cstr("file", file), bp_log_int("line", line));
    return status;
}
