/* SPDX-License-Identifier: MIT */
/* One write of a resource, whoever asked for it: a request, or an operation of a bulk. Knows no reply. */
#ifndef CORE_RESOURCE_WRITE_H
#define CORE_RESOURCE_WRITE_H

#include "core/resource/resource.h"

enum write_condition {
    WRITE_E_MISSING = 1, /* no such row of this owner */
    WRITE_E_VERSION,     /* there is one, but not of that version */
    WRITE_E_NO_OWNER,    /* the account is gone */
    WRITE_E_FULL,        /* the owner has row_max rows */
    WRITE_E_CONDITION,   /* a condition is demanded, and there is none */
    WRITE_E_CONFLICT     /* another constraint; its enum bp_db_condition in the write */
};

struct write {
    uint32_t kind; /* enum bp_resource_write */
    const bp_uuid *id, *owner;
    /* As decoded from a body table: members, and which of them were given or null, by that table's rows. */
    void *object;
    const char *if_match; /* an If-Match field, NUL behind it; NULL: none */
    int condition;        /* of WRITE_E_CONFLICT */
    void *result;         /* the row as it is now; not of a deletion */
};

/* 0, a write_condition, or a negative status. tx may be NULL. Suspends. */
/* Before anything is read: 0 or WRITE_E_CONDITION. */
int write_demand_condition(const struct resource *resource, const struct write *write);
int write_run(struct bp_request *rq, struct resource *resource, struct bp_tx *tx, struct write *write);
/* The resource's before_write. */
int write_ask_hook(struct bp_request *rq, struct resource *resource, const struct write *write);
/* The version that the write is bound to by its If-Match; where several would do, the one that the row has, if it is among them. */
int write_find_condition(struct bp_request *rq, const struct resource *resource, struct bp_tx *tx,
                         const struct write *write, int64_t *ret_version, bool *ret_bound);
/* The row, in the arena. 0 or WRITE_E_MISSING. Suspends. */
int write_find(struct bp_request *rq, const struct resource *resource, struct bp_tx *tx, const bp_uuid *id,
               const bp_uuid *owner, void **ret_object);

#endif
