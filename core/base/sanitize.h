/* SPDX-License-Identifier: MIT */
/* Which sanitizer this build runs under, for gcc and clang alike, and what memory owners tell it. */
#ifndef CORE_BASE_SANITIZE_H
#define CORE_BASE_SANITIZE_H

#ifndef __has_feature
#define __has_feature(feature) 0
#endif

#if defined(__SANITIZE_ADDRESS__) || __has_feature(address_sanitizer)
#define SANITIZE_ADDRESS 1
#include <sanitizer/asan_interface.h>
#define MEMORY_HIDE(ptr, len) __asan_poison_memory_region((ptr), (len))
#define MEMORY_SHOW(ptr, len) __asan_unpoison_memory_region((ptr), (len))
#else
#define SANITIZE_ADDRESS 0
#define MEMORY_HIDE(ptr, len) ((void)(ptr), (void)(len))
#define MEMORY_SHOW(ptr, len) ((void)(ptr), (void)(len))
#endif

#if defined(__SANITIZE_THREAD__) || __has_feature(thread_sanitizer)
#define SANITIZE_THREAD 1
#else
#define SANITIZE_THREAD 0
#endif

#endif
