/* SPDX-License-Identifier: MIT */
#include "tests/support/pgbouncer.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

enum { TRIES = 5 };

static void write_configuration(const struct test_pgbouncer *pgbouncer, const struct test_postgres *postgres,
                                const char *settings)
{
    char path[128], users[128];
    snprintf(path, sizeof(path), "%s/pgbouncer.ini", pgbouncer->folder);
    snprintf(users, sizeof(users), "%s/users", pgbouncer->folder);
    FILE *file = fopen(users, "we");
    if (!file || fprintf(file, "\"%s\" \"\"\n\"backplane\" \"\"\n", service_account()) < 0 || fclose(file) != 0)
        service_fail("%s: %s", users, strerror(errno));
    file = fopen(path, "we");
    if (!file ||
        fprintf(file,
                "[databases]\n* = host=127.0.0.1 port=%d\n"
                "[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = %d\nunix_socket_dir =\nauth_type = trust\n"
                "auth_file = %s\npool_mode = transaction\nmax_client_conn = 500\ndefault_pool_size = 20\n"
                "server_idle_timeout = 5\nserver_login_retry = 1\nadmin_users = %s\n%s\n",
                postgres->port, pgbouncer->port, users, service_account(), settings ? settings : "") < 0 ||
        fclose(file) != 0)
        service_fail("%s: %s", path, strerror(errno));
}

static bool spawn(struct test_pgbouncer *pgbouncer)
{
    char path[128], log[128];
    long long end = service_milliseconds() + SERVICE_READY_MILLISECONDS;
    snprintf(path, sizeof(path), "%s/pgbouncer.ini", pgbouncer->folder);
    snprintf(log, sizeof(log), "%s/log", pgbouncer->folder);
    pgbouncer->pid = service_spawn((const char *const[]){"/usr/sbin/pgbouncer", path, NULL}, log);
    while (!service_reachable(pgbouncer->port)) {
        if (!service_alive(pgbouncer->pid))
            return false;
        if (service_milliseconds() > end)
            service_fail_with_log("pgbouncer does not get ready", log);
        service_breathe();
    }
    return service_alive(pgbouncer->pid);
}

void pgbouncer_start(struct test_pgbouncer *pgbouncer, const struct test_postgres *postgres, const char *settings)
{
    char log[128];
    *pgbouncer = (struct test_pgbouncer){.pid = 0};
    service_folder(pgbouncer->folder);
    for (int i = 0; i < TRIES; i++) {
        pgbouncer->port = service_free_port();
        write_configuration(pgbouncer, postgres, settings);
        if (spawn(pgbouncer))
            return;
    }
    snprintf(log, sizeof(log), "%s/log", pgbouncer->folder);
    service_fail_with_log("pgbouncer does not start", log);
}

void pgbouncer_kill(struct test_pgbouncer *pgbouncer)
{
    service_kill_all(pgbouncer->pid);
    pgbouncer->pid = 0;
}

void pgbouncer_stop(struct test_pgbouncer *pgbouncer)
{
    if (pgbouncer->pid) {
        service_signal_all(pgbouncer->pid, SIGCONT);
        service_stop(pgbouncer->pid, SIGTERM);
    }
    pgbouncer->pid = 0;
    service_folder_remove(pgbouncer->folder);
}

void pgbouncer_again(struct test_pgbouncer *pgbouncer)
{
    char log[128];
    snprintf(log, sizeof(log), "%s/log", pgbouncer->folder);
    if (!spawn(pgbouncer))
        service_fail_with_log("pgbouncer does not start again", log);
}

void pgbouncer_url(const struct test_pgbouncer *pgbouncer, const char *role, const char *database,
                   char ret_url[POSTGRES_URL_SIZE])
{
    snprintf(ret_url, POSTGRES_URL_SIZE, "postgresql://%s@127.0.0.1:%d/%s", role ? role : service_account(),
             pgbouncer->port, database);
}
