/* SPDX-License-Identifier: MIT */
/* A JSON text as jansson's values, with everything that jansson refuses or lets through taken care of. */
#ifndef CORE_SCHEMA_READ_JSON_H
#define CORE_SCHEMA_READ_JSON_H

#include "backplane/str.h"

#include <jansson.h>

struct syntax_error {
    unsigned line, column;
    char what[JSON_ERROR_TEXT_LENGTH];
};
/* In a document for which *ret_overflow was set, this (or its negative) stands for numbers that no double can hold. */
#define READ_JSON_OVERFLOW 1e308

/* 0 and a value to json_decref(), SCHEMA_SYNTAX and *ret_error, or BP_NOMEM. */
int read_json(bp_str json, json_t **ret_value, bool *ret_overflow, struct syntax_error *ret_error);

#endif
