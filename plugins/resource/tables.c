/* SPDX-License-Identifier: MIT */
/*
 * The table of a resource. Its texts hang on nothing but the names and types of fields, `initial`, `since`, the owner rule and the
 * instance's name, whatever the order in the file, so that every other option can be changed at any time. A column may be NULL: what rows
 * must have is said by the fields, and checked before anything is written.
 */
#include <stdio.h>
#include <stdlib.h>

#include "definition.h"

static const struct {
    const char *sqlite, *postgres;
} column_types[] = {
    [FIELD_BOOL] = {"INTEGER", "boolean"},
    [FIELD_INTEGER] = {"INTEGER", "bigint"},
    [FIELD_NUMBER] = {"REAL", "double precision"},
    [FIELD_TEXT] = {"TEXT", "text"},
    [FIELD_CHOICE] = {"TEXT", "text"},
    [FIELD_UUID] = {"BLOB", "uuid"},
    [FIELD_DATE] = {"INTEGER", "timestamptz"},
    [FIELD_TEXTS] = {"TEXT", "jsonb"},
};

struct writer {
    const char *name;
    bool postgres, owned;
    const struct field_option *fields[FIELDS_MAX]; /* sorted by name */
    size_t count;
};

static int by_name(const void *a, const void *b)
{
    const struct field_option *const *left = a, *const *right = b;
    return strcmp((*left)->name.ptr, (*right)->name.ptr);
}

/* A value that was checked, as SQL. */
static void write_initial(const struct writer *writer, const struct field_option *field, FILE *out)
{
    const char *text = field->initial.ptr;
    bp_uuid uuid;
    bp_date date;
    switch (field->type) {
    case FIELD_BOOL:
        fputs(bp_str_is(field->initial, "true") ? (writer->postgres ? "true" : "1")
              : writer->postgres                ? "false"
                                                : "0",
              out);
        break;
    case FIELD_INTEGER:
        fprintf(out, "%lld", strtoll(text, NULL, 10));
        break;
    case FIELD_NUMBER:
        fprintf(out, "%.17g", strtod(text, NULL));
        break;
    case FIELD_UUID:
        if (!bp_uuid_parse(field->initial, &uuid))
            break;
        fputs(writer->postgres ? "'" : "X'", out);
        for (size_t i = 0; i < sizeof(uuid.bytes); i++)
            fprintf(out, "%02x", uuid.bytes[i]);
        fputc('\'', out);
        break;
    case FIELD_DATE:
        if (bp_date_parse(field->initial, &date)) {
            char formatted[BP_DATE_LEN + 1] = "";
            bp_date_format(date, formatted);
            if (writer->postgres)
                fprintf(out, "'%s'", formatted);
            else
                fprintf(out, "%lld", (long long)date);
        }
        break;
    default:
        fputc('\'', out);
        for (size_t i = 0; i < field->initial.len; i++)
            fprintf(out, text[i] == '\'' ? "''" : "%c", text[i]);
        fputc('\'', out);
    }
}

static void write_column(const struct writer *writer, const struct field_option *field, FILE *out)
{
    const char *type = writer->postgres ? column_types[field->type].postgres : column_types[field->type].sqlite;
    fprintf(out, "\"%s\" %s", field->name.ptr, type);
    if (field->initial.ptr) {
        fputs(" DEFAULT ", out);
        write_initial(writer, field, out);
    }
}

static void write_create(const struct writer *writer, FILE *out)
{
    const char *uuid = writer->postgres ? "uuid" : "BLOB";
    const char *date = column_types[FIELD_DATE].postgres;
    if (!writer->postgres)
        date = column_types[FIELD_DATE].sqlite;
    fprintf(out, "CREATE TABLE resource_%s (\n    id %s PRIMARY KEY NOT NULL,\n", writer->name, uuid);
    if (writer->owned)
        fprintf(out, "    user_id %s NOT NULL REFERENCES users (id) ON DELETE CASCADE,\n", uuid);
    for (size_t i = 0; i < writer->count; i++) {
        if (writer->fields[i]->since != 1)
            continue;
        fputs("    ", out);
        write_column(writer, writer->fields[i], out);
        fputs(",\n", out);
    }
    fprintf(out,
            "    created_at %s NOT NULL,\n    updated_at %s NOT NULL,\n    version %s NOT NULL\n)%s;\n"
            "CREATE INDEX resource_%s_newest ON resource_%s (%screated_at DESC, id DESC);\n",
            date, date, writer->postgres ? "bigint" : "INTEGER", writer->postgres ? "" : " STRICT, WITHOUT ROWID",
            writer->name, writer->name, writer->owned ? "user_id, " : "");
}

static void write_up(const struct writer *writer, uint32_t version, FILE *out)
{
    if (version == 1)
        write_create(writer, out);
    for (size_t i = 0; i < writer->count && version > 1; i++) {
        if (writer->fields[i]->since != version)
            continue;
        fprintf(out, "ALTER TABLE resource_%s ADD COLUMN ", writer->name);
        write_column(writer, writer->fields[i], out);
        fputs(";\n", out);
    }
}

static void write_down(const struct writer *writer, uint32_t version, FILE *out)
{
    if (version == 1)
        fprintf(out, "DROP TABLE resource_%s;\n", writer->name);
    for (size_t i = 0; i < writer->count && version > 1; i++)
        if (writer->fields[i]->since == version)
            fprintf(out, "ALTER TABLE resource_%s DROP COLUMN \"%s\";\n", writer->name, writer->fields[i]->name.ptr);
}

/* The fields themselves, so that a history that differs says in which. */
static void write_title(const struct writer *writer, uint32_t version, FILE *out)
{
    const char *comma = "";
    fputs(version > 1 ? "add " : writer->owned ? "create with owner: " : "create shared: ", out);
    for (size_t i = 0; i < writer->count; i++) {
        if (writer->fields[i]->since != version)
            continue;
        fprintf(out, "%s%s %s", comma, writer->fields[i]->name.ptr, field_type_names[writer->fields[i]->type]);
        comma = ", ";
    }
}

static const char *text_of(const struct writer *writer, uint32_t version, bool postgres,
                           void (*write)(const struct writer *writer, uint32_t version, FILE *out))
{
    struct writer copy = *writer;
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    copy.postgres = postgres;
    if (!out)
        return NULL;
    write(&copy, version, out);
    return fclose(out) == 0 ? text : NULL;
}

struct bp_migration *tables_migrations(const struct resource_plugin *self, const char *name)
{
    const struct field_option *fields = self->fields.ptr;
    struct writer writer = {.name = name, .owned = self->owner == OWNER_USER, .count = self->fields.len};
    uint32_t last = 1;
    for (size_t i = 0; i < writer.count; i++) {
        writer.fields[i] = &fields[i];
        last = fields[i].since > last ? fields[i].since : last;
    }
    qsort(writer.fields, writer.count, sizeof(*writer.fields), by_name);
    struct bp_migration *migrations = calloc(last + 1, sizeof(*migrations));
    for (uint32_t version = 1; migrations && version <= last; version++) {
        migrations[version - 1] =
            (struct bp_migration)BP_MIGRATION(.version = version, .name = text_of(&writer, version, false, write_title),
                                              .up = text_of(&writer, version, false, write_up),
                                              .up_postgres = text_of(&writer, version, true, write_up),
                                              .down = text_of(&writer, version, false, write_down));
        const struct bp_migration *made = &migrations[version - 1];
        if (!made->name || !made->up || !made->up_postgres || !made->down)
            return NULL;
    }
    return migrations;
}
