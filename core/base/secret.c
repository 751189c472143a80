/* SPDX-License-Identifier: MIT */
#include "backplane/log.h"

/* What is behind so many bytes of a name is not looked at. */
#define NAME_BYTES 256u

static int hex_value(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

/* Percent-decoded, letters in lower case: a name is no less a secret's for how it is spelled. */
static size_t plain_name(bp_str name, char ret_text[NAME_BYTES])
{
    size_t len = 0;
    for (size_t i = 0; i < name.len && len < NAME_BYTES; i++) {
        char c = name.ptr[i];
        int high = c == '%' && i + 2 < name.len ? hex_value(name.ptr[i + 1]) : -1;
        int low = high < 0 ? -1 : hex_value(name.ptr[i + 2]);
        if (low >= 0) {
            c = (char)(high << 4 | low);
            i += 2;
        }
        ret_text[len++] = c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
    }
    return len;
}

bool bp_is_secret_name(bp_str name)
{
    static const bp_str words[] = {BP_STR_INIT("token"),        BP_STR_INIT("password"), BP_STR_INIT("secret"),
                                   BP_STR_INIT("key"),          BP_STR_INIT("code"),     BP_STR_INIT("signature"),
                                   BP_STR_INIT("authorization")};
    char plain[NAME_BYTES];
    size_t len = plain_name(name, plain);
    for (size_t w = 0; w < sizeof(words) / sizeof(words[0]); w++)
        if (memmem(plain, len, words[w].ptr, words[w].len))
            return true;
    return false;
}
