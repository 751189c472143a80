/* SPDX-License-Identifier: MIT */
/* bp_health_*: who is asked, by whom, and when. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#include "backplane/backplane.h"
#include "core/base/arena.h"
#include "core/plugin/assembly.h"
#include "core/plugin/health.h"
#include "core/worker/fiber.h"
#include "core/worker/loop.h"

struct service {
    int status;
    unsigned asked;
    bp_event release;
    bool waits;
};

static struct assembly assembly;
static struct service service;
static struct bp_host host = {
    .name = "main", .name_str = BP_STR_INIT("main"), .assembly = &assembly, .self = &service, .state = HOST_STARTED};
static struct bp_host other = {
    .name = "other", .name_str = BP_STR_INIT("other"), .assembly = &assembly, .self = &service, .state = HOST_STARTED};

static int check(void *self, bp_span timeout, char *detail)
{
    struct service *asked = self;
    asked->asked++;
    if (asked->waits) {
        bp_event_init(&asked->release);
        int status = bp_event_wait(&asked->release, timeout);
        if (status != 0)
            return status;
    }
    memset(detail, 'd', BP_HEALTH_DETAIL);
    return asked->status;
}

static const struct bp_health_check database = {
    .size = sizeof(struct bp_health_check), .required = 1, .name = "database", .grace = 3 * BP_SECOND, .check = check};

struct question {
    struct bp_arena *arena;
    int status;
    bool ended;
    char detail[BP_HEALTH_DETAIL];
};

static void ask(void *argument)
{
    struct question *question = argument;
    question->status = bp_health_ask(bp_health_entry(&host, 0), BP_MINUTE, question->detail);
}

static void close_host(void *argument)
{
    (void)argument;
    health_close(&host);
}

static void ended(void *argument)
{
    struct question *question = argument;
    question->arena = arena_free(question->arena);
    question->ended = true;
}

static void begin(fiber_function *function, struct question *question)
{
    *question = (struct question){.arena = arena_new(), .status = 99, .detail = "before"};
    cr_assert_eq(fiber_start(assembly.loop,
                             &(struct fiber_start){.function = function,
                                                   .ended = ended,
                                                   .argument = question,
                                                   .arena = question->arena,
                                                   .deadline = BP_FOREVER,
                                                   .name = "test"},
                             NULL),
                 0);
}

static void finish(const struct question *question)
{
    while (!question->ended)
        loop_turn(assembly.loop, BP_SECOND / 10);
}

static void setup(void)
{
    struct loop_options options = {.offload_threads = 1};
    assembly.arena = arena_new();
    cr_assert_eq(loop_new(&options, &assembly.loop), 0);
}

static void teardown(void)
{
    assembly.loop = loop_free(assembly.loop);
    assembly.arena = arena_free(assembly.arena);
    assembly.health = NULL;
    fiber_pool_free();
}

TestSuite(checks, .init = setup, .fini = teardown);

Test(checks, are_listed_in_the_order_registered)
{
    cr_assert_null(bp_health_entry(&host, 0));
    cr_assert_eq(bp_health_new(&host, &database), 0);
    cr_assert_eq(bp_health_new_with(&other, &database, false, BP_MINUTE), 0);
    const struct bp_health_entry *first = bp_health_entry(&other, 0), *second = bp_health_entry(&host, 1);
    cr_assert(first && second && first->check == &database && second->check == &database);
    cr_expect(bp_str_is(first->instance, "main") && first->required && first->grace == 3 * BP_SECOND);
    cr_expect(bp_str_is(second->instance, "other") && !second->required && second->grace == BP_MINUTE);
    cr_expect_null(bp_health_entry(&host, 2));
}

Test(checks, are_asked_while_the_instance_runs)
{
    struct question one, two, three;
    cr_assert_eq(bp_health_new(&host, &database), 0);
    host.state = HOST_READY;
    begin(ask, &one);
    finish(&one);
    cr_expect_eq(one.status, BP_CANCELED, "before its start");
    cr_expect_str_eq(one.detail, "");
    cr_expect_eq(service.asked, 0);
    host.state = HOST_STARTED;
    service = (struct service){.status = BP_HEALTH_UNFIT};
    begin(ask, &one);
    finish(&one);
    cr_expect_eq(one.status, BP_HEALTH_UNFIT);
    cr_expect_eq(strlen(one.detail), BP_HEALTH_DETAIL - 1, "ended whatever the check wrote");
    service = (struct service){.waits = true};
    begin(ask, &one);
    begin(ask, &two);
    finish(&two);
    cr_expect_eq(two.status, BP_BUSY, "one at a time");
    bp_event_set(&service.release);
    finish(&one);
    cr_expect_eq(one.status, 0);
    begin(ask, &one);
    begin(close_host, &two);
    cr_expect_not(two.ended, "the stop waits for the check");
    finish(&two);
    cr_expect(one.ended);
    cr_expect_eq(one.status, BP_CANCELED);
    begin(ask, &three);
    finish(&three);
    cr_expect_eq(three.status, BP_CANCELED);
    cr_expect_eq(service.asked, 2);
}
