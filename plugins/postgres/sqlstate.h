/* SPDX-License-Identifier: MIT */
/* What a SQLSTATE (PostgreSQL manual, appendix A) means to a caller and to a connection. Pure. */
#ifndef POSTGRES_SQLSTATE_H
#define POSTGRES_SQLSTATE_H

#include <stdbool.h>

/* What follows from an error, besides the status. */
enum sqlstate_remedy {
    REMEDY_NONE,
    REMEDY_AGAIN,   /* the transaction lost against another one: the same again may work */
    REMEDY_PREPARE, /* what was prepared is no longer true: prepare again */
    REMEDY_REOPEN   /* this server cannot do it: another connection may reach one that can */
};

struct sqlstate {
    int status; /* enum bp_db_condition, BP_BUSY, BP_TIMEOUT, BP_ERROR */
    enum sqlstate_remedy remedy;
};

/* code: five characters; NULL and "" are BP_ERROR. */
struct sqlstate sqlstate_of(const char *code);

#endif
