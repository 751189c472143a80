/* SPDX-License-Identifier: MIT */
#ifndef REQUEST_ID_ASSIGN_H
#define REQUEST_ID_ASSIGN_H

#include "backplane/request.h"

struct request_id {
    bool accept_incoming;
};

bp_handler request_id_assign;

#endif
