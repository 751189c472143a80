/* SPDX-License-Identifier: MIT */
/* The services that other tests rely on do what they are said to do. */
#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/support/fault_proxy.h"
#include "tests/support/http.h"
#include "tests/support/pgbouncer.h"
#include "tests/support/postgres.h"
#include "tests/support/redis.h"

TestSuite(services, .timeout = 120);

static void expect_answer(const char *url, const char *sql, const char *expected)
{
    char *text = postgres_ask(url, sql);
    cr_expect_str_eq(text, expected, "%s: %s, not %s", sql, text, expected);
    free(text);
}

Test(services, postgres_survives_what_is_done_to_it)
{
    struct test_postgres postgres;
    char url[POSTGRES_URL_SIZE], other[POSTGRES_URL_SIZE];
    postgres_start(&postgres,
                   &(struct postgres_options){.durable = true, .tls = true, .settings = "log_statement = 'ddl'"});
    postgres_url(&postgres, NULL, "postgres", url);
    postgres_database(url, "own", NULL);
    postgres_url(&postgres, "backplane", "own", url);
    postgres_execute(url, "CREATE TABLE t (a int); INSERT INTO t VALUES (5)");
    expect_answer(url, "SELECT rolsuper OR rolcreatedb FROM pg_roles WHERE rolname = current_user", "f");
    postgres_kill(&postgres);
    cr_expect(!service_reachable(postgres.port));
    postgres_again(&postgres);
    expect_answer(url, "SELECT a FROM t", "5");
    postgres_halt(&postgres);
    postgres_again(&postgres);
    postgres_pause(&postgres);
    postgres_resume(&postgres);
    postgres_set(&postgres, "default_transaction_read_only = on");
    expect_answer(url, "SHOW transaction_read_only", "on");
    postgres_socket_url(&postgres, "backplane", "own", other);
    expect_answer(other, "SELECT inet_client_addr() IS NULL", "t");
    postgres_url(&postgres, "locked:" POSTGRES_PASSWORD_URL, "own", other);
    strcat(other, "?sslmode=require");
    expect_answer(other, "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()", "t");
    postgres_stop(&postgres);
    cr_expect_neq(access(postgres.folder, F_OK), 0);
}

Test(services, pgbouncer_gives_each_transaction_a_connection)
{
    struct test_postgres postgres;
    struct test_pgbouncer pgbouncer;
    char url[POSTGRES_URL_SIZE];
    postgres_start(&postgres, &(struct postgres_options){.durable = false});
    pgbouncer_start(&pgbouncer, &postgres, "default_pool_size = 1");
    pgbouncer_url(&pgbouncer, "backplane", "postgres", url);
    expect_answer(url, "SELECT current_user", "backplane");
    pgbouncer_kill(&pgbouncer);
    cr_expect(!service_reachable(pgbouncer.port));
    pgbouncer_again(&pgbouncer);
    expect_answer(url, "SELECT 1", "1");
    pgbouncer_url(&pgbouncer, NULL, "pgbouncer", url);
    char *version = postgres_ask(url, "SHOW VERSION");
    cr_expect_eq(strncmp(version, "PgBouncer ", 10), 0, "%s", version);
    free(version);
    pgbouncer_stop(&pgbouncer);
    postgres_stop(&postgres);
}

Test(services, redis_by_all_ways)
{
    struct test_redis redis;
    char url[REDIS_URL_SIZE], expected[REDIS_URL_SIZE];
    redis_start(&redis, &(struct redis_options){.password = "secret", .tls = true, .settings = "maxmemory 8mb"});
    char *reply = redis_ask(redis.port, "secret", "SET a 5");
    cr_expect_str_eq(reply, "+OK\r\n");
    free(reply);
    reply = redis_ask(redis.port, NULL, "GET a");
    cr_expect_str_eq(reply, "-NOAUTH Authentication required.\r\n");
    free(reply);
    redis_kill(&redis);
    redis_again(&redis);
    reply = redis_ask(redis.port, "secret", "GET a");
    cr_expect_str_eq(reply, "$-1\r\n", "it keeps nothing");
    free(reply);
    cr_expect(service_reachable(redis.tls_port));
    redis_url(&redis, REDIS_TLS, 2, url);
    snprintf(expected, sizeof(expected), "rediss://:secret@127.0.0.1:%d/2", redis.tls_port);
    cr_expect_str_eq(url, expected);
    redis_stop(&redis);
}

/* Sends a command through the proxy on a new connection; the number of bytes of the answer, -1 when the connection fails first. */
static ssize_t through(int port, char *answer, size_t size)
{
    int fd = http_connect(port);
    if (fd < 0)
        return -1;
    ssize_t n = http_send_text(fd, "PING\r\n") ? recv(fd, answer, size - 1, 0) : -1;
    answer[n > 0 ? n : 0] = '\0';
    close(fd);
    return n;
}

Test(services, fault_proxy_fails_on_command)
{
    struct test_redis redis;
    char answer[64];
    redis_start(&redis, &(struct redis_options){.password = NULL});
    struct fault_proxy *proxy = fault_proxy_start(redis.port);
    int port = fault_proxy_port(proxy);
    cr_expect_eq(through(port, answer, sizeof(answer)), 7);
    cr_expect_str_eq(answer, "+PONG\r\n");

    fault_proxy_delay(proxy, 50);
    long long began = service_milliseconds();
    cr_expect_eq(through(port, answer, sizeof(answer)), 7);
    cr_expect_geq(service_milliseconds() - began, 100, "there and back");

    fault_proxy_refuse(proxy);
    cr_expect_eq(http_connect(port), -1);

    fault_proxy_pass(proxy);
    fault_proxy_cut_after(proxy, 3, true);
    cr_expect_eq(through(port, answer, sizeof(answer)), 3);
    cr_expect_str_eq(answer, "+PO");
    cr_expect(fault_proxy_has_cut(proxy));
    cr_expect_eq(through(port, answer, sizeof(answer)), 7);

    int fd = http_connect(port);
    cr_assert(http_send_text(fd, "PING\r\n") && recv(fd, answer, sizeof(answer), 0) == 7);
    fault_proxy_black_hole(proxy);
    cr_assert(http_send_text(fd, "PING\r\n"));
    struct timeval limit = {.tv_usec = 50000};
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
    cr_expect_eq(recv(fd, answer, sizeof(answer), 0), -1);
    fault_proxy_pass(proxy);
    limit = (struct timeval){.tv_sec = 10};
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
    cr_expect_eq(recv(fd, answer, sizeof(answer), 0), 7, "nothing is lost, only late");
    cr_expect_eq(fault_proxy_connections(proxy), 1);
    fault_proxy_cut(proxy);
    cr_expect_leq(recv(fd, answer, sizeof(answer), 0), 0);
    cr_expect_eq(fault_proxy_connections(proxy), 0);
    cr_expect_eq(fault_proxy_accepted(proxy), 5);
    close(fd);
    proxy = fault_proxy_stop(proxy);
    redis_stop(&redis);
}

/* Whoever is killed leaves nothing behind, not even what it had paused. */
Test(services, nothing_outlives_its_test)
{
    int ends[2];
    struct {
        struct test_postgres postgres;
        struct test_redis redis;
    } started;
    cr_assert_eq(pipe(ends), 0);
    pid_t pid = fork();
    if (pid == 0) {
        postgres_start(&started.postgres, &(struct postgres_options){.durable = false});
        redis_start(&started.redis, &(struct redis_options){.password = NULL});
        postgres_pause(&started.postgres);
        (void)!write(ends[1], &started, sizeof(started));
        pause();
    }
    cr_assert_eq(read(ends[0], &started, sizeof(started)), (ssize_t)sizeof(started));
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    long long end = service_milliseconds() + 20000;
    while (service_milliseconds() < end &&
           (access(started.postgres.folder, F_OK) == 0 || access(started.redis.folder, F_OK) == 0))
        service_breathe();
    cr_expect_neq(access(started.postgres.folder, F_OK), 0);
    cr_expect_neq(access(started.redis.folder, F_OK), 0);
    cr_expect(!service_reachable(started.redis.port));
    cr_expect(!service_reachable(started.postgres.port));
}
