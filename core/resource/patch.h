/* SPDX-License-Identifier: MIT */
/* PATCH with a JSON Patch: what is there is read, patched, validated as a whole, and written if nobody was faster. */
#ifndef CORE_RESOURCE_PATCH_H
#define CORE_RESOURCE_PATCH_H

#include "core/resource/write.h"

bool patch_is_asked(struct bp_request *rq);
/* write has kind, id, owner, if_match. 0, a write_condition, or a negative status. Suspends. */
int patch_run(struct bp_request *rq, struct resource *resource, struct write *write);

#endif
