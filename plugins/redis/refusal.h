/* SPDX-License-Identifier: MIT */
/* What an error answer of the server means for us. Pure. */
#ifndef REDIS_REFUSAL_H
#define REDIS_REFUSAL_H

#include "backplane/str.h"

struct refusal {
    const char *code; /* "LOADING"; NULL: an error of the command alone */
    int status;       /* of the call */
    bool away;        /* not the server that we want at this time: ask no more, connect anew */
};

/* text: the error without its leading '-'. Errors that a script ran into are looked through, too. */
struct refusal refusal_of(bp_str text);
/* The server does not know the script. */
bool refusal_is_no_script(bp_str text);

#endif
