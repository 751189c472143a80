/* SPDX-License-Identifier: MIT */
#include "tests/unit/schema/sample.h"

#include <criterion/criterion.h>

const struct bp_field todo_body[] = {
    BP_PRESENCE(struct todo_body, set, null),
    BP_TEXT(struct todo_body, title, .flags = BP_REQUIRED | BP_TRIM, .min = 1, .max = 500),
    BP_BOOL(struct todo_body, completed, .def = "false"), BP_END};

static void check_email(const struct bp_field *row, const void *value, struct bp_problems *problems)
{
    const bp_str *email = value;
    if (email->len == 0 || !memchr(email->ptr, '@', email->len))
        bp_problem_add(problems, row, "email.form", "Invalid email format");
}

static void check_password(const struct bp_field *row, const void *value, struct bp_problems *problems)
{
    const bp_str *password = value;
    bool upper = false, digit = false;
    for (size_t i = 0; i < password->len; i++) {
        upper |= password->ptr[i] >= 'A' && password->ptr[i] <= 'Z';
        digit |= password->ptr[i] >= '0' && password->ptr[i] <= '9';
    }
    if (!upper)
        bp_problem_add(problems, row, "password.no_upper", "Password must contain at least one uppercase letter");
    if (!digit)
        bp_problem_add(problems, row, "password.no_digit", "Password must contain at least one number");
}

const struct bp_field account_body[] = {
    BP_TEXT(struct account_body, email, .flags = BP_REQUIRED | BP_TRIM | BP_LOWER, .check = check_email),
    BP_TEXT(struct account_body, password, .flags = BP_REQUIRED | BP_SECRET, .min = 8, .max = 128,
            .check = check_password),
    BP_END};

static const char *const colors[] = {"red", "green", "blue", NULL};

const struct bp_field scalars[] = {BP_PRESENCE(struct scalars, set, null),
                                   BP_BOOL(struct scalars, flag, .flags = BP_NULLABLE),
                                   BP_U32(struct scalars, count, .flags = BP_NULLABLE, .min = 1, .max = 100),
                                   BP_I64(struct scalars, offset, .flags = BP_NULLABLE),
                                   BP_F64(struct scalars, ratio, .flags = BP_NULLABLE),
                                   BP_TEXT(struct scalars, text, .flags = BP_NULLABLE),
                                   BP_CHOICE(struct scalars, color, .flags = BP_NULLABLE, .choices = colors),
                                   BP_SPAN(struct scalars, span, .flags = BP_NULLABLE),
                                   BP_SIZE(struct scalars, size, .flags = BP_NULLABLE),
                                   BP_UUID(struct scalars, id, .flags = BP_NULLABLE),
                                   BP_DATE(struct scalars, due_at, .flags = BP_NULLABLE),
                                   BP_END};

const char *problems_text(const struct bp_problems *problems)
{
    const char *text = "";
    for (size_t i = 0; i < problems->len; i++) {
        const struct problem *p = &problems->items[i];
        text = bp_arena_printf(problems->arena, "%s%s %s %s: %s\n", text, p->field.ptr, p->pointer.ptr, p->code.ptr,
                               p->message.ptr)
                   .ptr;
    }
    return text;
}

const char *problems_messages(const struct bp_problems *problems)
{
    const char *text = "";
    for (size_t i = 0; i < problems->len; i++)
        text = bp_arena_printf(problems->arena, "%s%s%s", text, i > 0 ? "|" : "", problems->items[i].message.ptr).ptr;
    return text;
}

const char *encoded(const struct bp_field *rows, const void *object)
{
    static char text[8192];
    struct buffer out = {0};
    schema_encode_json(rows, object, &out);
    cr_assert(!out.failed);
    cr_assert(out.len < sizeof(text));
    memcpy(text, out.ptr, out.len);
    text[out.len] = '\0';
    buffer_deinit(&out);
    return text;
}
