/* SPDX-License-Identifier: MIT */
/*
 * What the supervisor and a worker say to each other, over a SOCK_SEQPACKET pair: one message a packet. Versioned,
 * because a reload may start workers of a newer executable under an older supervisor.
 */
#ifndef CORE_SUPERVISOR_CONTROL_H
#define CORE_SUPERVISOR_CONTROL_H

#include "backplane/clock.h"

#define CONTROL_VERSION 1u
#define CONTROL_TEXT 480u

enum control_kind {
    /* a worker's */
    CONTROL_READY = 1, /* started; it waits for CONTROL_ACCEPT */
    CONTROL_FAILED,    /* it could not start: text says why; it exits next */
    CONTROL_REGION,    /* asks for shared memory: text is the name, number its layout version, value its size */
    /* the supervisor's */
    CONTROL_REGION_IS, /* number: 1 when zeroed just now; value: its offset, 0 when there is no room */
    CONTROL_ACCEPT,    /* all are ready: accept connections */
    CONTROL_UNREADY,   /* readiness must fail from now on; go on serving */
    CONTROL_DRAIN,     /* stop accepting, finish what is in flight, exit; value: within so many nanoseconds */
    CONTROL_REOPEN,    /* log files were rotated: open them again */
    CONTROL_METRICS,   /* write the metrics into the exchange region; number: of the request */
    /* a worker's */
    CONTROL_METRICS_ARE, /* number: of the request; value: how many bytes of text are there */
    /* the supervisor's */
    CONTROL_RETIRE /* another generation accepts: as CONTROL_DRAIN, but who is connected stays until the time is over, or the next reply */
};

struct control_message {
    uint32_t version;
    uint32_t kind; /* enum control_kind */
    uint32_t number;
    uint32_t text_len;
    uint64_t value;
    char text[CONTROL_TEXT];
};

/* A message without text. */
struct control_message control_message(enum control_kind kind, uint32_t number, uint64_t value);
/* Cut at CONTROL_TEXT bytes. */
void control_set_text(struct control_message *message, bp_str text);
bp_str control_text(const struct control_message *message);

enum control_condition {
    CONTROL_EMPTY = 1, /* nothing there, on a non-blocking descriptor */
    CONTROL_CLOSED,    /* the other side is gone */
    CONTROL_FOREIGN    /* another version, or malformed: the packet was dropped */
};
/* 0, CONTROL_CLOSED, CONTROL_EMPTY when the other side does not read, BP_ERROR (errno). */
int control_send(int fd, const struct control_message *message);
/* 0 or a condition or BP_ERROR (errno). flags: MSG_DONTWAIT or 0. */
int control_receive(int fd, int flags, struct control_message *ret_message);

/* The worker's end: an answer is waited for in place; orders that arrive meanwhile are kept for control_next(). */
#define CONTROL_STASH 16u
struct control {
    int fd;
    unsigned stash_len;
    struct control_message stash[CONTROL_STASH];
};
/* Sends request and blocks for the message of kind. 0, CONTROL_CLOSED or BP_ERROR. */
int control_ask(struct control *control, const struct control_message *request, enum control_kind kind,
                struct control_message *ret_answer);
/* The next order without waiting: what was kept first. As control_receive(). */
int control_next(struct control *control, struct control_message *ret_message);

#endif
