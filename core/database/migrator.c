/* SPDX-License-Identifier: MIT */
#include "core/database/migrator.h"

#include "backplane/log.h"
#include "backplane/status.h"
#include "core/database/schema_history.h"

/* What the provider has said in the log already comes without a reason. */
static int say_failed(const struct owner *owner, int status, const char *reason)
{
    status = status < 0 ? status : BP_ERROR;
    bp_log(owner->database, BP_LOG_ERROR, "migrate.failed", "The schema could not be changed",
           bp_log_cstr("owner", owner->name), bp_log_cstr("status", bp_status_name(status)),
           reason ? bp_log_cstr("reason", reason) : bp_log_end());
    return status;
}

static int say_why(const struct owner *owner, struct buffer *why)
{
    buffer_add_char(why, 0);
    int status = why->failed ? BP_NOMEM : BP_ERROR;
    (void)say_failed(owner, status, why->failed ? NULL : why->ptr);
    buffer_deinit(why);
    return status;
}

int migrator_open(const struct owner *owner, bool read_only, struct bp_db_migrator **ret_migrator)
{
    if (owner->database->state != HOST_READY) {
        bp_log(owner->database, BP_LOG_ERROR, "migrate.database_incomplete", "The database is not configured");
        return BP_INVALID;
    }
    if (!owner->vtable->migrate_open) {
        bp_log(owner->database, BP_LOG_ERROR, "migrate.not_offered", "The plugin of the database cannot migrate",
               bp_log_cstr("plugin", owner->database->plugin.name));
        return BP_INVALID;
    }
    int status = owner->vtable->migrate_open(owner->database->self, read_only, ret_migrator);
    /* One line is enough: the provider's own, which knows more. */
    if (status < 0 && owner->database->start_error_said)
        return status;
    return status == 0 ? 0 : say_failed(owner, status, NULL);
}

int migrator_history(const struct owner *owner, struct bp_db_migrator *migrator, struct bp_arena *arena,
                     struct history *ret_history)
{
    int status =
        owner->vtable->migrate_history(migrator, owner->name, arena, &ret_history->records, &ret_history->count);
    return status == 0 ? 0 : say_failed(owner, status, NULL);
}

int migrator_checked_history(const struct owner *owner, struct bp_db_migrator *migrator, struct bp_arena *arena,
                             struct history *ret_history)
{
    struct buffer why = {0};
    int status = migrator_history(owner, migrator, arena, ret_history);
    if (status == 0 && !history_agrees(owner, ret_history->records, ret_history->count, &why))
        return say_why(owner, &why);
    return status;
}

int migrator_step(const struct owner *owner, struct bp_db_migrator *migrator, uint32_t version, bool forward)
{
    char checksum[CHECKSUM_SIZE];
    const char *name = owner->migrations[version - 1].name;
    const char *said = NULL;
    struct buffer why = {0};
    history_checksum(owner, version, checksum);
    const struct bp_db_applied record = {
        .version = version, .name = bp_str_of(name), .checksum = bp_str_of(checksum), .applied_at = bp_date_now()};
    const char *text = forward ? owner_up(owner, version) : owner_down(owner, version);
    int status = owner->vtable->migrate_step(migrator, owner->name, &record, forward, text, &said);
    if (status == 0) {
        bp_log(owner->database, BP_LOG_INFO, forward ? "migrate.applied" : "migrate.undone",
               forward ? "A migration was applied" : "A migration was undone", bp_log_cstr("owner", owner->name),
               bp_log_int("version", version), bp_log_cstr("name", name));
        return 0;
    }
    if (status != BP_ERROR || !said)
        return say_failed(owner, status, NULL);
    buffer_printf(&why,
                  forward ? "migration %u (%s) of %s failed and was undone: %s"
                          : "migration %u (%s) of %s could not be undone, and stays: %s",
                  version, name, owner->name, said);
    return say_why(owner, &why);
}
