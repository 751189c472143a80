/* SPDX-License-Identifier: MIT */
#include "failing.h"

#include <dlfcn.h>
#include <errno.h>
#include <libconfig.h>
#include <pthread.h>
#include <sodium.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* The allocator of the sanitizer, or else of the C library. */
#if defined(__SANITIZE_ADDRESS__)
#define REAL(name) __interceptor_##name
#else
#define REAL(name) __libc_##name
#endif
/* Runs before a sanitizer is set up. */
#define BARE __attribute__((no_sanitize("address", "undefined"), noinline))

void *REAL(malloc)(size_t size);
void *REAL(calloc)(size_t count, size_t size);
void *REAL(realloc)(void *ptr, size_t size);

static atomic_bool armed, hit;
static atomic_long counted, failing_from, failing_to;

/* libconfig 1.5 does not look at what malloc gives it: what it asks for does not count. */
static _Thread_local bool excluded __attribute__((tls_model("initial-exec")));

void config_init(config_t *config)
{
    void *symbol = dlsym(RTLD_NEXT, "config_init");
    void (*real)(config_t *);
    memcpy(&real, &symbol, sizeof(real));
    bool before = excluded;
    excluded = true;
    real(config);
    excluded = before; /* these call each other */
}

int config_read_string(config_t *config, const char *text)
{
    void *symbol = dlsym(RTLD_NEXT, "config_read_string");
    int (*real)(config_t *, const char *);
    memcpy(&real, &symbol, sizeof(real));
    bool before = excluded;
    excluded = true;
    int result = real(config, text);
    excluded = before;
    return result;
}

/* libjwt 1.10 measures the text of a header that could not be made. */
char *jwt_encode_str(void *jwt);
char *jwt_encode_str(void *jwt)
{
    void *symbol = dlsym(dlopen("libjwt.so.0", RTLD_LAZY | RTLD_NOLOAD), "jwt_encode_str");
    char *(*real)(void *);
    memcpy(&real, &symbol, sizeof(real));
    bool before = excluded;
    excluded = true;
    char *text = real(jwt);
    excluded = before;
    return text;
}

#if defined(__SANITIZE_ADDRESS__)
/* jansson 2.14 loses a text when what comes after it cannot be allocated. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
    /* dlopen(3) of glibc forgets its list of dependencies when a later allocation fails. */
    return "leak:libjansson\nleak:_dl_map_object_deps\nleak:dl_open_worker";
}

/* What is not suppressed would be the only line in a log. */
const char *__lsan_default_options(void);
const char *__lsan_default_options(void)
{
    return "print_suppressions=0";
}

/* The sanitizer asks this at the start of a thread, and gives up when it has no memory. */
__attribute__((no_sanitize("address", "undefined"))) int pthread_getattr_np(pthread_t thread,
                                                                            pthread_attr_t *attributes)
{
    void *symbol = dlsym(RTLD_NEXT, "pthread_getattr_np");
    int (*real)(pthread_t, pthread_attr_t *);
    memcpy(&real, &symbol, sizeof(real));
    bool before = excluded;
    excluded = true;
    int result = real(thread, attributes);
    excluded = before;
    return result;
}
#endif

static BARE bool fails(void)
{
    if (!atomic_load_explicit(&armed, memory_order_relaxed) || excluded)
        return false;
    long n = atomic_fetch_add(&counted, 1) + 1;
    if (n < atomic_load(&failing_from) || n > atomic_load(&failing_to))
        return false;
    atomic_store(&hit, true);
    errno = ENOMEM;
    return true;
}

BARE void *malloc(size_t size)
{
    return fails() ? NULL : REAL(malloc)(size);
}

BARE void *calloc(size_t count, size_t size)
{
    return fails() ? NULL : REAL(calloc)(count, size);
}

BARE void *realloc(void *ptr, size_t size)
{
    return fails() ? NULL : REAL(realloc)(ptr, size);
}

void failing_arm(long n, long burst)
{
    atomic_store(&counted, 0);
    atomic_store(&hit, false);
    atomic_store(&failing_from, n);
    atomic_store(&failing_to, n + burst - 1);
    atomic_store(&armed, true);
}

bool failing_disarm(void)
{
    atomic_store(&armed, false);
    return atomic_load(&hit);
}

long failing_count(void)
{
    return atomic_load(&counted);
}

/* Password hashing takes 70 ms and gets its 19 MiB from mmap: here it costs nothing, and its memory is one allocation as well. */

static int cheap_hash(char out[crypto_pwhash_STRBYTES], const char *password, unsigned long long len)
{
    unsigned char digest[32];
    if (fails())
        return -1;
    crypto_generichash(digest, sizeof(digest), (const unsigned char *)password, len, NULL, 0);
    memset(out, 0, crypto_pwhash_STRBYTES);
    sodium_bin2hex(out, crypto_pwhash_STRBYTES, digest, sizeof(digest));
    return 0;
}

int crypto_pwhash_str_alg(char out[crypto_pwhash_STRBYTES], const char *const password, unsigned long long len,
                          unsigned long long passes, size_t memory, int algorithm)
{
    (void)passes;
    (void)memory;
    (void)algorithm;
    return cheap_hash(out, password, len);
}

int crypto_pwhash_str_verify(const char str[crypto_pwhash_STRBYTES], const char *const password, unsigned long long len)
{
    char made[crypto_pwhash_STRBYTES];
    return cheap_hash(made, password, len) == 0 && strcmp(made, str) == 0 ? 0 : -1;
}

int crypto_pwhash_str_needs_rehash(const char str[crypto_pwhash_STRBYTES], unsigned long long passes, size_t memory)
{
    (void)str;
    (void)passes;
    (void)memory;
    return 0;
}
