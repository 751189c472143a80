/* SPDX-License-Identifier: MIT */
/* Which URLs may be those of endpoints. Where they lead is looked at when they are connected to. */
#ifndef PLUGINS_WEBHOOKS_URL_H
#define PLUGINS_WEBHOOKS_URL_H

#include "backplane/field.h"

#define URL_MAX 2048

/* NULL, or what is wrong with it: "must have a host". */
const char *url_problem(bp_str url);
bool url_is_https(bp_str url);

/* The same for a row, and as a regular expression. */
void url_check(const struct bp_field *row, const void *value, struct bp_problems *problems);
extern const char *const url_patterns[];

#endif
