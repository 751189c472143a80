/* SPDX-License-Identifier: MIT */
/*
 * with_services [postgres] [pgbouncer] [redis] -- PROGRAM [ARGUMENT...]: starts them, runs the program with TEST_POSTGRES_URL (the superuser's, to the
 * database "postgres"), TEST_PGBOUNCER_URL (the same, through it), TEST_REDIS_URL in its environment, stops them; ends as the program did.
 * GIVEN_POSTGRES_URL and GIVEN_REDIS_URL name servers that are there already (docker/compose.test.yaml): a Postgres that trusts everybody, which
 * gets our roles, and a Redis on 127.0.0.1, which is emptied and used by one program at a time.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/support/pgbouncer.h"
#include "tests/support/postgres.h"
#include "tests/support/redis.h"

static volatile sig_atomic_t program;

/* A time-out of meson. */
static void pass_on(int signal)
{
    (void)signal;
    if (program > 0)
        kill((pid_t)program, SIGKILL);
}

static int run(char **arguments)
{
    int status;
    pid_t pid = fork();
    if (pid == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        execv(arguments[0], arguments);
        perror(arguments[0]);
        _exit(127);
    }
    program = pid;
    if (pid < 0 || waitpid(pid, &status, 0) != pid)
        return 1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static const char *given(const char *name)
{
    const char *value = getenv(name);
    return value && *value ? value : NULL;
}

static void use_postgres(const char *url)
{
    postgres_execute(url,
                     "DO $$ BEGIN CREATE ROLE backplane LOGIN; EXCEPTION WHEN duplicate_object OR unique_violation "
                     "THEN NULL; END $$");
    setenv("TEST_POSTGRES_URL", url, 1);
}

/* The lock is held for as long as this process lives. */
static void use_redis(const char *url)
{
    int port = 0, lock = open("/tmp/backplane-given-redis.lock", O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (sscanf(url, "redis://127.0.0.1:%d", &port) != 1)
        service_fail("GIVEN_REDIS_URL: %s is not redis://127.0.0.1:PORT", url);
    if (lock < 0 || flock(lock, LOCK_EX) != 0)
        service_fail("cannot lock /tmp/backplane-given-redis.lock");
    free(redis_ask(port, NULL, "FLUSHALL"));
    setenv("TEST_REDIS_URL", url, 1);
}

int main(int argc, char **argv)
{
    struct test_postgres postgres = {.pid = 0};
    struct test_pgbouncer pgbouncer = {.pid = 0};
    struct test_redis redis = {.pid = 0};
    char url[POSTGRES_URL_SIZE], redis_text[REDIS_URL_SIZE];
    const struct sigaction action = {.sa_handler = pass_on, .sa_flags = SA_RESTART};
    int i = 1;
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGINT, &action, NULL);
    for (; i < argc && strcmp(argv[i], "--") != 0; i++) {
        if (strcmp(argv[i], "postgres") == 0 && given("GIVEN_POSTGRES_URL")) {
            use_postgres(given("GIVEN_POSTGRES_URL"));
        } else if (strcmp(argv[i], "pgbouncer") == 0 && given("GIVEN_POSTGRES_URL")) {
            continue; /* who asks for that one fails, and says so */
        } else if (strcmp(argv[i], "redis") == 0 && given("GIVEN_REDIS_URL")) {
            use_redis(given("GIVEN_REDIS_URL"));
        } else if (strcmp(argv[i], "postgres") == 0) {
            postgres_start(&postgres, &(struct postgres_options){.durable = false});
            postgres_url(&postgres, NULL, "postgres", url);
            setenv("TEST_POSTGRES_URL", url, 1);
        } else if (strcmp(argv[i], "pgbouncer") == 0 && postgres.pid) {
            pgbouncer_start(&pgbouncer, &postgres, NULL);
            pgbouncer_url(&pgbouncer, NULL, "postgres", url);
            setenv("TEST_PGBOUNCER_URL", url, 1);
        } else if (strcmp(argv[i], "redis") == 0) {
            redis_start(&redis, &(struct redis_options){.password = NULL});
            redis_url(&redis, REDIS_TCP, 0, redis_text);
            setenv("TEST_REDIS_URL", redis_text, 1);
        } else {
            fprintf(stderr, "with_services: what is %s? (pgbouncer comes after postgres)\n", argv[i]);
            return 2;
        }
    }
    int code = i + 1 < argc ? run(argv + i + 1) : 2;
    if (redis.pid)
        redis_stop(&redis);
    if (pgbouncer.pid)
        pgbouncer_stop(&pgbouncer);
    if (postgres.pid)
        postgres_stop(&postgres);
    return code;
}
