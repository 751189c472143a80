/* SPDX-License-Identifier: MIT */
/* A resource (backplane/resource.h) as compiled: derived field tables, statements, and what its handlers share. */
#ifndef CORE_RESOURCE_RESOURCE_H
#define CORE_RESOURCE_RESOURCE_H

#include "backplane/iface/database.h"
#include "backplane/resource.h"
#include "core/plugin/assembly.h"
#include "core/resource/sql.h"

#define RESOURCE_FIELDS 48  /* rows of a resource at most */
#define RESOURCE_QUERIES 62 /* query parameters at most */

/* A member of the resource. */
struct member {
    const struct bp_field *row;
    const char *json; /* "createdAt" */
    bool writable;    /* by clients */
    int body_index;   /* its row in the body tables; -1: none */
    const struct bp_resource_computed *computed;
    int insert_when; /* the member that says whether it is the moment of the insert; -1: none */
};

enum filter_operator { FILTER_EQ, FILTER_GT, FILTER_GTE, FILTER_LT, FILTER_LTE, FILTER_NULL, FILTER_CUSTOM };

/* A query parameter that narrows a list. */
struct filter {
    const struct bp_field *row; /* in the query table */
    unsigned bit;               /* its presence there */
    enum filter_operator operator;
    unsigned member;                         /* not of FILTER_CUSTOM */
    const struct bp_resource_filter *custom; /* of FILTER_CUSTOM; of `q`: NULL */
};

/* A column to sort by. */
struct sort_key {
    uint8_t member;
    bool descending;
};
#define SORT_KEYS 4 /* and the identifier behind them */

/* What every list takes, at the beginning of the struct that the query table describes. */
struct list_query {
    uint64_t set, null;
    int64_t page;
    uint32_t limit;
    bool total;
    bp_str cursor, sort, fields, q;
};

struct list_statement;
struct move_statements;

struct resource {
    struct resource *next; /* of the assembly */
    struct resource *kept; /* of the process */
    const struct bp_resource *definition;
    struct bp_host *host;
    bool broken; /* it could not be compiled, which its first route has reported */
    struct member members[RESOURCE_FIELDS];
    unsigned count;
    int owner, version, created, updated, position, move_into; /* indexes of members; -1: none */
    uint64_t all;                                              /* the bits of all members */
    bool reads_back;              /* the database computes members: an insert returns the row */
    uint32_t body_set, body_null; /* offsets of the bit sets, in the object */

    struct bp_field *create_rows, *update_rows; /* bodies; the struct is the object; create's is replace's */
    struct bp_field param_rows[2];              /* of the paths with {id} */
    struct bp_field *move_rows;                 /* body of a move; NULL: the resource has no order */
    struct bp_field *query_rows;                /* of lists */
    uint32_t query_size;
    struct filter filters[RESOURCE_QUERIES];
    unsigned filter_count;
    struct sort_key sort[SORT_KEYS];
    unsigned sort_count;
    struct bp_field *listed_rows; /* columns of a list with its total behind the object */
    uint32_t listed_size, total_offset;
    struct bp_field *page_rows; /* of the reply to a list */

    struct statement insert, find, update, remove;
    struct move_statements *move;         /* where it has an order */
    const char *read_tag;                 /* "todos:user:{user}", or "todos" */
    const char *read_scope, *write_scope; /* "todos:read", "todos:write" */
    struct list_statement *lists;
    unsigned list_count;
    char *noun;         /* "Todo" */
    char *list_message; /* "Todos retrieved successfully" */
};

/* The resource of the request's route. */
struct resource *resource_of(const struct bp_request *rq);
struct bp_service resource_db(const struct resource *resource);

/* What every handler begins with: whose rows (NULL: everybody's), and that nobody keeps the reply without asking again (RFC 9111
 * 5.2.2). BP_MISUSE, logged, when the pipeline identifies nobody. */
int resource_begin(struct bp_request *rq, const struct resource *resource, const bp_uuid **ret_owner);
int resource_missing(struct bp_request *rq, const struct resource *resource);
/* "<Noun> <rest>" */
bp_str resource_message(struct bp_request *rq, const char *noun, const char *rest);

/* The presence of an object: which members it has, which are null. */
static inline uint64_t *object_set(const struct resource *resource, void *object)
{
    return (uint64_t *)(void *)((char *)object + resource->body_set);
}
static inline uint64_t *object_null(const struct resource *resource, void *object)
{
    return (uint64_t *)(void *)((char *)object + resource->body_null);
}
static inline void *object_member(const struct resource *resource, void *object, int member)
{
    return (char *)object + resource->members[member].row->offset;
}

/* The member of this JSON name, or -1. */
int resource_member_json(const struct resource *resource, bp_str json);
/* Leaves only the members that `fields` names in what is encoded of objects. 0, or BP_REFUSED with the 400 recorded. */
int resource_select(struct bp_request *rq, const struct resource *resource, bp_str fields, uint64_t *ret_set);

#endif
