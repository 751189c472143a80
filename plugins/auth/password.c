/* SPDX-License-Identifier: MIT */
#include "password.h"

#include <errno.h>
#include <sodium.h>
#include <stdio.h>

#include "backplane/status.h"
#include "backplane/uuid.h"
#include "backplane/wait.h"
#include "bcrypt.h"
#include "hash_slots.h"

_Static_assert(PASSWORD_HASH_SIZE == crypto_pwhash_STRBYTES, "a PHC string of libsodium");

void password_dummy(char ret_hash[PASSWORD_HASH_SIZE])
{
    unsigned char salt[crypto_pwhash_SALTBYTES], hash[32];
    char salt_text[sodium_base64_ENCODED_LEN(sizeof(salt), sodium_base64_VARIANT_ORIGINAL_NO_PADDING)];
    char hash_text[sodium_base64_ENCODED_LEN(sizeof(hash), sodium_base64_VARIANT_ORIGINAL_NO_PADDING)];
    bp_random(salt, sizeof(salt));
    bp_random(hash, sizeof(hash));
    sodium_bin2base64(salt_text, sizeof(salt_text), salt, sizeof(salt), sodium_base64_VARIANT_ORIGINAL_NO_PADDING);
    sodium_bin2base64(hash_text, sizeof(hash_text), hash, sizeof(hash), sodium_base64_VARIANT_ORIGINAL_NO_PADDING);
    memset(ret_hash, 0, PASSWORD_HASH_SIZE);
    snprintf(ret_hash, PASSWORD_HASH_SIZE, "$argon2id$v=19$m=%u,t=%u,p=1$%s$%s", (unsigned)(PASSWORD_MEMORY / 1024),
             PASSWORD_PASSES, salt_text, hash_text);
}

struct hash_job {
    bp_str password;
    char hash[PASSWORD_HASH_SIZE]; /* made, or to be verified */
    struct password_check check;
};

/* The two run on another thread: they see their job only. */
static int make_hash(void *argument)
{
    struct hash_job *job = argument;
    if (crypto_pwhash_str_alg(job->hash, job->password.ptr, job->password.len, PASSWORD_PASSES, PASSWORD_MEMORY,
                              crypto_pwhash_ALG_ARGON2ID13) != 0)
        return BP_NOMEM;
    return 0;
}

static int verify_argon2(struct hash_job *job)
{
    errno = 0;
    job->check.matches = crypto_pwhash_str_verify(job->hash, job->password.ptr, job->password.len) == 0;
    /* Without memory nothing was compared: that is no wrong password. */
    return !job->check.matches && errno == ENOMEM ? BP_NOMEM : 0;
}

static int verify_hash(void *argument)
{
    struct hash_job *job = argument;
    int status =
        bcrypt_is(job->hash) ? bcrypt_verify(job->password, job->hash, &job->check.matches) : verify_argon2(job);
    if (status < 0)
        return status;
    if (job->check.matches && crypto_pwhash_str_needs_rehash(job->hash, PASSWORD_PASSES, PASSWORD_MEMORY) != 0)
        job->check.renewed = crypto_pwhash_str_alg(job->check.new_hash, job->password.ptr, job->password.len,
                                                   PASSWORD_PASSES, PASSWORD_MEMORY, crypto_pwhash_ALG_ARGON2ID13) == 0;
    return 0;
}

static int run(struct hash_slots *slots, int (*function)(void *job), struct hash_job *job)
{
    int status = hash_slots_acquire(slots);
    if (status < 0)
        return status;
    status = bp_offload(function, job);
    hash_slots_release(slots);
    return status;
}

int password_hash(struct hash_slots *slots, bp_str password, char ret_hash[PASSWORD_HASH_SIZE])
{
    struct hash_job job = {.password = password};
    int status = run(slots, make_hash, &job);
    if (status == 0)
        memcpy(ret_hash, job.hash, sizeof(job.hash));
    return status;
}

int password_verify(struct hash_slots *slots, bp_str password, bp_str hash, struct password_check *ret_check)
{
    struct hash_job job = {.password = password};
    /* What is too long to be one is left empty, and matches nothing. */
    if (hash.len < sizeof(job.hash))
        memcpy(job.hash, hash.ptr, hash.len);
    int status = run(slots, verify_hash, &job);
    if (status == 0)
        *ret_check = job.check;
    return status;
}
