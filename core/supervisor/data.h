/* SPDX-License-Identifier: MIT */
/* The data folder, which one server at a time owns. */
#ifndef CORE_SUPERVISOR_DATA_H
#define CORE_SUPERVISOR_DATA_H

#include "core/base/buffer.h"

/* Makes the folder as data_lock() does, for a command that works beside a running server. BP_ERROR: a line in problems says why. */
int data_folder(bp_str folder, struct buffer *problems);
/* Makes the folder (0700, parents 0755) when it is missing, and locks and writes its "pid" file. Keep *ret_fd open: the lock ends with it.
 * BP_ERROR: a line in problems says why. */
int data_lock(bp_str folder, int *ret_fd, struct buffer *problems);

#endif
