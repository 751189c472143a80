/* SPDX-License-Identifier: MIT */
#ifndef TESTS_UNIT_CONFIG_SUPPORT_H
#define TESTS_UNIT_CONFIG_SUPPORT_H

#include "core/config/config.h"

/* A folder of its own, made the working folder of this test's process; files in it are named relative to it. */
struct sandbox {
    char folder[64];
};
void sandbox_enter(struct sandbox *sandbox);
void sandbox_leave(struct sandbox *sandbox);
/* Makes the folders on the way. */
void sandbox_write(const char *file, const char *text);

struct loaded {
    int status;
    struct config *config; /* NULL when it did not load */
    struct report report;
    const char *problems; /* the report's text, with a NUL */
};
/* Writes text to "a.cfg" and loads that. sets: NULL at the end, or NULL. */
void load_text(struct loaded *loaded, const char *text, const char *const *sets, bool lenient);
void load_file(struct loaded *loaded, const char *file, const char *const *sets, bool lenient);
void unload(struct loaded *loaded);
/* An option of an instance, which must be there. */
const struct config_setting *option_of(const struct config *config, const char *instance, const char *option);

#endif
