/* SPDX-License-Identifier: MIT */
#include "core/database/schema_history.h"

#include <sodium.h>

#define CHECKSUM_BYTES (CHECKSUM_SIZE / 2)

void history_checksum(const struct owner *owner, uint32_t version, char ret_checksum[CHECKSUM_SIZE])
{
    const char *text = owner_up(owner, version);
    unsigned char hash[CHECKSUM_BYTES];
    crypto_generichash(hash, sizeof(hash), (const unsigned char *)text, strlen(text), NULL, 0);
    sodium_bin2hex(ret_checksum, CHECKSUM_SIZE, hash, sizeof(hash));
}

static bool same_name(const struct owner *owner, const struct bp_db_applied *record)
{
    return bp_str_is(record->name, owner->migrations[record->version - 1].name);
}

static bool same_text(const struct owner *owner, const struct bp_db_applied *record)
{
    char checksum[CHECKSUM_SIZE];
    history_checksum(owner, record->version, checksum);
    return bp_str_is(record->checksum, checksum);
}

static bool is_known(const struct owner *owner, const struct bp_db_applied *record)
{
    return record->version >= 1 && record->version <= owner->count;
}

enum migration_state history_state(const struct owner *owner, const struct bp_db_applied *record)
{
    if (!is_known(owner, record))
        return MIGRATION_UNKNOWN;
    return same_name(owner, record) && same_text(owner, record) ? MIGRATION_APPLIED : MIGRATION_CHANGED;
}

static bool record_agrees(const struct owner *owner, const struct bp_db_applied *record, struct buffer *why)
{
    if (!is_known(owner, record))
        buffer_printf(why,
                      "the database has migration %u (%" BP_STR_FMT
                      ") of %s, but this version of the program knows only %u: a newer one has used it",
                      record->version, BP_STR_ARG(record->name), owner->name, owner->count);
    else if (!same_name(owner, record))
        buffer_printf(why, "migration %u of %s was applied as \"%" BP_STR_FMT "\", but is \"%s\" here", record->version,
                      owner->name, BP_STR_ARG(record->name), owner->migrations[record->version - 1].name);
    else if (!same_text(owner, record))
        buffer_printf(why, "migration %u (%" BP_STR_FMT ") of %s was changed after it had been applied",
                      record->version, BP_STR_ARG(record->name), owner->name);
    else
        return true;
    return false;
}

bool history_agrees(const struct owner *owner, const struct bp_db_applied *records, size_t count, struct buffer *why)
{
    for (size_t i = 0; i < count; i++) {
        if (!record_agrees(owner, &records[i], why))
            return false;
        if (records[i].version != i + 1) {
            buffer_printf(why, "the database lacks migration %zu of %s, but has later ones", i + 1, owner->name);
            return false;
        }
    }
    return true;
}
