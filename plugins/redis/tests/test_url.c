/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#include "url.h"

Test(url, understood)
{
    static const struct {
        const char *url, *name, *user, *password;
        bool tls, local;
    } cases[] = {
        {"redis://localhost", "localhost:6379/0", NULL, NULL, false, false},
        {"REDIS://localhost/", "localhost:6379/0", NULL, NULL, false, false},
        {"redis://10.0.0.1:7000/3", "10.0.0.1:7000/3", NULL, NULL, false, false},
        {"redis://[::1]", "[::1]:6379/0", NULL, NULL, false, false},
        {"redis://[::1]:1/2", "[::1]:1/2", NULL, NULL, false, false},
        {"rediss://:secret@h:1", "h:1/0", NULL, "secret", true, false},
        {"rediss://me:p%40%3a%2F@h", "h:6379/0", "me", "p@:/", true, false},
        {"redis://me:a@b@h", "h:6379/0", "me", "a@b", false, false},
        {"redis://default:x:y@h/15", "h:6379/15", "default", "x:y", false, false},
        {"redis://h?db=4", "h:6379/4", NULL, NULL, false, false},
        {"unix:///run/redis.sock", "/run/redis.sock?db=0", NULL, NULL, false, true},
        {"unix:///run/redis%20a.sock?db=2", "/run/redis a.sock?db=2", NULL, NULL, false, true},
        {"redis+unix://:pw@/r.sock?db=1", "/r.sock?db=1", NULL, "pw", false, true},
        {"redis-socket://u:pw@/r.sock", "/r.sock?db=0", "u", "pw", false, true},
        {"redis+socket:///r.sock", "/r.sock?db=0", NULL, NULL, false, true},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct redis_endpoint endpoint;
        char error[URL_ERROR] = "";
        cr_assert(endpoint_parse(bp_str_of(cases[i].url), &endpoint, error), "%s: %s", cases[i].url, error);
        cr_assert_str_eq(endpoint.name, cases[i].name, "%s", cases[i].url);
        cr_assert_eq(endpoint.has_user, cases[i].user != NULL, "%s", cases[i].url);
        cr_assert_eq(endpoint.has_password, cases[i].password != NULL, "%s", cases[i].url);
        cr_assert_str_eq(endpoint.user, cases[i].user ? cases[i].user : "");
        cr_assert_str_eq(endpoint.password, cases[i].password ? cases[i].password : "");
        cr_assert_eq(endpoint.tls, cases[i].tls);
        cr_assert_eq(endpoint.local, cases[i].local);
    }
}

Test(url, refused)
{
    static const char scheme[] = "must begin with redis://, rediss:// or unix://";
    static const char port[] = "has a port that is not a number from 1 to 65535";
    static const char percent[] = "has a % in the password that is not followed by two hexadecimal digits";
    static const struct {
        const char *url, *error;
    } cases[] = {
        {"", scheme},
        {"localhost:6379", scheme},
        {"http://h", scheme},
        {"://h", scheme},
        {"redis:/h", scheme},
        {"redis://", "has no host"},
        {"redis://:6379", "has no host"},
        {"redis://:p@", "has no host"},
        {"redis://h:", port},
        {"redis://h:0", port},
        {"redis://h:65536", port},
        {"redis://h:6379x", port},
        {"redis://h:-1", port},
        {"redis://[::1", "has an address in brackets that does not end well"},
        {"redis://[::1]7", "has an address in brackets that does not end well"},
        {"redis://h/x", "has a database that is not a number"},
        {"redis://h/1/2", "has a database that is not a number"},
        {"redis://h/99999999", "has a database that is not a number"},
        {"redis://h/1?db=4", "names two databases"},
        {"redis://h?db=1&db=1", "names two databases"},
        {"redis://h?db=", "has a database that is not a number"},
        {"redis://h?ssl_cert_reqs=none", "has a parameter that means nothing here: ssl_cert_reqs (only db does)"},
        {"redis://me@h", "has a user and no password: write redis://user:password@host, or redis://:password@host"},
        {"redis://me:@h", "has an empty password"},
        {"redis://:%4@h", percent},
        {"redis://:%@h", percent},
        {"redis://:%zz@h", percent},
        {"redis://:a%00b@h", "has a NUL in the password"},
        {"unix://run/redis.sock", "has no absolute path of a socket: write unix:///path/of/redis.sock"},
        {"unix://", "has no absolute path of a socket: write unix:///path/of/redis.sock"},
        {"unix:///a/long/path/of/more/than/107/characters/which/does/not/fit/into/the/address/of/a/unix/socket/on/"
         "linux/at/all",
         "has too long a path"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct redis_endpoint endpoint = {.port = 77};
        char error[URL_ERROR] = "";
        cr_assert_not(endpoint_parse(bp_str_of(cases[i].url), &endpoint, error), "%s", cases[i].url);
        cr_assert_str_eq(error, cases[i].error, "%s: %s", cases[i].url, error);
        cr_assert_eq(endpoint.port, 77);
    }
}

/* What is too long for its place is refused, and nothing of a secret gets into the message. */
Test(url, bounds)
{
    static const struct {
        const char *before, *after, *error;
        size_t most;
    } cases[] = {{"redis://", ":1/2", "has too long a host", ENDPOINT_HOST - 1},
                 {"redis://u:", "@h", "has too long a password", ENDPOINT_PASSWORD - 1},
                 {"redis://", ":p@h", "has too long a user", ENDPOINT_USER - 1}};
    char url[8192], error[URL_ERROR];
    struct redis_endpoint endpoint;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        for (size_t len = cases[i].most; len <= cases[i].most + 1; len++) {
            char filler[4096];
            memset(filler, 's', len);
            int size = snprintf(url, sizeof(url), "%s%.*s%s", cases[i].before, (int)len, filler, cases[i].after);
            error[0] = '\0';
            cr_assert_eq(endpoint_parse(bp_str_n(url, (size_t)size), &endpoint, error), len == cases[i].most);
            cr_assert_str_eq(error, len == cases[i].most ? "" : cases[i].error);
        }
    cr_assert_not(endpoint_parse(bp_str_n("redis://h\0x", 11), &endpoint, error));
}
