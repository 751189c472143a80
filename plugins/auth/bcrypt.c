/* SPDX-License-Identifier: MIT */
#include "bcrypt.h"

#include <crypt.h>
#include <sodium.h>
#include <stdlib.h>

#include "backplane/status.h"

#define HASH_LEN 60

bool bcrypt_is(const char *hash)
{
    return strlen(hash) == HASH_LEN && hash[0] == '$' && hash[1] == '2' && strchr("aby", hash[2]) && hash[3] == '$';
}

int bcrypt_verify(bp_str password, const char *hash, bool *ret_matches)
{
    struct crypt_data *data = calloc(1, sizeof(*data));
    char *text = calloc(1, password.len + 1);
    bool matches = false;
    int status = data && text ? 0 : BP_NOMEM;
    /* It would read a password with a NUL in it to there. */
    if (status == 0 && !memchr(password.ptr, '\0', password.len)) {
        memcpy(text, password.ptr, password.len);
        /* Not crypt_r(): AddressSanitizer has one of its own, for which the linker leaves this library out. */
        const char *made = crypt_rn(text, hash, data, sizeof(*data));
        matches = made && strlen(made) == HASH_LEN && sodium_memcmp(made, hash, HASH_LEN) == 0;
        sodium_memzero(text, password.len);
        sodium_memzero(data, sizeof(*data));
    }
    free(text);
    free(data);
    if (status == 0)
        *ret_matches = matches;
    return status;
}
