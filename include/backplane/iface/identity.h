/* SPDX-License-Identifier: MIT */
/*
 * The "identity" interface, version 1: who keeps the accounts. Provided by auth; a resource that belongs to accounts needs it,
 * so that its tables are made after theirs.
 */
#ifndef BACKPLANE_IFACE_IDENTITY_H
#define BACKPLANE_IFACE_IDENTITY_H

#include "backplane/plugin.h"

#ifdef __cplusplus
extern "C" {
#endif

#define BP_IDENTITY "identity"
#define BP_IDENTITY_VERSION 1u

/* Call it through the functions below. */
struct bp_identity_vtable {
    uint32_t size;
    uint32_t spare;
    /* See bp_identity_gone(). */
    int (*gone)(void *self, struct bp_request *rq);
    /* See bp_identity_check(). */
    int (*check)(void *self, struct bp_request *rq);
};

/* For a handler that finds the account of its request deleted meanwhile (a foreign key does not hold): whoever identified it
 * forgets what it remembered, and the reply becomes the 401 of a token of an account that is gone. Returns 0, or a negative
 * status. Does not suspend: `return bp_identity_gone(todos->identity, rq);` */
static inline int bp_identity_gone(struct bp_service identity, struct bp_request *rq)
{
    return ((const struct bp_identity_vtable *)identity.vtable)->gone(identity.self, rq);
}

#define BP_IDENTITY_E_GONE 1

/* For a handler that does something for longer than a request takes (a stream): asks again whether the request's account, session or key is there,
 * past what is remembered, of the primary. Suspends. 0: it is, or it is not known here; BP_IDENTITY_E_GONE: bp_identity_gone() makes the
 * reply; the negative statuses of bp_db_query(). */
static inline int bp_identity_check(struct bp_service identity, struct bp_request *rq)
{
    const struct bp_identity_vtable *vtable = (const struct bp_identity_vtable *)identity.vtable;
    return vtable->size < sizeof(*vtable) ? 0 : vtable->check(identity.self, rq);
}

#ifdef __cplusplus
}
#endif
#endif
