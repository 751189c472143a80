/* SPDX-License-Identifier: MIT */
/* What an operator writes. */
#ifndef RESOURCE_OPTIONS_H
#define RESOURCE_OPTIONS_H

#include "backplane/backplane.h"
#include "backplane/resource.h"

#define FIELDS_MAX 40

enum field_type {
    FIELD_BOOL,
    FIELD_INTEGER,
    FIELD_NUMBER,
    FIELD_TEXT,
    FIELD_CHOICE,
    FIELD_UUID,
    FIELD_DATE,
    FIELD_TEXTS,
    FIELD_TYPES
};
extern const char *const field_type_names[];

#define BOUND_NONE INT64_MIN /* min and max that were not set */

struct field_option {
    bp_str name;
    uint32_t type; /* enum field_type */
    bool required, filter, sort, search, trim, lower;
    int64_t min, max;
    uint32_t item_max;
    struct bp_array choices;                  /* bp_str */
    bp_str def, initial, label, doc, example; /* ptr NULL: not set */
    uint32_t since;
};

enum owner { OWNER_USER, OWNER_NONE };
enum unknown_members { UNKNOWN_IGNORE, UNKNOWN_REFUSE };
enum conditions { CONDITIONS_OPTIONAL, CONDITIONS_REQUIRED };
enum role { ROLE_ANY, ROLE_USER, ROLE_ADMIN };

/* An instance. */
struct resource_plugin {
    struct bp_service db, identity;
    bp_str path, singular, sort;
    uint32_t owner, unknown_members, conditions, read_role, write_role;
    uint32_t page_size, page_max, rows_max;
    struct bp_array fields; /* struct field_option */
};

extern const struct bp_field resource_options[];

/* check.c: reports everything that the rows above cannot say. 0 or BP_INVALID. */
int resource_check_options(struct bp_host *host, const struct resource_plugin *self);

#endif
