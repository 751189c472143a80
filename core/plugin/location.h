/* SPDX-License-Identifier: MIT */
/* Where things are when nobody says so: beside the executable in a build tree, else under the install prefix. */
#ifndef CORE_PLUGIN_LOCATION_H
#define CORE_PLUGIN_LOCATION_H

/* The folder of the plugins: <executable's folder>/plugins where that exists. Lives with the process. */
const char *location_plugin_dir(void);
/* The folder that holds this plugin: own (server.plugin_path; may be empty) where it does, else the one above. When neither has it,
 * own, or the one above without it. Lives with the process or with own. */
const char *location_folder_of(const char *own, const char *plugin);
/* The configuration: <executable's folder>/../config/backplane.cfg in a build tree. Lives with the process. */
const char *location_config_file(void);

#endif
