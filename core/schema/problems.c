/* SPDX-License-Identifier: MIT */
#include "core/schema/table.h"

#include <stdio.h>

void problems_init(struct bp_problems *problems, struct bp_arena *arena)
{
    *problems = (struct bp_problems){.arena = arena};
}

struct text {
    char *ptr; /* NULL: only count */
    size_t len;
};

static void put(struct text *out, bp_str s)
{
    if (out->ptr && s.len > 0)
        memcpy(out->ptr + out->len, s.ptr, s.len);
    out->len += s.len;
}

static void put_name(struct text *field, struct text *pointer, bp_str name)
{
    if (field->len > 0)
        put(field, BP_STR("."));
    put(field, name);
    put(pointer, BP_STR("/"));
    for (size_t i = 0; i < name.len; i++) {
        if (name.ptr[i] == '~')
            put(pointer, BP_STR("~0"));
        else if (name.ptr[i] == '/')
            put(pointer, BP_STR("~1"));
        else
            put(pointer, bp_str_n(&name.ptr[i], 1));
    }
}

/* As deep as tables are nested in the input, which the decoder has bounded. */
static void put_path(struct text *field, struct text *pointer, const struct problem_path *path)
{
    if (!path)
        return;
    put_path(field, pointer, path->parent);
    if (path->name.ptr) {
        put_name(field, pointer, path->name);
    } else {
        char digits[24];
        size_t len = (size_t)snprintf(digits, sizeof(digits), "%zu", path->index);
        put(field, BP_STR("["));
        put(field, bp_str_n(digits, len));
        put(field, BP_STR("]"));
        put(pointer, BP_STR("/"));
        put(pointer, bp_str_n(digits, len));
    }
}

static bool locate(struct bp_problems *problems, bp_str name, struct problem *problem)
{
    struct text field = {0}, pointer = {0};
    put_path(&field, &pointer, problems->path);
    if (name.len > 0)
        put_name(&field, &pointer, name);
    field = (struct text){.ptr = bp_arena_alloc(problems->arena, field.len + 1)};
    pointer = (struct text){.ptr = bp_arena_alloc(problems->arena, pointer.len + 1)};
    if (!field.ptr || !pointer.ptr)
        return false;
    put_path(&field, &pointer, problems->path);
    if (name.len > 0)
        put_name(&field, &pointer, name);
    problem->field = bp_str_n(field.ptr, field.len);
    problem->pointer = bp_str_n(pointer.ptr, pointer.len);
    return true;
}

static bool grow(struct bp_problems *problems)
{
    if (problems->len < problems->cap)
        return true;
    size_t cap = problems->cap ? 2 * problems->cap : 8;
    struct problem *items = bp_arena_array(problems->arena, cap, sizeof(*items));
    if (!items)
        return false;
    if (problems->len > 0)
        memcpy(items, problems->items, problems->len * sizeof(*items));
    problems->items = items;
    problems->cap = cap;
    return true;
}

void problems_add(struct bp_problems *problems, bp_str name, const char *code, bp_str message)
{
    struct problem problem = {.line = problems->line, .file = problems->file};
    if (problems->failed || problems->len >= PROBLEMS_MAX)
        return;
    problem.code = bp_arena_copy(problems->arena, bp_str_of(code));
    problem.message = bp_arena_copy(problems->arena, message);
    if (!problem.code.ptr || !problem.message.ptr || !locate(problems, name, &problem) || !grow(problems)) {
        problems->failed = true;
        return;
    }
    problems->items[problems->len++] = problem;
}

void bp_problem_add(struct bp_problems *problems, const struct bp_field *row, const char *code, const char *message)
{
    bp_str name = row ? schema_json_name(row) : bp_str_n(NULL, 0);
    problems_add(problems, name, code, bp_str_of(message));
}
