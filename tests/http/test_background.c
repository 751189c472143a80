/* SPDX-License-Identifier: MIT */
/* What the plugins leave to jobs where there is a queue: messages, and what has expired. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mailbox.h"
#include "tests/support/database.h"
#include "tests/support/http.h"
#include "tests/support/server.h"
#include "tests/support/service.h"

static struct test_server server;

#define MESSAGES "SELECT count(*) FROM jobs WHERE kind = 'mailer.send'"
#define CLEANED "SELECT count(*) FROM jobs WHERE kind = 'idempotency.clean'"
#define SECRET "JWT_SECRET=at-least-thirty-two-characters-of-it"

static void start_with(const char *folder, const char *secret)
{
    server_start(&server,
                 &(struct server_options){.environment = (const char *[]){"BACKPLANE_WORKERS=2", secret, NULL},
                                          .arguments = (const char *[]){"--set", "plugins.mailer.retry_after=50ms",
                                                                        "--set", "plugins.queue.lease=1s", "--set",
                                                                        "plugins.auth.cleanup=1s", "--set",
                                                                        "plugins.idempotency.cleanup=10ms", NULL},
                                          .folder = folder});
}

static void place_of_mail(char ret_place[128])
{
    (void)snprintf(ret_place, 128, "%s/mail", server.folder);
}

/* A message that cannot be sent. */
static void forget_password_in_vain(void)
{
    char place[128];
    struct http_reply reply;
    place_of_mail(place);
    FILE *in_the_way = fopen(place, "w");
    cr_assert(in_the_way);
    (void)fclose(in_the_way);
    http_call(server.port, "POST", "/api/v1/auth/password/forgot", NULL, "{\"email\":\"ada@example.com\"}", &reply);
    cr_assert_eq(reply.status, 202);
    http_reply_free(&reply);
    cr_assert(server_wait_output(&server, "mailer.failed"));
}

static void mail_server_is_back(void)
{
    char place[128];
    place_of_mail(place);
    cr_assert_eq(unlink(place), 0);
}

/* The server dies while a message waits for a mail server that is away, which comes back before the server does. */
static void leave_a_message(char ret_folder[sizeof(server.folder)])
{
    start_with(NULL, SECRET);
    free(http_login(server.port, "ada@example.com"));
    forget_password_in_vain();
    server_kill(&server);
    mail_server_is_back();
    memcpy(ret_folder, server.folder, sizeof(server.folder));
}

Test(background, a_message_survives_the_server)
{
    struct mailbox box;
    char folder[sizeof(server.folder)];
    leave_a_message(folder);
    database_wait(&server, MESSAGES " AND payload LIKE '%Reset your password%'", 1);
    database_wait(&server, MESSAGES " AND payload LIKE '%Somebody%'", 0); /* what is in it */
    start_with(folder, SECRET);
    mailbox_wait(&server, 1, &box);
    cr_expect_str_eq(box.mails[0].to, "ada@example.com");
    cr_expect_str_eq(box.mails[0].subject, "Reset your password");
    cr_expect(strstr(box.mails[0].text, "asked for a new password for this address"), "%s", box.mails[0].text);
    database_wait(&server, MESSAGES " AND state = 'done'", 1);
    mailbox_read(&server, &box);
    cr_expect_eq(box.count, 1);
    server_stop(&server);
}

/* The secret has changed while a message waited: nobody can open it, and it is said; put back, the message can be sent after all. */
Test(background, a_message_of_another_secret)
{
    struct mailbox box;
    char folder[sizeof(server.folder)];
    leave_a_message(folder);
    start_with(folder, "JWT_SECRET=another-one-of-thirty-two-characters");
    database_wait(&server,
                  MESSAGES " AND state = 'dead' AND reason = 'It was sealed with another secret, or changed since'", 1);
    cr_assert(server_wait_output(&server, "mailer.given_up"));
    mailbox_read(&server, &box);
    cr_expect_eq(box.count, 0);
    server_stop_keep(&server);
    database_execute(&server, "UPDATE jobs SET state = 'waiting', attempt = 0 WHERE kind = 'mailer.send'");
    start_with(folder, SECRET);
    mailbox_wait(&server, 1, &box);
    cr_expect_str_eq(box.mails[0].subject, "Reset your password");
    server_stop(&server);
}

/* However many there are, one run deletes them all. */
Test(background, many_that_have_expired)
{
    char folder[sizeof(server.folder)];
    start_with(NULL, SECRET);
    database_wait(&server, CLEANED " AND state = 'done'", 1);
    server_stop_keep(&server);
    memcpy(folder, server.folder, sizeof(folder));
    database_execute(&server, "DELETE FROM jobs WHERE kind <> 'idempotency.clean'");
    database_execute(&server, database_kind() == DATABASE_SQLITE
                                  ? "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10600) "
                                    "INSERT INTO idempotency_keys SELECT randomblob(16), randomblob(16), 200, '', '', "
                                    "NULL, 0, 1 FROM n"
                                  : "INSERT INTO idempotency_keys SELECT gen_random_uuid(), gen_random_uuid(), 200, "
                                    "'', '', NULL, to_timestamp(0), to_timestamp(1) FROM generate_series(1, 10600)");
    database_execute(&server, "UPDATE jobs SET state = 'waiting', attempt = 0");
    server_start(&server, &(struct server_options){
                              .environment = (const char *[]){SECRET, NULL},
                              .arguments = (const char *[]){"--set", "plugins.idempotency.cleanup=1d", NULL},
                              .folder = folder});
    database_wait(&server, CLEANED " AND state = 'done' AND attempt = 1", 1);
    cr_expect_eq(database_integer(&server, "SELECT count(*) FROM idempotency_keys"), 0);
    server_stop(&server);
}

/* In production; once for all workers. */
Test(background, messages_in_clear_text_are_warned_of)
{
    static const char *const secrets[] = {"plugins.mailer.secret=", "plugins.mailer.retry_after=1s"};
    for (size_t i = 0; i < 2; i++) {
        server_start(&server, &(struct server_options){
                                  .environment = (const char *[]){"NODE_ENV=production", SECRET, "BACKPLANE_WORKERS=2",
                                                                  "SMTP_URL=smtp://127.0.0.1:1", NULL},
                                  .arguments = (const char *[]){"--set", secrets[i], NULL}});
        char *output = server_output(&server), *said = strstr(output, "mailer.unsealed");
        cr_expect_eq(said != NULL, i == 0, "%s", output);
        cr_expect(!said || !strstr(said + 1, "mailer.unsealed"), "%s", output);
        free(output);
        server_stop(&server);
    }
}

Test(background, a_short_secret_is_refused)
{
    char *output;
    int code = server_refuses(
        &(struct server_options){
            .arguments = (const char *[]){"--set", "plugins.mailer.secret=0123456789abcdef0123456789abcde", NULL}},
        &output);
    cr_expect_eq(code, 1, "%d", code);
    cr_expect(strstr(output, "plugins.mailer.secret: must have at least 32 characters, has 31"), "%s", output);
    cr_expect_null(strstr(output, "0123456789"), "a secret is said: %s", output);
    free(output);
}

Test(background, what_has_expired_is_deleted)
{
    struct http_reply reply;
    char lines[1200];
    start_with(NULL, NULL);
    char *ada = http_login(server.port, "ada@example.com");
    free(http_login(server.port, "bob@example.com"));
    (void)snprintf(lines, sizeof(lines), "%sIdempotency-Key: k\r\n", ada);
    http_call(server.port, "POST", "/api/v1/todos", lines, "{\"title\":\"x\"}", &reply);
    cr_assert_eq(reply.status, 201);
    http_reply_free(&reply);
    http_call(server.port, "POST", "/api/v1/auth/password/forgot", NULL, "{\"email\":\"ada@example.com\"}", &reply);
    cr_assert_eq(reply.status, 202);
    http_reply_free(&reply);
    database_wait(&server, "SELECT count(*) FROM mailed_tokens", 1);
    cr_expect_eq(database_integer(&server, "SELECT count(*) FROM sessions"), 2);
    cr_expect_eq(database_integer(&server, "SELECT count(*) FROM login_addresses"), 2);
    cr_expect_eq(database_integer(&server, "SELECT count(*) FROM idempotency_keys"), 1);
    const char *bobs =
        "UPDATE sessions SET expires_at = created_at WHERE user_id = (SELECT id FROM users WHERE email = "
        "'bob@example.com')";
    database_execute(&server, bobs);
    database_execute(&server, "UPDATE mailed_tokens SET expires_at = created_at");
    database_execute(&server, "UPDATE idempotency_keys SET expires_at = created_at");
    database_execute(&server, database_kind() == DATABASE_SQLITE
                                  ? "UPDATE login_addresses SET used_at = used_at - 90 * 86400000"
                                  : "UPDATE login_addresses SET used_at = used_at - interval '90 days'");
    database_wait(&server, "SELECT count(*) FROM mailed_tokens", 0);
    database_wait(&server, "SELECT count(*) FROM sessions", 1);
    database_wait(&server, "SELECT count(*) FROM login_addresses", 0);
    database_wait(&server, "SELECT count(*) FROM idempotency_keys", 0);
    http_call(server.port, "GET", "/api/v1/todos", ada, NULL, &reply);
    cr_expect_eq(reply.status, 200);
    http_reply_free(&reply);
    free(ada);
    server_stop(&server);
}
