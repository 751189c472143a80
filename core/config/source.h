/* SPDX-License-Identifier: MIT */
/*
 * The text of a configuration file as libconfig gets to see it: @include lines replaced by what they name (relative to the file that says so), comments gone,
 * every name and value on a line of its own. The line table says where each line came from. Numbers that libconfig would wrap are refused here.
 */
#ifndef CORE_CONFIG_SOURCE_H
#define CORE_CONFIG_SOURCE_H

#include "core/config/loader.h"

/* Stands, as a string, for a number that could not be read and was reported. */
#define SOURCE_UNREADABLE "\"\\x01unreadable\""

struct source {
    struct buffer text;
    struct config_place *lines; /* [n]: where line n + 1 of text came from */
    size_t line_count, line_cap;
};

/* Reads a file and what it includes. False after reporting what is wrong; source may hold a part then. */
bool source_read(struct loader *loader, const char *file, struct config_place from, struct source *source);
void source_deinit(struct source *source);
/* A whole regular file of at most limit bytes on the heap; NULL with *ret_reason set to a text that lives as long as the process. */
char *source_slurp(const char *file, size_t limit, size_t *ret_len, const char **ret_reason);

#endif
