/* SPDX-License-Identifier: MIT */
#include "options.h"

#define S struct resource_plugin
#define F struct field_option
#define NOT_SET "-9223372036854775808"

const char *const field_type_names[] = {[FIELD_BOOL] = "bool", [FIELD_INTEGER] = "integer", [FIELD_NUMBER] = "number",
                                        [FIELD_TEXT] = "text", [FIELD_CHOICE] = "choice",   [FIELD_UUID] = "uuid",
                                        [FIELD_DATE] = "date", [FIELD_TEXTS] = "texts",     NULL};
static const char *const owners[] = {[OWNER_USER] = "user", [OWNER_NONE] = "none", NULL};
static const char *const unknowns[] = {[UNKNOWN_IGNORE] = "ignore", [UNKNOWN_REFUSE] = "refuse", NULL};
static const char *const conditions[] = {[CONDITIONS_OPTIONAL] = "optional", [CONDITIONS_REQUIRED] = "required", NULL};
static const char *const roles[] = {[ROLE_ANY] = "any", [ROLE_USER] = "user", [ROLE_ADMIN] = "admin", NULL};

/* The names of columns and tables are made of these, and of nothing else. */
static void check_name(const struct bp_field *row, const void *value, struct bp_problems *problems)
{
    bp_str name = *(const bp_str *)value;
    bool fine = name.len > 0 && name.ptr[0] >= 'a' && name.ptr[0] <= 'z' && name.ptr[name.len - 1] != '_';
    for (size_t i = 0; i < name.len && fine; i++) {
        char c = name.ptr[i];
        fine = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || (c == '_' && name.ptr[i - 1] != '_');
    }
    if (!fine)
        bp_problem_add(problems, row, "resource.name",
                       "must be made of lower-case letters, digits and single underscores, with a letter first");
}

static void check_path(const struct bp_field *row, const void *value, struct bp_problems *problems)
{
    bp_str path = *(const bp_str *)value;
    bool fine = path.len > 1 && path.ptr[0] == '/' && path.ptr[path.len - 1] != '/';
    for (size_t i = 0; i < path.len && fine; i++)
        fine = path.ptr[i] > ' ' && path.ptr[i] < 127 && !strchr("{}?#*%\"\\", path.ptr[i]);
    if (!fine)
        bp_problem_add(problems, row, "resource.path", "must be a path such as \"/api/v1/notes\", without parameters");
}

static const struct bp_field choice_rows[] = {
    {.name = "", .type = BP_TYPE_TEXT, .min = 1, .max = 100, .label = "Choice"}, BP_END};

static const struct bp_field field_rows[] = {
    BP_TEXT(F, name, .flags = BP_REQUIRED, .min = 1, .max = 40, .check = check_name,
            .doc = "Of the column; in JSON and in queries its camel-case form, dueAt for due_at."),
    BP_CHOICE(F, type, .flags = BP_REQUIRED, .choices = field_type_names, .doc = "What values are."),
    BP_BOOL(F, required, .def = "false", .doc = "Whether a row must have a value."),
    BP_BOOL(F, filter, .def = "false", .doc = "Whether lists may be filtered by it."),
    BP_BOOL(F, sort, .def = "false", .doc = "Whether lists may be sorted by it."),
    BP_BOOL(F, search, .def = "false", .doc = "Whether ?q= looks into it (text)."),
    BP_BOOL(F, trim, .def = "true", .doc = "Whether white space at both ends of a text is taken off."),
    BP_BOOL(F, lower, .def = "false", .doc = "Whether a text's ASCII letters are made lower-case."),
    BP_I64(F, min, .def = NOT_SET, .doc = "Least value, characters of a text, or texts of a list."),
    BP_I64(F, max, .def = NOT_SET, .doc = "Greatest value, characters of a text, or texts of a list."),
    BP_U32(F, item_max, .def = "200", .min = 1, .max = 10000, .doc = "Characters of each text of a list, at most."),
    BP_ARRAY(F, choices, bp_str, choice_rows, .max = 100, .doc = "Of type choice: the values that there are."),
    {.name = "default",
     .type = BP_TYPE_TEXT,
     .offset = offsetof(F, def),
     .max = 1000,
     .doc = "Value when none is given, as a text."},
    BP_TEXT(F, initial, .max = 1000, .doc = "Of a field added later: what the rows that are there get, as a text."),
    BP_TEXT(F, label, .max = 100, .doc = "In messages; default: the name as words."),
    BP_TEXT(F, doc, .max = 1000, .doc = "A sentence for the OpenAPI document."),
    BP_TEXT(F, example, .max = 1000, .doc = "For the OpenAPI document."),
    BP_U32(F, since, .def = "1", .min = 1, .max = 1000, .doc = "Version of the table that has it first."),
    BP_END};

const struct bp_field resource_options[] = {
    BP_TEXT(S, path, .flags = BP_REQUIRED, .min = 2, .max = 200, .check = check_path,
            .doc = "Where it is served: \"/api/v1/notes\"."),
    BP_TEXT(S, singular, .flags = BP_REQUIRED, .min = 1, .max = 40, .check = check_name,
            .doc = "What one of them is called, in messages and error codes: \"note\"."),
    BP_ARRAY(S, fields, struct field_option, field_rows, .flags = BP_REQUIRED, .min = 1, .max = FIELDS_MAX,
             .doc = "The members that clients write, each a group: see the README.md of the plugin."),
    BP_CHOICE(S, owner, .choices = owners, .def = "user",
              .doc = "user: each account has its own rows, and sees no others. none: all share them."),
    BP_CHOICE(S, read_role, .choices = roles, .def = "any",
              .doc = "Who may read. any: whom the pipeline lets through. user: every account. admin: those of that "
                     "role."),
    BP_CHOICE(S, write_role, .choices = roles, .def = "user", .doc = "Who may write."),
    BP_CHOICE(S, unknown_members, .choices = unknowns, .def = "ignore",
              .doc = "What happens to members of a body that are no field: ignore, or refuse with 400."),
    BP_CHOICE(S, conditions, .choices = conditions, .def = "optional",
              .doc =
                  "Whether a change or deletion must say of which version (If-Match); required: without, it is 428."),
    BP_U32(S, page_size, .def = "10", .min = 1, .max = 1000, .doc = "Rows of a page when ?limit= is not given."),
    BP_U32(S, page_max, .def = "100", .min = 1, .max = 1000, .doc = "Rows of a page at most."),
    BP_TEXT(S, sort, .def = "-createdAt", .max = 200,
            .doc = "Order when ?sort= is not given: members separated by commas, downwards with a minus."),
    BP_U32(S, rows_max, .def = "10000", .max = 1000000,
           .doc =
               "Rows that an account may have (with owner none: that there may be); one more is 409. 0: any number."),
    BP_END};
