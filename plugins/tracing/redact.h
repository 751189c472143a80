/* SPDX-License-Identifier: MIT */
/* A query string without its secrets. */
#ifndef TRACING_REDACT_H
#define TRACING_REDACT_H

#include "backplane/str.h"

#define REDACTED "[redacted]"

/* How long query becomes, at most. */
size_t redact_room(bp_str query);
/* Copies it; values of parameters whose names speak of secrets (bp_is_secret_name()) become "[redacted]". Returns the length. */
size_t redact_query(bp_str query, char *ret_text);

#endif
