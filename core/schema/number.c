/* SPDX-License-Identifier: MIT */
#include "core/schema/number.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static const char pairs[] = "00010203040506070809101112131415161718192021222324"
                            "25262728293031323334353637383940414243444546474849"
                            "50515253545556575859606162636465666768697071727374"
                            "75767778798081828384858687888990919293949596979899";

static char *put_pair(char *p, uint32_t value)
{
    memcpy(p, &pairs[2 * value], 2);
    return p + 2;
}

char *number_put_u64(char *p, uint64_t value)
{
    char digits[NUMBER_INTEGER_MAX];
    size_t at = sizeof(digits);
    while (value >= 100) {
        at -= 2;
        put_pair(&digits[at], (uint32_t)(value % 100));
        value /= 100;
    }
    if (value >= 10) {
        at -= 2;
        put_pair(&digits[at], (uint32_t)value);
    } else {
        digits[--at] = (char)('0' + value);
    }
    memcpy(p, &digits[at], sizeof(digits) - at);
    return p + sizeof(digits) - at;
}

char *number_put_i64(char *p, int64_t value)
{
    if (value >= 0)
        return number_put_u64(p, (uint64_t)value);
    *p = '-';
    return number_put_u64(p + 1, 0 - (uint64_t)value);
}

char *number_put_double(char *p, double value)
{
    char text[NUMBER_DOUBLE_MAX];
    int len = 0;
    if (!isfinite(value)) {
        memcpy(p, "null", 4);
        return p + 4;
    }
    if (value == 0 && signbit(value)) { /* a reader takes "-0" for the integer 0 */
        memcpy(p, "-0.0", 4);
        return p + 4;
    }
    if (value == trunc(value) && fabs(value) < 0x1p53)
        return number_put_i64(p, (int64_t)value);
    for (int precision = 15; precision <= 17; precision++) {
        len = snprintf(text, sizeof(text), "%.*g", precision, value);
        if (strtod(text, NULL) == value)
            break;
    }
    memcpy(p, text, (size_t)len);
    return p + len;
}

/* Vectors, so that every compiler makes the best of what the machine has. */
typedef uint8_t bytes16 __attribute__((vector_size(16)));

static bytes16 hex_digits(bytes16 nibbles)
{
    bytes16 letters = (bytes16)(nibbles > 9) & ('a' - '9' - 1);
    return nibbles + '0' + letters;
}

char *number_put_uuid(char *p, const bp_uuid *uuid)
{
    bytes16 bytes;
    char hex[32];
    memcpy(&bytes, uuid->bytes, sizeof(bytes));
    bytes16 high = hex_digits(bytes >> 4), low = hex_digits(bytes & 15);
    bytes16 first = __builtin_shufflevector(high, low, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
    bytes16 second = __builtin_shufflevector(high, low, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
    memcpy(hex, &first, 16);
    memcpy(hex + 16, &second, 16);
    memcpy(p, hex, 8);
    p[8] = '-';
    memcpy(p + 9, hex + 8, 4);
    p[13] = '-';
    memcpy(p + 14, hex + 12, 4);
    p[18] = '-';
    memcpy(p + 19, hex + 16, 4);
    p[23] = '-';
    memcpy(p + 24, hex + 20, 12);
    return p + BP_UUID_LEN;
}

char *number_put_date(char *p, bp_date date)
{
    static const bp_date first = -62167219200000; /* 0000-01-01 */
    if (date < first || date > BP_DATE_LAST)
        return NULL;
    uint64_t since = (uint64_t)(date - first);
    uint32_t days = (uint32_t)(since / 86400000), milliseconds = (uint32_t)(since % 86400000);
    /* Neri and Schneider, "Euclidean affine functions and their application to calendar algorithms" (2022). Their years begin in March:
     * 0000-03-01 is day 60 here; 400 years more keep what is before it above zero. */
    uint32_t n1 = 4 * (days - 60 + 146097) + 3;
    uint32_t century = n1 / 146097;
    uint32_t n2 = (n1 % 146097) | 3;
    uint64_t product = (uint64_t)2939745 * n2;
    uint32_t year_of_century = (uint32_t)(product >> 32);
    uint32_t day_of_year = (uint32_t)product / 2939745 / 4;
    uint32_t n3 = 2141 * day_of_year + 197913;
    bool next = day_of_year >= 306;
    uint32_t year = 100 * century + year_of_century + next - 400;
    uint32_t month = (n3 >> 16) - (next ? 12 : 0), day = (n3 & 0xffff) / 2141 + 1;
    uint32_t seconds = milliseconds / 1000, minutes = seconds / 60;
    milliseconds %= 1000;
    p = put_pair(p, year / 100);
    p = put_pair(p, year % 100);
    *p++ = '-';
    p = put_pair(p, month);
    *p++ = '-';
    p = put_pair(p, day);
    *p++ = 'T';
    p = put_pair(p, minutes / 60);
    *p++ = ':';
    p = put_pair(p, minutes % 60);
    *p++ = ':';
    p = put_pair(p, seconds % 60);
    *p++ = '.';
    *p++ = (char)('0' + milliseconds / 100);
    p = put_pair(p, milliseconds % 100);
    *p++ = 'Z';
    return p;
}
