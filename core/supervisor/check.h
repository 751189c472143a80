/* SPDX-License-Identifier: MIT */
/* The one-shot process before the start: everything that can be known to be wrong is said before a socket opens. */
#ifndef CORE_SUPERVISOR_CHECK_H
#define CORE_SUPERVISOR_CHECK_H

struct config_load_options;

/* Loads the whole configuration with its plugins, asks them what a start needs, then brings the schema up to date. The exit code; problems are printed to standard
 * error. */
int check_main(const struct config_load_options *options);

#endif
