/* SPDX-License-Identifier: MIT */
/* What the server says: hiredis's reader builds these, bounded in size; its depth is bounded by the reader (7 levels). */
#ifndef REDIS_REPLY_H
#define REDIS_REPLY_H

#include <hiredis/hiredis.h>

#include "backplane/iface/key_value.h"

struct reply {
    int type; /* REDIS_REPLY_* */
    int64_t integer;
    size_t len; /* of text, or items */
    struct reply **items;
    char text[]; /* NUL behind it */
};

/* Memory that one reply may take; begins anew with each. */
struct reply_budget {
    size_t limit, used;
};

/* A reader of such replies. The budget is borrowed. NULL when out of memory. */
redisReader *reply_reader_new(struct reply_budget *budget);
/* The next whole reply among what was fed, owned by the caller; *ret_reply NULL when there is none yet. False: what came is no
 * reply or too large a one (reader->errstr); nothing more can be read. */
bool reply_next(redisReader *reader, struct reply **ret_reply);
/* Accepts NULL. */
void reply_free(struct reply *reply);
static inline bp_str reply_text(const struct reply *reply)
{
    return bp_str_n(reply->text, reply->len);
}
/* Copies it into the arena. An error within a list becomes its text. 0 or BP_NOMEM. */
int reply_convert(const struct reply *reply, struct bp_arena *arena, struct bp_kv_reply *ret_reply);

#endif
