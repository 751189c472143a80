/* SPDX-License-Identifier: MIT */
#include "common_password.h"

#include <stdlib.h>

#include "common_passwords.h"

#define LONGEST 64

static int compare(const void *key, const void *entry)
{
    return strcmp(key, *(const char *const *)entry);
}

bool password_is_common(bp_str password)
{
    char lower[LONGEST + 1];
    if (password.len == 0 || password.len > LONGEST || memchr(password.ptr, 0, password.len))
        return false;
    for (size_t i = 0; i < password.len; i++) {
        char c = password.ptr[i];
        lower[i] = (char)(c >= 'A' && c <= 'Z' ? c + 32 : c);
    }
    lower[password.len] = '\0';
    return bsearch(lower, common_passwords, sizeof(common_passwords) / sizeof(common_passwords[0]),
                   sizeof(common_passwords[0]), compare) != NULL;
}
