/* SPDX-License-Identifier: MIT */
#include "sqlstate.h"

#include <stddef.h>
#include <string.h>

#include "backplane/iface/database.h"

/* The first row that is a prefix of the code counts. */
static const struct {
    const char *prefix;
    struct sqlstate means;
} meanings[] = {
    {"23505", {BP_DB_UNIQUE, REMEDY_NONE}},
    {"23503", {BP_DB_FOREIGN, REMEDY_NONE}},
    {"23", {BP_DB_CHECK, REMEDY_NONE}}, /* check, not null, exclusion, restrict */
    {"40001", {BP_BUSY, REMEDY_AGAIN}}, /* serialization failure */
    {"40P01", {BP_BUSY, REMEDY_AGAIN}}, /* deadlock */
    {"40", {BP_BUSY, REMEDY_NONE}},
    {"0A000", {BP_ERROR, REMEDY_PREPARE}}, /* among others: cached plan must not change result type */
    {"26000", {BP_ERROR, REMEDY_PREPARE}}, /* no such prepared statement */
    {"42P05", {BP_ERROR, REMEDY_PREPARE}}, /* there is one of this name already */
    {"25006", {BP_BUSY, REMEDY_REOPEN}},   /* read-only transaction: a standby */
    {"25P03", {BP_TIMEOUT, REMEDY_NONE}},  /* idle in transaction for too long */
    {"55P03", {BP_BUSY, REMEDY_NONE}},     /* lock not available within lock_timeout */
    {"57014", {BP_TIMEOUT, REMEDY_NONE}},  /* canceled: by statement_timeout, or by us */
    {"57", {BP_BUSY, REMEDY_NONE}},        /* shutting down, crashed, cannot connect now */
    {"08", {BP_BUSY, REMEDY_NONE}},        /* connection */
    {"53", {BP_BUSY, REMEDY_NONE}},        /* disk full, out of memory, too many connections */
    {"58", {BP_BUSY, REMEDY_NONE}},        /* I/O error */
    {"", {BP_ERROR, REMEDY_NONE}},
};

struct sqlstate sqlstate_of(const char *code)
{
    size_t i = 0;
    while (code && strncmp(code, meanings[i].prefix, strlen(meanings[i].prefix)) != 0)
        i++;
    return code ? meanings[i].means : (struct sqlstate){BP_ERROR, REMEDY_NONE};
}
