/* SPDX-License-Identifier: MIT */
#include "mailbox.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "tests/support/service.h"

static size_t decode(const char *base64, size_t len, char *ret_text, size_t size)
{
    size_t decoded = 0;
    cr_assert_eq(sodium_base642bin((unsigned char *)ret_text, size - 1, base64, len, "\r\n", &decoded, NULL,
                                   sodium_base64_VARIANT_ORIGINAL),
                 0);
    ret_text[decoded] = '\0';
    return decoded;
}

/* Of encoded words, too, which may go on in the next line. */
static void read_subject(const char *at, char *ret_text, size_t size)
{
    static const char word[] = "=?UTF-8?B?";
    size_t len = 0;
    const char *end = strstr(at, "\r\n");
    while (end && end[2] == ' ')
        end = strstr(end + 2, "\r\n");
    cr_assert(end);
    if (strncmp(at, word, strlen(word)) != 0) {
        (void)snprintf(ret_text, size, "%.*s", (int)(end - at), at);
        return;
    }
    for (const char *next = at; next && next < end; next = strstr(next, word)) {
        next += strlen(word);
        len += decode(next, (size_t)(strstr(next, "?=") - next), ret_text + len, size - len);
    }
}

static void read_one(const char *path, struct mail *mail)
{
    char message[16384];
    struct stat info;
    FILE *in = fopen(path, "r");
    cr_assert(in && fstat(fileno(in), &info) == 0);
    message[fread(message, 1, sizeof(message) - 1, in)] = '\0';
    (void)fclose(in);
    const char *to = strstr(message, "To: <"), *subject = strstr(message, "Subject: "),
               *body = strstr(message, "\r\n\r\n");
    cr_assert(to && subject && body && sscanf(to, "To: <%127[^>]>", mail->to) == 1, "%s", message);
    read_subject(subject + strlen("Subject: "), mail->subject, sizeof(mail->subject));
    decode(body, strlen(body), mail->text, sizeof(mail->text));
    mail->written = (long long)info.st_mtim.tv_sec * 1000 + info.st_mtim.tv_nsec / 1000000;
}

void mailbox_read(const struct test_server *server, struct mailbox *ret_mailbox)
{
    char folder[128], path[512];
    ret_mailbox->count = 0;
    (void)snprintf(folder, sizeof(folder), "%s/mail", server->folder);
    DIR *directory = opendir(folder);
    for (struct dirent *entry; directory && (entry = readdir(directory));) {
        if (entry->d_name[0] == '.')
            continue;
        (void)snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
        cr_assert_lt(ret_mailbox->count, (size_t)MAILBOX_MAX);
        read_one(path, &ret_mailbox->mails[ret_mailbox->count++]);
    }
    if (directory)
        closedir(directory);
}

void mailbox_wait(const struct test_server *server, size_t count, struct mailbox *ret_mailbox)
{
    mailbox_read(server, ret_mailbox);
    for (long long begun = 0; ret_mailbox->count < count; mailbox_read(server, ret_mailbox))
        cr_assert(service_patience(&begun, 30000), "%zu messages, not %zu", ret_mailbox->count, count);
}

size_t mailbox_count(const struct mailbox *mailbox, const char *subject)
{
    size_t count = 0;
    for (size_t i = 0; i < mailbox->count; i++)
        count += strcmp(mailbox->mails[i].subject, subject) == 0;
    return count;
}
