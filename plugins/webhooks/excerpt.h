/* SPDX-License-Identifier: MIT */
/* What is kept of a receiver's answer. */
#ifndef PLUGINS_WEBHOOKS_EXCERPT_H
#define PLUGINS_WEBHOOKS_EXCERPT_H

#include "backplane/arena.h"

/* The beginning of bytes that may be anything, as UTF-8 of max bytes at most, cut between characters; U+FFFD stands for what is no character, and for NUL.
 * ptr NULL: out of memory. */
bp_str excerpt(bp_str bytes, size_t max, struct bp_arena *arena);

#endif
