/* SPDX-License-Identifier: MIT */
/* The table's history: the same whatever the order of fields, and in both languages. */
#include <criterion/criterion.h>
#include <stdlib.h>

#include "definition.h"

#define TEXT(s)            \
    {                      \
        (s), sizeof(s) - 1 \
    }
#define OF(name_, type_) .name = TEXT(name_), .type = (type_)

static void expect(const struct bp_migration *migration, const char *name, const char *up, const char *up_postgres,
                   const char *down)
{
    cr_expect_str_eq(migration->name, name);
    cr_expect_str_eq(migration->up, up);
    cr_expect_str_eq(migration->up_postgres, up_postgres);
    cr_expect_str_eq(migration->down, down);
    cr_expect_null(migration->down_postgres);
}

static void free_all(struct bp_migration *migrations)
{
    for (struct bp_migration *m = migrations; m->up; m++) {
        free((char *)(uintptr_t)m->name);
        free((char *)(uintptr_t)m->up);
        free((char *)(uintptr_t)m->up_postgres);
        free((char *)(uintptr_t)m->down);
    }
    free(migrations);
}

Test(tables, of_accounts)
{
    /* What says nothing about the table (bounds, filters, texts) changes nothing. */
    struct field_option fields[] = {
        {OF("text", FIELD_TEXT), .since = 1, .required = true, .max = 5, .filter = true, .doc = TEXT("It.")},
        {OF("stars", FIELD_INTEGER), .since = 1},
        {OF("weight", FIELD_NUMBER), .since = 2, .initial = TEXT("0.5")},
        {OF("owner_name", FIELD_TEXT), .since = 3, .initial = TEXT("O'Hara")},
        {OF("at", FIELD_DATE), .since = 2, .initial = TEXT("2026-11-23T00:00:00Z")},
        {OF("done", FIELD_BOOL), .since = 3, .initial = TEXT("true")},
    };
    struct resource_plugin self = {.owner = OWNER_USER, .fields = {fields, 6}};
    for (int turn = 0; turn < 2; turn++) {
        struct bp_migration *migrations = tables_migrations(&self, "notes");
        cr_assert_not_null(migrations);
        expect(&migrations[0], "create with owner: stars integer, text text",
               "CREATE TABLE resource_notes (\n    id BLOB PRIMARY KEY NOT NULL,\n"
               "    user_id BLOB NOT NULL REFERENCES users (id) ON DELETE CASCADE,\n"
               "    \"stars\" INTEGER,\n    \"text\" TEXT,\n    created_at INTEGER NOT NULL,\n"
               "    updated_at INTEGER NOT NULL,\n    version INTEGER NOT NULL\n) STRICT, WITHOUT ROWID;\n"
               "CREATE INDEX resource_notes_newest ON resource_notes (user_id, created_at DESC, id DESC);\n",
               "CREATE TABLE resource_notes (\n    id uuid PRIMARY KEY NOT NULL,\n"
               "    user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,\n"
               "    \"stars\" bigint,\n    \"text\" text,\n    created_at timestamptz NOT NULL,\n"
               "    updated_at timestamptz NOT NULL,\n    version bigint NOT NULL\n);\n"
               "CREATE INDEX resource_notes_newest ON resource_notes (user_id, created_at DESC, id DESC);\n",
               "DROP TABLE resource_notes;\n");
        expect(&migrations[1], "add at date, weight number",
               "ALTER TABLE resource_notes ADD COLUMN \"at\" INTEGER DEFAULT 1795392000000;\n"
               "ALTER TABLE resource_notes ADD COLUMN \"weight\" REAL DEFAULT 0.5;\n",
               "ALTER TABLE resource_notes ADD COLUMN \"at\" timestamptz DEFAULT '2026-11-23T00:00:00.000Z';\n"
               "ALTER TABLE resource_notes ADD COLUMN \"weight\" double precision DEFAULT 0.5;\n",
               "ALTER TABLE resource_notes DROP COLUMN \"at\";\nALTER TABLE resource_notes DROP COLUMN \"weight\";\n");
        expect(&migrations[2], "add done bool, owner_name text",
               "ALTER TABLE resource_notes ADD COLUMN \"done\" INTEGER DEFAULT 1;\n"
               "ALTER TABLE resource_notes ADD COLUMN \"owner_name\" TEXT DEFAULT 'O''Hara';\n",
               "ALTER TABLE resource_notes ADD COLUMN \"done\" boolean DEFAULT true;\n"
               "ALTER TABLE resource_notes ADD COLUMN \"owner_name\" text DEFAULT 'O''Hara';\n",
               "ALTER TABLE resource_notes DROP COLUMN \"done\";\n"
               "ALTER TABLE resource_notes DROP COLUMN \"owner_name\";\n");
        cr_expect_null(migrations[3].up);
        free_all(migrations);
        struct field_option first = fields[0];
        memmove(fields, fields + 1, 5 * sizeof(fields[0]));
        fields[5] = first;
    }
}

Test(tables, shared)
{
    struct field_option field = {OF("tags", FIELD_TEXTS), .since = 1};
    struct resource_plugin self = {.owner = OWNER_NONE, .fields = {&field, 1}};
    struct bp_migration *migrations = tables_migrations(&self, "words");
    cr_assert_not_null(migrations);
    expect(&migrations[0], "create shared: tags texts",
           "CREATE TABLE resource_words (\n    id BLOB PRIMARY KEY NOT NULL,\n    \"tags\" TEXT,\n"
           "    created_at INTEGER NOT NULL,\n    updated_at INTEGER NOT NULL,\n    version INTEGER NOT NULL\n"
           ") STRICT, WITHOUT ROWID;\n"
           "CREATE INDEX resource_words_newest ON resource_words (created_at DESC, id DESC);\n",
           "CREATE TABLE resource_words (\n    id uuid PRIMARY KEY NOT NULL,\n    \"tags\" jsonb,\n"
           "    created_at timestamptz NOT NULL,\n    updated_at timestamptz NOT NULL,\n    version bigint NOT NULL\n"
           ");\nCREATE INDEX resource_words_newest ON resource_words (created_at DESC, id DESC);\n",
           "DROP TABLE resource_words;\n");
    cr_expect_null(migrations[1].up);
    free_all(migrations);
}
