/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>

#include "backplane/status.h"
#include "places.h"

/* What suspends is tested with requests; here, what does not. */
Test(places, taken_and_refused)
{
    struct places places;
    places_init(&places, 2, 0);
    cr_expect_eq(places_enter(&places, BP_FOREVER), 0);
    cr_expect_eq(places_enter(&places, BP_FOREVER), 0);
    cr_expect_eq(places_enter(&places, BP_FOREVER), BP_BUSY);
    cr_expect_eq(places_enter_at_once(&places), BP_BUSY);
    places_leave(&places);
    cr_expect_eq(places_enter_at_once(&places), 0);
    cr_expect_eq(places.taken, 2);
    cr_expect_eq(places.queued, 0);
}
