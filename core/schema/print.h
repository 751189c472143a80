/* SPDX-License-Identifier: MIT */
/* Durations and sizes as they are written in a configuration file, in the largest unit without a rest. */
#ifndef CORE_SCHEMA_PRINT_H
#define CORE_SCHEMA_PRINT_H

#include "backplane/clock.h"
#include "core/base/buffer.h"

/* "30s"; "90s"; "0s" */
void print_span(bp_span span, struct buffer *out);
/* "10MB"; "64KiB"; "512B" */
void print_size(uint64_t size, struct buffer *out);

#endif
