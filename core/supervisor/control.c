/* SPDX-License-Identifier: MIT */
#include "core/supervisor/control.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>

#include "backplane/status.h"

#define HEAD (offsetof(struct control_message, text))

struct control_message control_message(enum control_kind kind, uint32_t number, uint64_t value)
{
    struct control_message message = {.version = CONTROL_VERSION, .kind = kind, .number = number, .value = value};
    return message;
}

void control_set_text(struct control_message *message, bp_str text)
{
    message->text_len = (uint32_t)(text.len < CONTROL_TEXT ? text.len : CONTROL_TEXT);
    if (message->text_len > 0)
        memcpy(message->text, text.ptr, message->text_len);
}

bp_str control_text(const struct control_message *message)
{
    return bp_str_n(message->text, message->text_len);
}

int control_send(int fd, const struct control_message *message)
{
    for (;;) {
        ssize_t n = send(fd, message, HEAD + message->text_len, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n >= 0)
            return 0;
        if (errno == EPIPE || errno == ECONNRESET)
            return CONTROL_CLOSED;
        if (errno == EAGAIN)
            return CONTROL_EMPTY;
        if (errno != EINTR)
            return BP_ERROR;
    }
}

int control_receive(int fd, int flags, struct control_message *ret_message)
{
    struct control_message message;
    ssize_t n;

    do
        n = recv(fd, &message, sizeof(message), flags);
    while (n < 0 && errno == EINTR);
    if (n < 0)
        return errno == EAGAIN ? CONTROL_EMPTY : errno == ECONNRESET ? CONTROL_CLOSED : BP_ERROR;
    if (n == 0)
        return CONTROL_CLOSED;
    if ((size_t)n < HEAD || message.version != CONTROL_VERSION || (size_t)n != HEAD + message.text_len)
        return CONTROL_FOREIGN;
    *ret_message = message;
    return 0;
}

static int send_waiting(int fd, const struct control_message *message)
{
    for (;;) {
        int r = control_send(fd, message);
        if (r != CONTROL_EMPTY)
            return r;
        struct pollfd writable = {.fd = fd, .events = POLLOUT};
        (void)poll(&writable, 1, -1);
    }
}

int control_ask(struct control *control, const struct control_message *request, enum control_kind kind,
                struct control_message *ret_answer)
{
    int r = send_waiting(control->fd, request);
    if (r != 0)
        return r;
    for (;;) {
        struct control_message message;
        r = control_receive(control->fd, 0, &message);
        if (r == CONTROL_FOREIGN)
            continue;
        if (r == CONTROL_EMPTY) { /* the descriptor is non-blocking */
            struct pollfd readable = {.fd = control->fd, .events = POLLIN};
            (void)poll(&readable, 1, -1);
            continue;
        }
        if (r != 0)
            return r;
        if (message.kind == kind) {
            *ret_answer = message;
            return 0;
        }
        /* Orders are few (unready, drain, reopen), and a repeated one says nothing new. */
        if (control->stash_len < CONTROL_STASH)
            control->stash[control->stash_len++] = message;
    }
}

int control_next(struct control *control, struct control_message *ret_message)
{
    if (control->stash_len > 0) {
        *ret_message = control->stash[0];
        control->stash_len--;
        memmove(control->stash, control->stash + 1, control->stash_len * sizeof(control->stash[0]));
        return 0;
    }
    return control_receive(control->fd, MSG_DONTWAIT, ret_message);
}
