/* SPDX-License-Identifier: MIT */
/* The files of swagger-ui-dist that were built in, compressed with gzip. */
#ifndef OPENAPI_SWAGGER_UI_H
#define OPENAPI_SWAGGER_UI_H

#include <stddef.h>

struct swagger_ui_file {
    const char *start, *end; /* the same: the build had no such file */
    size_t full_size;        /* when decompressed */
};

extern const struct swagger_ui_file swagger_ui_bundle, swagger_ui_style;

#endif
