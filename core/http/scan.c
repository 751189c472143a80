/* SPDX-License-Identifier: MIT */
#include "core/http/scan.h"

#define MARK (SCAN_TARGET | SCAN_PATH | SCAN_QUERY | SCAN_VALUE) /* any visible character of a path */
#define ODD (SCAN_TARGET | SCAN_QUERY | SCAN_VALUE)              /* visible, not in a path */
#define DELIM (MARK | SCAN_HOST)                                 /* sub-delims that are no tchar */
#define UNRESERVED (MARK | SCAN_HOST | SCAN_TOKEN)               /* and sub-delims that are */
#define DIGIT (UNRESERVED | SCAN_DIGIT | SCAN_HEX)
#define HEX (UNRESERVED | SCAN_HEX)

/* __extension__: ranges are a GNU form that gcc and clang share. */
__extension__ const uint8_t scan_classes[256] = {
    ['\t'] = SCAN_VALUE,
    [' '] = SCAN_VALUE,
    ['!'] = UNRESERVED,
    ['"'] = ODD,
    ['#'] = SCAN_TARGET | SCAN_VALUE | SCAN_TOKEN,
    ['$'] = UNRESERVED,
    ['%'] = UNRESERVED,
    ['&'] = UNRESERVED,
    ['\''] = UNRESERVED,
    ['('] = DELIM,
    [')'] = DELIM,
    ['*'] = UNRESERVED,
    ['+'] = UNRESERVED,
    [','] = DELIM,
    ['-'] = UNRESERVED,
    ['.'] = UNRESERVED,
    ['/'] = MARK,
    ['0' ... '9'] = DIGIT,
    [':'] = MARK,
    [';'] = DELIM,
    ['<'] = ODD,
    ['='] = DELIM,
    ['>'] = ODD,
    ['?'] = ODD,
    ['@'] = MARK,
    ['A' ... 'F'] = HEX,
    ['G' ... 'Z'] = UNRESERVED,
    ['['] = MARK,
    ['\\'] = ODD,
    [']'] = MARK,
    ['^'] = MARK | SCAN_TOKEN,
    ['_'] = UNRESERVED,
    ['`'] = MARK | SCAN_TOKEN,
    ['a' ... 'f'] = HEX,
    ['g' ... 'z'] = UNRESERVED,
    ['{'] = MARK,
    ['|'] = MARK | SCAN_TOKEN,
    ['}'] = MARK,
    ['~'] = UNRESERVED,
    [0x80 ... 0xff] = SCAN_VALUE,
};
