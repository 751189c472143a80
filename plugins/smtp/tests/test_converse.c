/* SPDX-License-Identifier: MIT */
/* Conversations with a mail server of this test that says what it is told to. */
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "backplane/status.h"
#include "converse.h"

static struct {
    int listener, port;
    pthread_t thread;
    const char *answer_to_recipient; /* "250 OK" */
    bool offers_login;
    char heard[16384]; /* all that the client has said */
} host;

static void say(FILE *out, const char *line)
{
    (void)fprintf(out, "%s\r\n", line);
    (void)fflush(out);
}

/* One conversation (RFC 5321). */
static void *serve(void *argument)
{
    char line[2048];
    bool data = false;
    (void)argument;
    int fd = accept(host.listener, NULL, NULL);
    FILE *in = fdopen(fd, "r"), *out = fdopen(dup(fd), "w");
    say(out, "220 mail.test ESMTP");
    while (fgets(line, sizeof(line), in)) {
        strcat(host.heard, line);
        if (data) {
            data = strcmp(line, ".\r\n") != 0;
            if (!data)
                say(out, "250 queued");
        } else if (strncmp(line, "EHLO", 4) == 0) {
            say(out, host.offers_login ? "250-mail.test\r\n250 AUTH PLAIN" : "250 mail.test");
        } else if (strncmp(line, "AUTH", 4) == 0) {
            say(out, "334 ");
            (void)!fgets(line, sizeof(line), in);
            say(out, strcmp(line, "AGFkYQBzZWNyZXQ=\r\n") == 0 ? "235 welcome" : "535 no");
        } else if (strncmp(line, "RCPT", 4) == 0) {
            say(out, host.answer_to_recipient);
        } else if (strncmp(line, "DATA", 4) == 0) {
            data = true;
            say(out, "354 go on");
        } else if (strncmp(line, "QUIT", 4) == 0) {
            say(out, "221 bye");
            break;
        } else {
            say(out, "250 OK");
        }
    }
    (void)fclose(in);
    (void)fclose(out);
    return NULL;
}

static void host_start(const char *answer_to_recipient, bool offers_login)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(address);
    host.listener = socket(AF_INET, SOCK_STREAM, 0);
    cr_assert_eq(bind(host.listener, (struct sockaddr *)&address, len), 0);
    cr_assert_eq(listen(host.listener, 1), 0);
    cr_assert_eq(getsockname(host.listener, (struct sockaddr *)&address, &len), 0);
    host.port = ntohs(address.sin_port);
    host.answer_to_recipient = answer_to_recipient;
    host.offers_login = offers_login;
    host.heard[0] = '\0';
    cr_assert_eq(pthread_create(&host.thread, NULL, serve, NULL), 0);
}

static void host_stop(void)
{
    pthread_join(host.thread, NULL);
    close(host.listener);
}

static const struct bp_mail mail = {
    .from = "no-reply@example.com", .to = "ada@example.org", .message = "Subject: x\r\n\r\n.dot\r\nbody\r\n"};

static struct conversation conversation_with(char url[64])
{
    (void)snprintf(url, 64, "smtp://127.0.0.1:%d", host.port);
    return (struct conversation){.url = url,
                                 .user = "",
                                 .password = "",
                                 .ca_file = "",
                                 .encryption = ENCRYPTION_NONE,
                                 .timeout = 10 * BP_SECOND,
                                 .mail = &mail};
}

Test(converse, answers)
{
    static const struct {
        const char *answer;
        bool login;
        int status;
    } cases[] = {
        {"250 OK", false, 0},
        {"250 OK", true, 0},
        {"450 later", false, BP_ERROR},
        {"550 no such user", false, BP_MAIL_E_REFUSED},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char url[64];
        host_start(cases[i].answer, cases[i].login);
        struct conversation conversation = conversation_with(url);
        if (cases[i].login) {
            conversation.user = "ada";
            conversation.password = "secret";
        }
        int status = converse(&conversation);
        host_stop();
        cr_expect_eq(status, cases[i].status, "%zu: %d %s", i, status, conversation.why);
        cr_expect(strstr(host.heard, "MAIL FROM:<no-reply@example.com>"), "%s", host.heard);
        cr_expect(strstr(host.heard, "RCPT TO:<ada@example.org>"), "%s", host.heard);
        cr_expect_eq(strstr(host.heard, "AUTH PLAIN") != NULL, cases[i].login, "%s", host.heard);
        /* A dot that begins a line is doubled on the way (RFC 5321 4.5.2). */
        cr_expect_eq(strstr(host.heard, "\r\n..dot\r\nbody\r\n.\r\n") != NULL, status == 0, "%s", host.heard);
    }
}

/* Without TLS nothing is sent to a server that must have it. */
Test(converse, encryption_required)
{
    char url[64];
    host_start("250 OK", false);
    struct conversation conversation = conversation_with(url);
    conversation.encryption = ENCRYPTION_REQUIRED;
    cr_expect_eq(converse(&conversation), BP_ERROR);
    host_stop();
    cr_expect_null(strstr(host.heard, "MAIL FROM"), "%s", host.heard);
}
