/* SPDX-License-Identifier: MIT */
#include "types.h"

static const char *const patterns[] = {"^[a-z][a-z0-9_]*\\.(\\*|[a-z][a-z0-9_]*)$", NULL};

/* How long the word at the beginning is; 0: there is none. */
static size_t word_length(bp_str text)
{
    size_t len = 0;
    while (len < text.len && ((text.ptr[len] >= 'a' && text.ptr[len] <= 'z') ||
                              (len > 0 && ((text.ptr[len] >= '0' && text.ptr[len] <= '9') || text.ptr[len] == '_'))))
        len++;
    return len;
}

static void check(const struct bp_field *row, const void *value, struct bp_problems *problems)
{
    bp_str type = *(const bp_str *)value;
    size_t noun = word_length(type);
    bool fine = noun > 0 && noun < type.len && type.ptr[noun] == '.';
    if (fine) {
        bp_str verb = bp_str_n(type.ptr + noun + 1, type.len - noun - 1);
        fine = bp_str_is(verb, "*") || (verb.len > 0 && word_length(verb) == verb.len);
    }
    if (!fine)
        bp_problem_add(problems, row, "webhook.type", "Types must look like todo.created or todo.*");
}

const struct bp_field type_rows[] = {
    {.name = "",
     .label = "Type",
     .type = BP_TYPE_TEXT,
     .min = 1,
     .max = TYPE_MAX,
     .check = check,
     .patterns = patterns,
     .example = "todo.created"},
    BP_END,
};

bool types_match(struct bp_array types, bp_str type)
{
    for (size_t i = 0; i < types.len; i++) {
        bp_str wanted = ((const bp_str *)types.ptr)[i];
        bool all = wanted.len > 0 && wanted.ptr[wanted.len - 1] == '*';
        if (all ? bp_str_starts(type, bp_str_n(wanted.ptr, wanted.len - 1)) : bp_str_eq(type, wanted))
            return true;
    }
    return types.len == 0;
}

/* Checked ones hold nothing that JSON escapes. */
bp_str types_json(struct bp_array types, struct bp_arena *arena)
{
    char *text = bp_arena_alloc(arena, 3 + types.len * (TYPE_MAX + 3)), *at = text;
    if (!text)
        return bp_str_n(NULL, 0);
    *at++ = '[';
    for (size_t i = 0; i < types.len; i++) {
        bp_str type = ((const bp_str *)types.ptr)[i];
        if (i > 0)
            *at++ = ',';
        *at++ = '"';
        memcpy(at, type.ptr, type.len);
        at += type.len;
        *at++ = '"';
    }
    *at++ = ']';
    return bp_str_n(text, (size_t)(at - text));
}
