/* SPDX-License-Identifier: MIT */
/* What a start refuses, as an operator meets it: one line that says why, and an exit status that a supervisor understands. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/support/pgbouncer.h"
#include "tests/support/postgres.h"
#include "tests/support/server.h"
#include "tests/support/service.h"

TestSuite(refused_start, .timeout = 120);

#define SECRET "JWT_SECRET=0123456789abcdef0123456789abcdef"

struct refusal {
    const char *environment[4]; /* besides NODE_ENV=production */
    const char *reason;         /* part of the line */
};

static void check_refused(const struct refusal *refusal, const char *folder)
{
    const char *environment[8] = {"NODE_ENV=production", "LOG_LEVEL=info"};
    char *output;
    for (size_t i = 0; i < 4 && refusal->environment[i]; i++)
        environment[2 + i] = refusal->environment[i];
    int code = server_refuses(&(struct server_options){.environment = environment, .folder = folder}, &output);
    cr_expect_eq(code, 1, "exit status %d: %s", code, output);
    cr_expect(strstr(output, refusal->reason), "\"%s\" is not in: %s", refusal->reason, output);
    const char *line_end = strchr(output, '\n');
    cr_expect(line_end && line_end[1] == '\0', "more than one line: %s", output);
    cr_expect_null(strstr(output, "h1dden"), "a secret is said: %s", output);
    free(output);
}

Test(refused_start, what_the_configuration_cannot_be)
{
    static const struct refusal refusals[] = {
        {{NULL}, "secret is required in production: set JWT_SECRET to at least 32 random characters"},
        {{"JWT_SECRET="}, "secret is required in production: set JWT_SECRET to at least 32 random characters"},
        {{"JWT_SECRET=h1dden"}, "plugins.mailer.secret: must have at least 32 characters, has 6"},
        {{SECRET, "DATABASE_URL=h1dden"}, "plugins.main.url: must be a connection URL"},
        {{SECRET, "DATABASE_URL=mysql://u:h1dden@127.0.0.1/x"}, "plugins.main.url: must be a connection URL"},
        {{SECRET, "REDIS_URL=http://:h1dden@127.0.0.1"},
         "plugins.redis.url: must begin with redis://, rediss:// or unix://"},
        {{SECRET, "DATABASE_AT_START=never", "DATABASE_URL=postgres://u:h1dden@127.0.0.1/x"},
         "plugins.main.at_start: "},
    };
    for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++)
        check_refused(&refusals[i], NULL);
}

static void make_folder(char folder[64])
{
    snprintf(folder, 64, "/tmp/backplane-test-XXXXXX");
    cr_assert(mkdtemp(folder));
}

/* A volume that is somebody else's: root may write everywhere, but not where the kernel lets nobody make files. */
Test(refused_start, a_volume_that_cannot_be_written)
{
    const struct refusal missing = {{SECRET, "BACKPLANE_DATA=/proc/volume"},
                                    "cannot make the data folder /proc/volume: "};
    const struct refusal closed = {{SECRET, "BACKPLANE_DATA=/proc"}, "cannot open /proc/pid: "};
    check_refused(&missing, NULL);
    check_refused(&closed, NULL);
    if (geteuid() != 0) {
        char folder[64], data[96], reason[128];
        make_folder(folder);
        cr_assert_eq(chmod(folder, 0500), 0);
        snprintf(data, sizeof(data), "BACKPLANE_DATA=%s", folder);
        snprintf(reason, sizeof(reason), "cannot open %s/pid: Permission denied (for user %u)", folder,
                 (unsigned)geteuid());
        const struct refusal theirs = {{SECRET, data}, reason};
        check_refused(&theirs, NULL);
        rmdir(folder);
    }
}

static void check_database(const char *url, const char *at_start, const char *reason)
{
    char database[POSTGRES_URL_SIZE + 16], mode[64];
    snprintf(database, sizeof(database), "DATABASE_URL=%s", url);
    snprintf(mode, sizeof(mode), "DATABASE_AT_START=%s", at_start);
    const struct refusal refusal = {{SECRET, database, mode}, reason};
    check_refused(&refusal, NULL);
}

/* By the server that answers, whatever is said about a start without one. */
Test(refused_start, a_database_that_refuses)
{
    struct test_postgres postgres;
    struct test_pgbouncer pgbouncer;
    char superuser[POSTGRES_URL_SIZE], url[POSTGRES_URL_SIZE];
    char wrong_password[] = "locked:h1dden";
    postgres_start(&postgres, &(struct postgres_options){.durable = false});
    postgres_url(&postgres, NULL, "postgres", superuser);
    postgres_database(superuser, "closed", NULL);
    postgres_execute(superuser, "CREATE ROLE stranger LOGIN; REVOKE CONNECT ON DATABASE closed FROM PUBLIC");
    const struct {
        const char *role, *database, *reason;
    } refused[] = {
        {wrong_password, "postgres",
         "the database does not let this server in: password authentication failed for user \\\"locked\\\""},
        {"locked", "postgres", "the database does not let this server in: "}, /* no password at all */
        {"backplane", "absent", "the database does not let this server in: database \\\"absent\\\" does not exist"},
        {"nobody", "postgres", "the database does not let this server in: role \\\"nobody\\\" does not exist"},
        {"stranger", "closed",
         "the database does not let this server in: permission denied for database \\\"closed\\\""},
    };
    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
        postgres_url(&postgres, refused[i].role, refused[i].database, url);
        check_database(url, i % 2 ? "reached" : "accepted", refused[i].reason);
    }
    pgbouncer_start(&pgbouncer, &postgres, NULL);
    pgbouncer_url(&pgbouncer, "backplane", "absent", url);
    check_database(url, "accepted", "the database does not let this server in: database \\\"absent\\\" does not exist");
    pgbouncer_stop(&pgbouncer);
    postgres_stop(&postgres);
}

/* Only where the start was told that it must be there. */
Test(refused_start, a_database_that_is_away)
{
    char url[POSTGRES_URL_SIZE];
    snprintf(url, sizeof(url), "postgres://u:h1dden@127.0.0.1:%d/x?connect_timeout=1", service_free_port());
    check_database(url, "reached", "the database cannot be reached: connection to server at ");
    check_database("postgres://u:h1dden@database.invalid/x?connect_timeout=1", "reached",
                   "the database cannot be reached: could not translate host name \\\"database.invalid\\\"");
}
