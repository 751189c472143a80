/* SPDX-License-Identifier: MIT */
/* A server of this test's: HTTP/1.1 on 127.0.0.1 (and 127.0.0.2), behaving as the path of a request says. */
#ifndef HTTP_CLIENT_TESTS_ORIGIN_H
#define HTTP_CLIENT_TESTS_ORIGIN_H

#include <stdatomic.h>
#include <stdbool.h>

struct origin {
    int port;
    atomic_uint connections; /* accepted so far */
    atomic_uint requests;    /* whose head was read so far */
    atomic_uint open;        /* connections now */
};
extern struct origin origin;

/* certificate, key: files in PEM, then it speaks TLS; NULL. */
void origin_start(const char *certificate, const char *key);
/* The client must have closed its connections. */
void origin_stop(void);
/* Lets those go on that /wait holds. */
void origin_release(void);

#endif
