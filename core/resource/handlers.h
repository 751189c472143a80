/* SPDX-License-Identifier: MIT */
#ifndef CORE_RESOURCE_HANDLERS_H
#define CORE_RESOURCE_HANDLERS_H

#include "core/resource/write.h"

/* Records the reply that shows a row, with its ETag: "<Noun> <verb> successfully". 0 or a negative status. */
int handlers_reply_row(struct bp_request *rq, unsigned status, const char *verb, void *object);
/* Records the reply to a write that came to this status. with_etag: as a header field. 0 or a negative status. */
int handlers_reply_write(struct bp_request *rq, struct resource *resource, struct write *write, int status,
                         bool with_etag);
/* The field If-Match, NUL behind it; NULL: none. */
const char *handlers_if_match(struct bp_request *rq);

#endif
