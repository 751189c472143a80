/* SPDX-License-Identifier: MIT */
#include "core/plugin/elf_file.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <sys/stat.h>
#include <unistd.h>

/* Segments looked at; a shared object has about ten. */
#define SEGMENTS 64

static uint64_t end_of_segments(int fd, const ElfW(Ehdr) * header)
{
    ElfW(Phdr) segments[SEGMENTS];
    size_t count = header->e_phnum < SEGMENTS ? header->e_phnum : SEGMENTS;
    uint64_t end = header->e_phoff + (uint64_t)header->e_phnum * sizeof(*segments);
    ssize_t got = pread(fd, segments, count * sizeof(*segments), (off_t)header->e_phoff);
    if (got < 0)
        return end;
    for (size_t i = 0; i < (size_t)got / sizeof(*segments); i++)
        if (segments[i].p_offset + segments[i].p_filesz > end)
            end = segments[i].p_offset + segments[i].p_filesz;
    return end;
}

static bool check(int fd, const char *file, struct buffer *why)
{
    ElfW(Ehdr) header;
    struct stat status;
    if (fstat(fd, &status) != 0 || !S_ISREG(status.st_mode)) {
        buffer_printf(why, "%s is not a regular file", file);
        return false;
    }
    uint64_t size = (uint64_t)status.st_size;
    if (pread(fd, &header, sizeof(header), 0) != (ssize_t)sizeof(header)) {
        buffer_printf(why, "%s is truncated: %llu bytes are too few for a shared object", file,
                      (unsigned long long)size);
        return false;
    }
    if (memcmp(header.e_ident, ELFMAG, SELFMAG) != 0 || header.e_type != ET_DYN) {
        buffer_printf(why, "%s is not a shared object", file);
        return false;
    }
    uint64_t sections = header.e_shoff + (uint64_t)header.e_shnum * header.e_shentsize;
    uint64_t end = end_of_segments(fd, &header);
    if (sections > end)
        end = sections;
    if (end > size) {
        buffer_printf(why, "%s is truncated: it has %llu of %llu bytes", file, (unsigned long long)size,
                      (unsigned long long)end);
        return false;
    }
    return true;
}

bool elf_file_check(const char *file, struct buffer *why)
{
    int fd = open(file, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        buffer_printf(why, "%s cannot be opened: %s", file, strerror(errno));
        return false;
    }
    bool fine = check(fd, file, why);
    close(fd);
    return fine;
}
