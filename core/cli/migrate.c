/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>

#include "core/base/arena.h"
#include "core/cli/load.h"
#include "core/cli/table.h"
#include "core/database/migrations.h"
#include "core/schema/schema.h"
#include "core/supervisor/data.h"

static const char *plural(size_t number)
{
    return number == 1 ? "" : "s";
}

static void say(struct buffer *problems)
{
    if (problems->len > 0)
        fprintf(stderr, "backplane: %.*s\n", (int)bp_str_trim(buffer_str(problems)).len, problems->ptr);
    buffer_deinit(problems);
}

/* The first command on a new machine may be one of these. */
static bool make_data_folder(const struct assembly *assembly)
{
    struct buffer problems = {0};
    bool fine = data_folder(bp_str_of(assembly->data_dir), &problems) == 0;
    say(&problems);
    return fine;
}

int cli_migrate(const struct cli_options *options)
{
    struct cli_loaded loaded;
    unsigned applied = 0;
    bool fine = cli_load_or_say(options, "migrate", &loaded) && make_data_folder(loaded.assembly) &&
                migrations_up(loaded.assembly, false, &applied) == 0;
    if (fine)
        printf("schema up to date: %u migration%s applied\n", applied, plural(applied));
    cli_unload(&loaded);
    return fine ? CLI_OK : CLI_FAILED;
}

/* ---- down ---- */

/* A number in decimal, from min on. */
static bool read_number(const char *option, const char *text, uint32_t min, uint32_t *ret_number)
{
    uint64_t number;
    if (bp_str_to_u64(bp_str_of(text), &number) && number >= min && number <= UINT32_MAX) {
        *ret_number = (uint32_t)number;
        return true;
    }
    fprintf(stderr, "backplane: %s must be an integer, at least %u\n", option, min);
    return false;
}

static bool read_target(const struct cli_options *options, struct migration_target *target)
{
    *target = (struct migration_target){.owner = options->argument_count > 0 ? options->arguments[0] : NULL,
                                        .to_version = options->to != NULL,
                                        .steps = 1};
    if (options->to && (options->steps || !target->owner)) {
        fputs(options->steps ? "backplane: --to and --steps exclude each other\n" : "backplane: --to needs OWNER\n",
              stderr);
        return false;
    }
    return (!options->to || read_number("--to", options->to, 0, &target->to)) &&
           (!options->steps || read_number("--steps", options->steps, 1, &target->steps));
}

int cli_migrate_down(const struct cli_options *options)
{
    struct cli_loaded loaded;
    struct migration_target target;
    struct buffer problems = {0};
    unsigned undone = 0;
    if (!read_target(options, &target))
        return CLI_USAGE;
    bool fine = cli_load_or_say(options, "migrate", &loaded) && make_data_folder(loaded.assembly) &&
                migrations_down(loaded.assembly, &target, &problems, &undone) == 0;
    say(&problems);
    if (fine)
        printf("%u migration%s undone\n", undone, plural(undone));
    cli_unload(&loaded);
    return fine ? CLI_OK : CLI_FAILED;
}

/* ---- status ---- */

static const char *const state_names[] = {"applied", "missing", "changed", "unknown"};
#define STATES (sizeof(state_names) / sizeof(*state_names))

static void count_states(const struct migration_row *rows, size_t count, size_t ret_counts[STATES])
{
    memset(ret_counts, 0, STATES * sizeof(*ret_counts));
    for (size_t i = 0; i < count; i++)
        ret_counts[rows[i].state]++;
}

static void format_date(const struct migration_row *row, char text[BP_DATE_LEN + 1])
{
    memset(text, 0, BP_DATE_LEN + 1);
    if (row->state != MIGRATION_MISSING)
        bp_date_format(row->applied_at, text);
}

static void print_status(const struct migration_row *rows, size_t count)
{
    struct table table = {.columns = 6};
    size_t counts[STATES];
    const char *separator = "schema not up to date: ";
    count_states(rows, count, counts);
    table_row(&table, (const char *const[]){"DATABASE", "OWNER", "VERSION", "NAME", "STATE", "APPLIED"});
    for (size_t i = 0; i < count; i++) {
        char version[16], date[BP_DATE_LEN + 1];
        snprintf(version, sizeof(version), "%u", rows[i].version);
        format_date(&rows[i], date);
        table_row(&table, (const char *const[]){rows[i].database, rows[i].owner, version, rows[i].name,
                                                state_names[rows[i].state], date});
    }
    table_print(&table, "", stdout);
    table_deinit(&table);
    if (counts[MIGRATION_APPLIED] == count) {
        puts("schema up to date");
        return;
    }
    for (size_t i = MIGRATION_MISSING; i < STATES; i++)
        if (counts[i] > 0) {
            printf("%s%zu %s", separator, counts[i], state_names[i]);
            separator = ", ";
        }
    putchar('\n');
}

static void print_json(const struct migration_row *rows, size_t count)
{
    struct buffer out = {0};
    size_t counts[STATES];
    count_states(rows, count, counts);
    buffer_printf(&out, "{\"ok\":%s", counts[MIGRATION_APPLIED] == count ? "true" : "false");
    for (size_t i = 0; i < STATES; i++)
        buffer_printf(&out, ",\"%s\":%zu", state_names[i], counts[i]);
    buffer_add(&out, BP_STR(",\"migrations\":["));
    for (size_t i = 0; i < count; i++) {
        char date[BP_DATE_LEN + 1];
        format_date(&rows[i], date);
        buffer_add(&out, i > 0 ? BP_STR(",{\"database\":") : BP_STR("{\"database\":"));
        schema_encode_text(bp_str_of(rows[i].database), &out);
        buffer_add(&out, BP_STR(",\"owner\":"));
        schema_encode_text(bp_str_of(rows[i].owner), &out);
        buffer_printf(&out, ",\"version\":%u,\"name\":", rows[i].version);
        schema_encode_text(bp_str_of(rows[i].name), &out);
        buffer_printf(&out, ",\"state\":\"%s\",\"appliedAt\":%s%s%s}", state_names[rows[i].state], date[0] ? "\"" : "",
                      date[0] ? date : "null", date[0] ? "\"" : "");
    }
    buffer_add(&out, BP_STR("]}\n"));
    fwrite(out.ptr, 1, out.len, stdout);
    buffer_deinit(&out);
}

int cli_migrate_status(const struct cli_options *options)
{
    struct cli_loaded loaded;
    struct migration_row *rows = NULL;
    size_t count = 0, counts[STATES];
    struct bp_arena *arena = arena_new();
    int code = CLI_FAILED;
    if (arena && cli_load_or_say(options, "migrate", &loaded) &&
        migrations_status(loaded.assembly, arena, &rows, &count) == 0) {
        if (options->json)
            print_json(rows, count);
        else
            print_status(rows, count);
        count_states(rows, count, counts);
        code = counts[MIGRATION_APPLIED] == count ? CLI_OK : CLI_BEHIND;
    }
    if (arena)
        cli_unload(&loaded);
    arena_free(arena);
    return code;
}
