/* SPDX-License-Identifier: MIT */
/* What e-mail addresses and passwords must look like. Pure. */
#ifndef AUTH_CREDENTIALS_H
#define AUTH_CREDENTIALS_H

#include "backplane/field.h"

#define EMAIL_MAX 254 /* bytes; RFC 5321 4.5.3.1.3, without the angle brackets */

/* local@domain: a dotted ASCII domain with a top level of two letters or more. The address is lower-cased already, but
 * either case is understood. */
bool email_valid(bp_str email);

enum password_kind {
    PASSWORD_UPPER = 1u << 0,
    PASSWORD_LOWER = 1u << 1,
    PASSWORD_DIGIT = 1u << 2,
    PASSWORD_SPECIAL = 1u << 3 /* whatever is neither an ASCII letter nor an ASCII digit */
};
/* Which kinds of characters it holds (enum password_kind). */
unsigned password_kinds(bp_str password);

/* The same as .check functions of rows. */
void email_check(const struct bp_field *row, const void *value, struct bp_problems *problems);
void password_check(const struct bp_field *row, const void *value, struct bp_problems *problems);
/* For .patterns: what email_check asks for. */
extern const char *const email_patterns[];

#endif
