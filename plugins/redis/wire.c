/* SPDX-License-Identifier: MIT */
#include "wire.h"

#include <errno.h>
#include <openssl/err.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#define READ_SIZE 16384u

int wire_fail(struct wire *wire, const char *format, ...)
{
    if (wire->reason[0] == '\0') {
        va_list arguments;
        va_start(arguments, format);
        vsnprintf(wire->reason, sizeof(wire->reason), format, arguments);
        va_end(arguments);
    }
    return BP_BUSY;
}

void wire_close(struct wire *wire)
{
    if (wire->ssl) {
        /* Says goodbye if there is room for it. */
        if (SSL_is_init_finished(wire->ssl))
            SSL_shutdown(wire->ssl);
        ERR_clear_error();
        SSL_free(wire->ssl);
    }
    if (wire->reader)
        redisReaderFree(wire->reader);
    if (wire->fd >= 0)
        close(wire->fd);
    wire->ssl = NULL;
    wire->reader = NULL;
    wire->fd = -1;
}

static int read_some(struct wire *wire, char *bytes, size_t size, size_t *ret_len)
{
    ssize_t len;
    if (wire->ssl) {
        int result;
        ERR_clear_error();
        errno = 0;
        result = SSL_read_ex(wire->ssl, bytes, size, ret_len);
        return result == 1 ? 0 : tls_result(wire, result);
    }
    do
        len = recv(wire->fd, bytes, size, 0);
    while (len < 0 && errno == EINTR);
    if (len < 0 && errno == EAGAIN) {
        wire->waits_for = BP_READABLE;
        return WIRE_WAIT;
    }
    if (len <= 0)
        return wire_fail(wire, "%s", len < 0 ? strerror(errno) : "the server closed the connection");
    *ret_len = (size_t)len;
    return 0;
}

int wire_read(struct wire *wire)
{
    char bytes[READ_SIZE];
    size_t len = 0;
    int status = read_some(wire, bytes, sizeof(bytes), &len);
    if (status != 0)
        return status;
    wire->drained = !wire->ssl && len < sizeof(bytes);
    return redisReaderFeed(wire->reader, bytes, len) == REDIS_OK
               ? 0
               : wire_fail(wire, "bad answer: %s", wire->reader->errstr);
}

int wire_next(struct wire *wire, struct reply **ret_reply)
{
    if (reply_next(wire->reader, ret_reply))
        return 0;
    /* hiredis says "out of memory" for what our own bounds refused. */
    return wire_fail(wire, "bad answer: %s",
                     wire->reader->err == REDIS_ERR_PROTOCOL ? wire->reader->errstr : "larger than reply_limit");
}

int wire_write(struct wire *wire, const char *bytes, size_t len, size_t *ret_written)
{
    ssize_t written;
    if (wire->ssl) {
        int result;
        ERR_clear_error();
        errno = 0;
        result = SSL_write_ex(wire->ssl, bytes, len, ret_written);
        return result == 1 ? 0 : tls_result(wire, result);
    }
    do
        written = send(wire->fd, bytes, len, MSG_NOSIGNAL);
    while (written < 0 && errno == EINTR);
    if (written < 0 && errno == EAGAIN) {
        wire->waits_for = BP_WRITABLE;
        return WIRE_WAIT;
    }
    if (written < 0)
        return wire_fail(wire, "%s", strerror(errno));
    *ret_written = (size_t)written;
    return 0;
}
