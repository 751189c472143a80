/* SPDX-License-Identifier: MIT */
/*
 * The "cache_tags" interface, version 1: keeps cached replies true. A tag ("todos:user:<id>") names data that replies are made
 * of; a route declares the tag its reply depends on (bp_route.cache_tag), a statement the tag its write touches
 * (bp_statement.tag). A tag's generation is a random 64-bit value. Before a tagged write is sent its tag gets a new generation
 * and a short-lived mark; after the commit and before the reply it gets another, and the mark goes. A reader takes the
 * generation before it queries, stores under that one, and neither reads nor fills while a mark stands.
 *
 * Provided by cache; called by the database layer of the core. Plugins that write through bp_db_query() never call this; one
 * whose data live elsewhere does, around its write.
 */
#ifndef BACKPLANE_IFACE_CACHE_TAGS_H
#define BACKPLANE_IFACE_CACHE_TAGS_H

#include "backplane/plugin.h"

#ifdef __cplusplus
extern "C" {
#endif

#define BP_CACHE_TAGS "cache_tags"
#define BP_CACHE_TAGS_VERSION 1u
#define BP_CACHE_TAG_MAX 160u /* bytes of a tag */

/* For providers, and for plugins whose data are not behind "database". */
struct bp_cache_tags_vtable {
    uint32_t size;
    uint32_t spare;
    /* Both may suspend, are never cancelled, and take at most the provider's own time-out. They cannot fail: a provider that cannot
     * reach its store stops using it for this tag until it could make up for it. Returns what write_end wants back. */
    uint64_t (*write_begin)(void *self, bp_str tag);
    /* took_place: false only when the write certainly did not. */
    void (*write_end)(void *self, bp_str tag, uint64_t mark, bool took_place);
};

#ifdef __cplusplus
}
#endif
#endif
