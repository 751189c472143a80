/* SPDX-License-Identifier: MIT */
#include "credentials.h"

/* Not <ctype.h>: that depends on the locale. */
static bool is_upper(char c)
{
    return c >= 'A' && c <= 'Z';
}

static bool is_lower(char c)
{
    return c >= 'a' && c <= 'z';
}

static bool is_letter(char c)
{
    return is_upper(c) || is_lower(c);
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Dots neither first, nor last, nor doubled. */
static bool local_valid(bp_str local)
{
    if (local.len == 0 || local.ptr[0] == '.' || local.ptr[local.len - 1] == '.' || local.ptr[local.len - 1] == '\'')
        return false;
    for (size_t i = 0; i < local.len; i++) {
        char c = local.ptr[i];
        if (c == '.' && local.ptr[i + 1] == '.')
            return false;
        if (!is_letter(c) && !is_digit(c) && !memchr("_'+-.", c, 5))
            return false;
    }
    return true;
}

/* Labels of letters, digits and inner hyphens, at least two of them; the last one letters only. */
static bool domain_valid(bp_str domain)
{
    size_t labels = 0, start = 0;
    bool letters = true;
    for (size_t i = 0; i <= domain.len; i++) {
        if (i < domain.len && domain.ptr[i] != '.') {
            char c = domain.ptr[i];
            if (!is_letter(c) && !is_digit(c) && c != '-')
                return false;
            letters = letters && is_letter(c);
            continue;
        }
        size_t len = i - start;
        if (len == 0 || len > 63 || domain.ptr[start] == '-' || domain.ptr[i - 1] == '-')
            return false;
        labels++;
        if (i == domain.len)
            return labels >= 2 && letters && len >= 2;
        start = i + 1;
        letters = true;
    }
    return false;
}

bool email_valid(bp_str email)
{
    if (email.len == 0 || email.len > EMAIL_MAX)
        return false;
    const char *at = memchr(email.ptr, '@', email.len);
    if (!at)
        return false;
    size_t local = (size_t)(at - email.ptr);
    return local_valid(bp_str_n(email.ptr, local)) && domain_valid(bp_str_n(at + 1, email.len - local - 1));
}

unsigned password_kinds(bp_str password)
{
    unsigned kinds = 0;
    for (size_t i = 0; i < password.len; i++) {
        char c = password.ptr[i];
        kinds |= is_upper(c)   ? PASSWORD_UPPER
                 : is_lower(c) ? PASSWORD_LOWER
                 : is_digit(c) ? PASSWORD_DIGIT
                               : PASSWORD_SPECIAL;
    }
    return kinds;
}

const char *const email_patterns[] = {"^([A-Za-z0-9_'+-]+\\.)*[A-Za-z0-9_'+-]*[A-Za-z0-9_+-]@"
                                      "([A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?\\.)+[A-Za-z]{2,63}$",
                                      "^.{1,254}$", NULL};

void email_check(const struct bp_field *row, const void *value, struct bp_problems *problems)
{
    if (!email_valid(*(const bp_str *)value))
        bp_problem_add(problems, row, "email.invalid", "Invalid email format");
}

void password_check(const struct bp_field *row, const void *value, struct bp_problems *problems)
{
    static const struct {
        unsigned kind;
        const char *code, *message;
    } rules[] = {
        {PASSWORD_UPPER, "password.no_uppercase", "Password must contain at least one uppercase letter"},
        {PASSWORD_LOWER, "password.no_lowercase", "Password must contain at least one lowercase letter"},
        {PASSWORD_DIGIT, "password.no_digit", "Password must contain at least one number"},
        {PASSWORD_SPECIAL, "password.no_special", "Password must contain at least one special character"},
    };
    unsigned kinds = password_kinds(*(const bp_str *)value);
    for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++)
        if (!(kinds & rules[i].kind))
            bp_problem_add(problems, row, rules[i].code, rules[i].message);
}
