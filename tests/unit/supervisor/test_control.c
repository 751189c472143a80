/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/supervisor/control.h"

static int pair[2];

static void setup(void)
{
    cr_assert_eq(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair), 0);
}

static void teardown(void)
{
    close(pair[0]);
    close(pair[1]);
}

TestSuite(control, .init = setup, .fini = teardown);

Test(control, a_message_arrives_as_it_was_sent)
{
    struct control_message sent = control_message(CONTROL_REGION, 7, UINT64_C(1) << 40), got;
    control_set_text(&sent, BP_STR("metric:a"));
    cr_assert_eq(control_receive(pair[1], MSG_DONTWAIT, &got), CONTROL_EMPTY);
    cr_assert_eq(control_send(pair[0], &sent), 0);
    cr_assert_eq(control_receive(pair[1], MSG_DONTWAIT, &got), 0);
    cr_assert_eq(got.kind, CONTROL_REGION);
    cr_assert_eq(got.number, 7);
    cr_assert_eq(got.value, UINT64_C(1) << 40);
    cr_assert(bp_str_is(control_text(&got), "metric:a"));
}

Test(control, long_text_is_cut)
{
    static const char text[CONTROL_TEXT + 100];
    struct control_message message = control_message(CONTROL_FAILED, 0, 0), got;
    control_set_text(&message, bp_str_n(text, sizeof(text)));
    cr_assert_eq(control_send(pair[0], &message), 0);
    cr_assert_eq(control_receive(pair[1], 0, &got), 0);
    cr_assert_eq(control_text(&got).len, CONTROL_TEXT);
}

Test(control, another_version_and_broken_packets_are_foreign)
{
    struct control_message message = control_message(CONTROL_DRAIN, 0, 0), got;
    message.version = CONTROL_VERSION + 1;
    cr_assert_eq(control_send(pair[0], &message), 0);
    cr_assert_eq(send(pair[0], "abc", 3, 0), 3);
    message = control_message(CONTROL_DRAIN, 0, 0);
    message.text_len = 5;
    cr_assert_eq(send(pair[0], &message, offsetof(struct control_message, text), 0),
                 (ssize_t)offsetof(struct control_message, text));
    for (int i = 0; i < 3; i++)
        cr_assert_eq(control_receive(pair[1], MSG_DONTWAIT, &got), CONTROL_FOREIGN, "packet %d", i);
    cr_assert_eq(control_receive(pair[1], MSG_DONTWAIT, &got), CONTROL_EMPTY);
}

Test(control, the_end_is_noticed_on_both_sides)
{
    struct control_message message = control_message(CONTROL_READY, 0, 0);
    struct control control = {.fd = pair[1]};
    cr_assert_eq(close(pair[0]), 0);
    cr_assert_eq(control_receive(pair[1], 0, &message), CONTROL_CLOSED);
    cr_assert_eq(control_send(pair[1], &message), CONTROL_CLOSED);
    cr_assert_eq(control_ask(&control, &message, CONTROL_REGION_IS, &message), CONTROL_CLOSED);
    pair[0] = dup(pair[1]); /* for the end of the test */
}

Test(control, orders_that_overtake_an_answer_are_kept_in_order)
{
    struct control control = {.fd = pair[1]};
    const struct control_message messages[] = {
        control_message(CONTROL_UNREADY, 1, 0), control_message(CONTROL_DRAIN, 2, 0),
        control_message(CONTROL_REGION_IS, 3, 4096), control_message(CONTROL_REOPEN, 4, 0)};
    struct control_message got, question = control_message(CONTROL_REGION, 0, 0);
    for (size_t i = 0; i < sizeof(messages) / sizeof(messages[0]); i++)
        cr_assert_eq(control_send(pair[0], &messages[i]), 0);
    cr_assert_eq(control_ask(&control, &question, CONTROL_REGION_IS, &got), 0);
    cr_assert_eq(got.value, 4096);
    for (uint32_t number = 1; number <= 4; number += number == 2 ? 2 : 1) {
        cr_assert_eq(control_next(&control, &got), 0);
        cr_assert_eq(got.number, number);
    }
    cr_assert_eq(control_next(&control, &got), CONTROL_EMPTY);
}
