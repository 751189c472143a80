/* SPDX-License-Identifier: MIT */
/* All routes of the server with what stands before them, for plugins that describe it (openapi). */
#ifndef BACKPLANE_ENDPOINTS_H
#define BACKPLANE_ENDPOINTS_H

#include "backplane/answer.h"
#include "backplane/route.h"

#ifdef __cplusplus
extern "C" {
#endif

struct bp_host;

/* A route that is served. Texts and rows live as long as the worker. */
struct bp_endpoint {
    /* As its plugin declared it, with what follows from .resource filled in. Lives as long as the instance. */
    const struct bp_route *route;
    const char *plugin; /* "todos" */
    const char *plugin_doc;
    bp_str instance;      /* of the plugin */
    bp_str pipeline;      /* its name; empty: none */
    const char *listener; /* the only one that it is served on; NULL: those without a name */
    size_t stage_count;
    /* Of its resource, NULL without one: the rows of a body that creates or replaces, and of a merge patch. */
    const struct bp_field *create_rows, *update_rows;
};

/* A stage that a request to it runs through. Lives as long as the worker. */
struct bp_endpoint_stage {
    const char *plugin;  /* "rate_limit" */
    bp_str instance;     /* of the plugin */
    bp_str name;         /* of the stage: "base.rate_limit" */
    const void *options; /* its stage struct; NULL without one */
    const struct bp_answer *answers;
};

/* In start and later. The index-th route, in the order in which plugins were loaded; false when there are no more. Does not suspend. */
bool bp_endpoint(const struct bp_host *host, size_t index, struct bp_endpoint *ret_endpoint);
/* The stage-th stage of its pipeline, in the order run; false when there are no more. Does not suspend. */
bool bp_endpoint_stage(const struct bp_host *host, size_t index, size_t stage, struct bp_endpoint_stage *ret_stage);

#ifdef __cplusplus
}
#endif
#endif
