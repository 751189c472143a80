/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "backplane/status.h"
#include "deliver.h"

Test(deliver, file)
{
    char folder[] = "/tmp/backplane-mail-XXXXXX", mail[64], path[128], text[256] = "";
    struct stat info;
    cr_assert(mkdtemp(folder));
    (void)snprintf(mail, sizeof(mail), "%s/mail", folder);
    struct delivery delivery = {.folder = mail, .message = "Subject: x\r\n", .name = "one"};
    cr_expect_eq(deliver(&delivery), 0, "%s", delivery.why);
    (void)snprintf(path, sizeof(path), "%s/one.eml", mail);
    FILE *in = fopen(path, "r");
    cr_assert(in);
    cr_expect_eq(fread(text, 1, sizeof(text) - 1, in), 12);
    cr_expect_str_eq(text, "Subject: x\r\n");
    (void)fclose(in);
    cr_assert_eq(stat(path, &info), 0);
    cr_expect_eq(info.st_mode & 0777, 0600);
    cr_expect_eq(unlink(path), 0);
    cr_expect_eq(rmdir(mail), 0);
    cr_expect_eq(rmdir(folder), 0);
    /* Into nowhere. */
    delivery.folder = "/nonexistent/mail";
    cr_expect_eq(deliver(&delivery), BP_ERROR);
    cr_expect(strstr(delivery.why, "/nonexistent/mail"), "%s", delivery.why);
}
