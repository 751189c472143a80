/* SPDX-License-Identifier: MIT */
#include "secret.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sodium.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "backplane/uuid.h"

size_t secret_characters(bp_str secret)
{
    size_t count = 0;
    for (size_t i = 0; i < secret.len; i++)
        count += ((unsigned char)secret.ptr[i] & 0xC0) != 0x80;
    return count;
}

static int read_secret(int folder, char ret_secret[SECRET_MAX + 1])
{
    int fd = openat(folder, SECRET_FILE, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return -errno;
    char bytes[SECRET_MAX + 2]; /* one more than allowed, to see that it is too long; and a line end */
    struct stat info;
    ssize_t len = read(fd, bytes, sizeof(bytes));
    int error = len < 0 || fstat(fd, &info) != 0 ? -errno : 0;
    close(fd);
    if (error)
        return error;
    if (info.st_mode & (S_IRWXG | S_IRWXO))
        return SECRET_E_EXPOSED;
    bp_str text = bp_str_trim(bp_str_n(bytes, (size_t)len));
    if (text.len > SECRET_MAX || secret_characters(text) < SECRET_MIN)
        return SECRET_E_SHORT;
    memcpy(ret_secret, text.ptr, text.len);
    ret_secret[text.len] = '\0';
    sodium_memzero(bytes, sizeof(bytes));
    return 0;
}

static int write_all(int fd, const char *bytes, size_t len)
{
    while (len > 0) {
        ssize_t written = write(fd, bytes, len);
        if (written < 0 && errno != EINTR)
            return -errno;
        if (written > 0) {
            bytes += written;
            len -= (size_t)written;
        }
    }
    return 0;
}

/* Complete under another name first, then linked: nobody sees half of it, and the first one wins. */
static int create_secret(int folder, bool *ret_created)
{
    unsigned char random[32];
    char text[2 * sizeof(random) + 1], name[64];
    bp_random(random, sizeof(random));
    sodium_bin2hex(text, sizeof(text), random, sizeof(random));
    text[sizeof(text) - 1] = '\n';
    uint32_t salt; /* processes of two containers may have the same number */
    bp_random(&salt, sizeof(salt));
    snprintf(name, sizeof(name), "." SECRET_FILE ".%ld.%08x", (long)getpid(), salt);

    int fd = openat(folder, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, S_IRUSR | S_IWUSR);
    if (fd < 0)
        return -errno;
    int error = write_all(fd, text, sizeof(text));
    if (!error && fsync(fd) != 0)
        error = -errno;
    close(fd);
    sodium_memzero(text, sizeof(text));
    sodium_memzero(random, sizeof(random));
    if (!error) {
        bool linked = linkat(folder, name, folder, SECRET_FILE, 0) == 0;
        if (!linked && errno != EEXIST)
            error = -errno;
        *ret_created = linked;
    }
    unlinkat(folder, name, 0);
    if (!error && fsync(folder) != 0)
        error = -errno;
    return error;
}

int secret_load(const char *folder, char ret_secret[SECRET_MAX + 1], bool *ret_created)
{
    int directory = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (directory < 0)
        return -errno;
    bool created = false;
    int status = read_secret(directory, ret_secret);
    if (status == -ENOENT) {
        status = create_secret(directory, &created);
        if (status == 0)
            status = read_secret(directory, ret_secret);
    }
    close(directory);
    if (status == 0)
        *ret_created = created;
    return status;
}
