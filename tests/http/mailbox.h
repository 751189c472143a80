/* SPDX-License-Identifier: MIT */
/* What a development server has written into the folder for mail. */
#ifndef HTTP_MAILBOX_H
#define HTTP_MAILBOX_H

#include <time.h>

#include "tests/support/server.h"

enum { MAILBOX_MAX = 64 };

struct mail {
    char to[128], subject[512] /* decoded */, text[4096];
    long long written; /* when, in milliseconds since the epoch */
};

struct mailbox {
    struct mail mails[MAILBOX_MAX]; /* in no order */
    size_t count;
};

/* What is there now. */
void mailbox_read(const struct test_server *server, struct mailbox *ret_mailbox);
/* Waits until there are at least so many; fails the test when there are not in time. */
void mailbox_wait(const struct test_server *server, size_t count, struct mailbox *ret_mailbox);
/* Those whose subject is this one. */
size_t mailbox_count(const struct mailbox *mailbox, const char *subject);

#endif
