/* SPDX-License-Identifier: MIT */
/* What a database has recorded about its schema, against what the program has. */
#ifndef CORE_DATABASE_SCHEMA_HISTORY_H
#define CORE_DATABASE_SCHEMA_HISTORY_H

#include "core/database/migrations.h"
#include "core/database/owners.h"

#define CHECKSUM_SIZE 65 /* BLAKE2b-256 in hexadecimal, and a NUL */

/* Of the text for the owner's database, so that a text for another may still be mended. */
void history_checksum(const struct owner *owner, uint32_t version, char ret_checksum[CHECKSUM_SIZE]);
/* What a record of the owner is: anything but missing. */
enum migration_state history_state(const struct owner *owner, const struct bp_db_applied *record);
/* Whether the records are those of the owner's first steps, unchanged. Else false, and why. */
bool history_agrees(const struct owner *owner, const struct bp_db_applied *records, size_t count, struct buffer *why);

#endif
