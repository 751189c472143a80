/* SPDX-License-Identifier: MIT */
/* What the health plugin is told. */
#include <stdio.h>

#include "database.h"

static int check(void *self, bp_span timeout, char *detail)
{
    struct database *database = self;
    const struct lane *reads = &database->lanes[LANE_READ], *writes = &database->lanes[LANE_WRITE];
    int status;
    if (database->schema.state == SCHEMA_BEHIND) {
        snprintf(detail, BP_HEALTH_DETAIL, "%s", database->schema.detail);
        return BP_HEALTH_UNFIT;
    }
    if (reads->away || writes->away) {
        snprintf(detail, BP_HEALTH_DETAIL, "%s", database->why);
        return BP_BUSY;
    }
    status = database_vtable.ping(database, timeout);
    if (status == BP_TIMEOUT || (status == BP_BUSY && !reads->away))
        snprintf(detail, BP_HEALTH_DETAIL, "the database did not answer in time");
    else if (status != 0)
        snprintf(detail, BP_HEALTH_DETAIL, "%s", database->why);
    else if (database->read_only)
        snprintf(detail, BP_HEALTH_DETAIL, "the database is read-only");
    return status;
}

const struct bp_health_check database_health = {
    .size = sizeof(struct bp_health_check), .required = 1, .name = "database", .grace = 10 * BP_SECOND, .check = check};
