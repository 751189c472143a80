/* SPDX-License-Identifier: MIT */
#ifndef CORS_CROSS_ORIGIN_H
#define CORS_CROSS_ORIGIN_H

#include "backplane/request.h"

struct cors {
    bp_str origin;
    bp_span max_age;
    bool any;
};

bp_handler cors_stage;

#endif
