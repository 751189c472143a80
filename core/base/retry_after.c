/* SPDX-License-Identifier: MIT */
#include <string.h>
#include <time.h>

#include "backplane/clock.h"

#define DATE_MAX 63u
#define RETRY_AFTER_MAX BP_DAY

static bool parse_date(bp_str value, bp_date *ret_date)
{
    static const char *const forms[] = {"%a, %d %b %Y %H:%M:%S GMT", "%A, %d-%b-%y %H:%M:%S GMT",
                                        "%a %b %d %H:%M:%S %Y"};
    char text[DATE_MAX + 1];
    if (value.len > DATE_MAX)
        return false;
    memcpy(text, value.ptr, value.len);
    text[value.len] = '\0';
    for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
        struct tm tm = {.tm_isdst = 0};
        const char *end = strptime(text, forms[i], &tm);
        if (!end || *end != '\0')
            continue;
        *ret_date = (bp_date)timegm(&tm) * 1000;
        return true;
    }
    return false;
}

bool bp_retry_after_parse(bp_str value, bp_date now, bp_date *ret_date)
{
    const bp_date most = now + RETRY_AFTER_MAX / BP_MILLISECOND;
    uint64_t seconds;
    bp_date date;
    value = bp_str_trim(value);
    if (value.len == 0)
        return false;
    if (bp_str_to_u64(value, &seconds))
        date = seconds < (uint64_t)(RETRY_AFTER_MAX / BP_SECOND) ? now + (bp_date)seconds * 1000 : most;
    else if (!parse_date(value, &date))
        return false;
    *ret_date = date < most ? date : most;
    return true;
}
