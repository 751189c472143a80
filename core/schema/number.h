/* SPDX-License-Identifier: MIT */
/* Numbers, dates and UUIDs as JSON writes them. Each writes at p, no NUL, and returns the place behind. */
#ifndef CORE_SCHEMA_NUMBER_H
#define CORE_SCHEMA_NUMBER_H

#include "backplane/clock.h"
#include "backplane/uuid.h"

#define NUMBER_INTEGER_MAX 20
#define NUMBER_DOUBLE_MAX 32
char *number_put_u64(char *p, uint64_t value);
char *number_put_i64(char *p, int64_t value);
/* The fewest of 15 to 17 digits that read back as the same value; "null" when not finite. */
char *number_put_double(char *p, double value);
/* BP_UUID_LEN bytes. */
char *number_put_uuid(char *p, const bp_uuid *uuid);
/* BP_DATE_LEN bytes, or NULL outside the years 0000 to 9999. */
char *number_put_date(char *p, bp_date date);

#endif
