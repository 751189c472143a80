/* SPDX-License-Identifier: MIT */
#include "core/config/source.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#define READ_SIZE 4096

static char *read_all(int fd, size_t limit, size_t *ret_len, const char **ret_reason)
{
    struct stat status;
    if (fstat(fd, &status) < 0) {
        *ret_reason = strerrordesc_np(errno);
        return NULL;
    }
    if (!S_ISREG(status.st_mode)) {
        *ret_reason = S_ISDIR(status.st_mode) ? "is a folder" : "not a regular file";
        return NULL;
    }
    /* One byte more than allowed tells a file that is too large, whatever its size was a moment ago. */
    struct buffer text = {0};
    ssize_t got = 1;
    while (got != 0 && text.len <= limit) {
        if (!buffer_reserve(&text, READ_SIZE)) {
            *ret_reason = "out of memory";
            break;
        }
        got = read(fd, text.ptr + text.len, READ_SIZE - 1);
        if (got < 0 && errno != EINTR) {
            *ret_reason = strerrordesc_np(errno);
            break;
        }
        text.len += got > 0 ? (size_t)got : 0;
    }
    if (text.len > limit)
        *ret_reason = "too large";
    if (*ret_reason) {
        buffer_deinit(&text);
        return NULL;
    }
    text.ptr[text.len] = '\0';
    *ret_len = text.len;
    return text.ptr;
}

char *source_slurp(const char *file, size_t limit, size_t *ret_len, const char **ret_reason)
{
    *ret_reason = NULL;
    /* O_NONBLOCK: opening a FIFO must not wait for a writer. */
    int fd = open(file, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0) {
        *ret_reason = strerrordesc_np(errno);
        return NULL;
    }
    char *text = read_all(fd, limit, ret_len, ret_reason);
    close(fd);
    return text;
}
