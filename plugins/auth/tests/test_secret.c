/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "secret.h"

static char folder[] = "/tmp/auth-secret-XXXXXX";
static char path[sizeof(folder) + 32];

static void setup(void)
{
    cr_assert(mkdtemp(folder));
    snprintf(path, sizeof(path), "%s/" SECRET_FILE, folder);
}

static void teardown(void)
{
    unlink(path);
    rmdir(folder);
}

static void write_file(const char *text, mode_t mode)
{
    unlink(path);
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL, mode);
    cr_assert(fd >= 0);
    cr_assert(write(fd, text, strlen(text)) == (ssize_t)strlen(text));
    cr_assert_eq(fchmod(fd, mode), 0);
    close(fd);
}

static unsigned count_files(void)
{
    unsigned count = 0;
    DIR *directory = opendir(folder);
    for (struct dirent *entry; (entry = readdir(directory));)
        count += strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
    closedir(directory);
    return count;
}

Test(secret, made_once, .init = setup, .fini = teardown)
{
    char first[SECRET_MAX + 1], second[SECRET_MAX + 1];
    bool created = false;
    struct stat info;
    cr_assert_eq(secret_load(folder, first, &created), 0);
    cr_expect(created);
    cr_expect_eq(strlen(first), 64);
    cr_expect_eq(strspn(first, "0123456789abcdef"), 64);
    cr_assert_eq(stat(path, &info), 0);
    cr_expect_eq(info.st_mode & 0777, 0600);
    cr_expect_eq(count_files(), 1);
    cr_assert_eq(secret_load(folder, second, &created), 0);
    cr_expect_not(created);
    cr_expect_str_eq(first, second);
}

/* Many processes at once agree on one, and exactly one says that it made it. */
Test(secret, several_processes, .init = setup, .fini = teardown)
{
    enum { PROCESSES = 8 };
    struct {
        int status;
        bool created;
        char secret[SECRET_MAX + 1];
    } *seen = mmap(NULL, PROCESSES * sizeof(*seen), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    cr_assert(seen != MAP_FAILED);
    int gate[2];
    cr_assert_eq(pipe(gate), 0);
    for (int i = 0; i < PROCESSES; i++) {
        if (fork() == 0) {
            char byte;
            close(gate[1]);
            (void)!read(gate[0], &byte, 1); /* until the parent lets all go */
            seen[i].status = secret_load(folder, seen[i].secret, &seen[i].created);
            _exit(0);
        }
    }
    close(gate[1]);
    for (int i = 0; i < PROCESSES; i++)
        wait(NULL);
    int makers = 0;
    for (int i = 0; i < PROCESSES; i++) {
        cr_expect_eq(seen[i].status, 0);
        cr_expect_str_eq(seen[i].secret, seen[0].secret);
        makers += seen[i].created;
    }
    cr_expect_eq(makers, 1);
    cr_expect_eq(count_files(), 1);
    close(gate[0]);
}

Test(secret, refused, .init = setup, .fini = teardown)
{
    char secret[SECRET_MAX + 1] = "untouched", longer[SECRET_MAX + 2];
    bool created = true;
    write_file("too short\n", 0600);
    cr_expect_eq(secret_load(folder, secret, &created), SECRET_E_SHORT);
    write_file("", 0600);
    cr_expect_eq(secret_load(folder, secret, &created), SECRET_E_SHORT);
    memset(longer, 'x', sizeof(longer) - 1);
    longer[sizeof(longer) - 1] = '\0';
    write_file(longer, 0600);
    cr_expect_eq(secret_load(folder, secret, &created), SECRET_E_SHORT);
    write_file("0123456789abcdef0123456789abcdef\n", 0640);
    cr_expect_eq(secret_load(folder, secret, &created), SECRET_E_EXPOSED);
    cr_expect_str_eq(secret, "untouched");
    cr_expect(created);
    write_file("0123456789abcdef0123456789abcdef\n", 0600);
    cr_expect_eq(secret_load(folder, secret, &created), 0);
    cr_expect_str_eq(secret, "0123456789abcdef0123456789abcdef");
    cr_expect_eq(secret_load("/nonexistent", secret, &created), -ENOENT);
    unlink(path);
    cr_assert_eq(symlink("/etc/hostname", path), 0);
    cr_expect_eq(secret_load(folder, secret, &created), -ELOOP);
}

Test(secret, characters)
{
    cr_expect_eq(secret_characters(BP_STR("")), 0);
    cr_expect_eq(secret_characters(BP_STR("abc")), 3);
    cr_expect_eq(secret_characters(BP_STR("\xc3\xa4\xf0\x9f\x98\x80")), 2);
}
