/* SPDX-License-Identifier: MIT */
/*
 * Pipelines as written become pipelines as run: "@name" is replaced by what that pipeline holds, "-stage" takes one out again, a stage of the
 * same name replaces it in place. The order written is the order run; what cannot work is refused, nothing is reordered.
 */
#ifndef CORE_PIPELINE_PIPELINE_H
#define CORE_PIPELINE_PIPELINE_H

#include "core/plugin/assembly.h"

/* Fills assembly->stages and ->pipelines from the configuration. Everything wrong is in assembly->report. BP_NOMEM or 0. */
int pipelines_compile(struct assembly *assembly);

/* A pipeline while it is being expanded. */
struct draft_item {
    const struct stage *stage;
    size_t origin; /* the entry of this pipeline that brought it: two of one include were checked together there */
    bool included; /* came by "@name" */
};
struct draft {
    const struct config_pipeline *config;
    const struct stage **written; /* of each entry; NULL when the entry is no stage */
    struct draft_item *items;
    size_t count, cap;
    enum { DRAFT_NEW, DRAFT_OPEN, DRAFT_DONE } state;
};

/* Expands every draft. BP_NOMEM or 0. */
int pipelines_expand(struct assembly *assembly, struct draft *drafts, size_t count);
/* Reports what cannot work: phases that go down, `after`, a stage that needs an identity nobody has set. */
void pipelines_check_order(struct assembly *assembly, const struct draft *draft);
/* How many stages stand before the first that identifies or comes after that. */
size_t pipelines_open_count(const struct draft *draft);
/* Whether one of its stages finds out who asks. */
bool pipelines_identifies(const struct draft *draft);
/* How many stages stand before the first of the phase "reuse" or later. */
size_t pipelines_guard_index(const struct draft *draft);

#endif
