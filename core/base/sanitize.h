/* SPDX-License-Identifier: MIT */
/* Which sanitizer this build runs under, for gcc and clang alike, and what memory owners tell it. */
#ifndef CORE_BASE_SANITIZE_H
#define CORE_BASE_SANITIZE_H

#include <stddef.h>

#ifndef __has_feature
#define __has_feature(feature) 0
#endif

#if defined(__SANITIZE_ADDRESS__) || __has_feature(address_sanitizer)
#define SANITIZE_ADDRESS 1
#include <sanitizer/asan_interface.h>
#else
#define SANITIZE_ADDRESS 0
#define __asan_poison_memory_region(ptr, len) ((void)(ptr), (void)(len))
#define __asan_unpoison_memory_region(ptr, len) ((void)(ptr), (void)(len))
#endif

#if defined(__SANITIZE_THREAD__) || __has_feature(thread_sanitizer)
#define SANITIZE_THREAD 1
#else
#define SANITIZE_THREAD 0
#endif

/* Nobody may touch these bytes until they are shown again. */
static inline void memory_hide(void *ptr, size_t len)
{
    __asm__("" : "+r"(ptr)); /* else gcc takes hiding fresh memory for a read of it */
    __asan_poison_memory_region(ptr, len);
}

static inline void memory_show(void *ptr, size_t len)
{
    __asan_unpoison_memory_region(ptr, len);
}

#endif
