/* SPDX-License-Identifier: MIT */
/* Servers that begin without the database they need: they start, say so, refuse, and serve as soon as it is there. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "build_info.h"
#include "site.h"
#include "tests/support/http.h"
#include "tests/support/service.h"

TestSuite(postgres_start, .timeout = 280);

static struct site site;
static const struct site_options options = {.way = SITE_DIRECT};

/* An account cannot be made now; 503, and when to come again. */
static void expect_refused_account(void)
{
    struct http_reply reply;
    http_call(site.server.port, "POST", "/api/v1/auth/sign-up", NULL,
              "{\"email\":\"early@example.org\",\"password\":\"Passw0rd!\"}", &reply);
    cr_expect_eq(reply.status, 503, "%u %s", reply.status, reply.body);
    cr_expect(http_header(&reply, "Retry-After"));
    http_reply_free(&reply);
}

static void expect_in_output(const char *text, bool there)
{
    if (there && server_wait_output(&site.server, text))
        return;
    char *output = server_output(&site.server);
    cr_expect_eq(strstr(output, text) != NULL, there, "%s is %s:\n%s", text, there ? "missing" : "there", output);
    free(output);
}

Test(postgres_start, the_server_starts_before_the_database)
{
    site_services(&site, &options);
    postgres_halt(&site.postgres);
    site_server(&site, &options);
    site_expect_down(&site);
    expect_refused_account();
    postgres_again(&site.postgres);
    site_expect_back(&site);
    site_clients(&site);
    site_end(&site);
}

Test(postgres_start, a_wrong_password_is_mended)
{
    char role[] = "locked:wr0ng-one";
    const struct site_options patient = {.way = SITE_DIRECT, .arguments = {"--set", "plugins.main.at_start=nothing"}};
    site_services(&site, &patient);
    postgres_url(&site.postgres, role, strrchr(site.database, '/') + 1, site.url);
    site_server(&site, &patient);
    site_expect_down(&site);
    expect_refused_account();
    expect_in_output("password authentication failed for user", true);
    postgres_execute(site.superuser, "ALTER ROLE locked PASSWORD 'wr0ng-one'");
    site_expect_back(&site);
    site_clients(&site);
    expect_in_output("wr0ng-one", false); /* a secret is never said */
    site_end(&site);
}

/* A name that nobody knows, by RFC 6761: the loop does not wait for the answer, however long that takes. */
Test(postgres_start, the_name_does_not_resolve)
{
    site_services(&site, &options);
    snprintf(site.url, sizeof(site.url), "postgresql://backplane@database.invalid:5432/backplane");
    site_server(&site, &options);
    site_expect_down(&site);
    expect_refused_account();
    expect_in_output("database.invalid", true);
    site_end(&site);
}

static void migrate(void)
{
    char command[2048];
    snprintf(command, sizeof(command),
             "DATABASE_URL='%s' DIRECT_URL='%s' BACKPLANE_DATA=%s %s migrate up -c %s >/dev/null 2>&1", site.database,
             site.database, site.server.folder, BACKPLANE_BUILD_ROOT "/backplane",
             BACKPLANE_SOURCE_ROOT "/config/backplane.cfg");
    int status = system(command);
    cr_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0, "%s: %d", command, status);
}

/* A new version is rolled out before its migrations are: it does not serve on what it does not understand. */
Test(postgres_start, the_schema_is_behind)
{
    site_services(&site, &options);
    postgres_database(site.superuser, "behind", NULL);
    postgres_url(&site.postgres, "backplane", "behind", site.database);
    snprintf(site.url, sizeof(site.url), "%s", site.database);
    site_server(&site, &options);
    site_expect_down(&site);
    expect_refused_account();
    migrate();
    site_expect_back(&site);
    site_clients(&site);
    site_end(&site);
}
