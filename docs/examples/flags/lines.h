/* SPDX-License-Identifier: MIT */
#ifndef FLAGS_LINES_H
#define FLAGS_LINES_H

#include <backplane/str.h>

/* Whether a line of the text, without the white space around it, is this. Pure. */
bool lines_hold(bp_str text, bp_str line);

#endif
