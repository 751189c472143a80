/* SPDX-License-Identifier: MIT */
/* The values of labels, which may be what somebody sent. */
#ifndef CORE_METRIC_LABEL_H
#define CORE_METRIC_LABEL_H

#include "backplane/str.h"

#define METRIC_LABEL_MAX 96u /* bytes kept of a label value */

/* The text with '?' for each byte that would break the exposition: what is not UTF-8, and control characters but the line feed, which is
 * escaped. Returns text itself when there is none, else the copy in space. text: of at most that many bytes. */
bp_str label_clean(bp_str text, char space[METRIC_LABEL_MAX]);

#endif
