/* SPDX-License-Identifier: MIT */
#include "tests/support/postgres.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <libpq-fe.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "build_info.h"
#include "tests/support/certificate.h"

enum { TRIES = 5 };

/* Debian's folder of the newest version: its programs are in nobody's PATH. */
static const char *program(const char *name)
{
    static char path[256];
    glob_t found = {0};
    if (glob("/usr/lib/postgresql/*/bin/postgres", 0, NULL, &found) != 0 || found.gl_pathc == 0)
        service_fail("Postgres is not installed: apt-get install postgresql-15");
    const char *last = found.gl_pathv[found.gl_pathc - 1];
    snprintf(path, sizeof(path), "%.*s/%s", (int)(strrchr(last, '/') - last), last, name);
    globfree(&found);
    return path;
}

static void append(const char *path, const char *text)
{
    FILE *file = fopen(path, "ae");
    if (!file || fputs(text, file) < 0 || fclose(file) != 0)
        service_fail("cannot write %s: %s", path, strerror(errno));
}

/* A cluster as initdb leaves it, with our roles, moved to its place when it is whole. */
static void make_template(const char *place)
{
    char folder[SERVICE_FOLDER_SIZE], data[128], log[128], user[80], tool[256], sql[128], path[192];
    service_folder(folder);
    snprintf(data, sizeof(data), "%s/data", folder);
    snprintf(log, sizeof(log), "%s/log", folder);
    snprintf(user, sizeof(user), "--username=%s", service_account());
    snprintf(sql, sizeof(sql), "%s/roles.sql", folder);
    snprintf(tool, sizeof(tool), "%s", program("initdb"));
    service_run((const char *const[]){tool, "-D", data, "--no-sync", "--auth=trust", "--encoding=UTF8",
                                      "--locale=C.UTF-8", "--wal-segsize=4", user, NULL},
                log);
    snprintf(path, sizeof(path), "%s/pg_hba.conf", data);
    if (unlink(path) != 0)
        service_fail("%s: %s", path, strerror(errno));
    append(path, "host all locked all scram-sha-256\nlocal all locked scram-sha-256\n"
                 "local all all trust\nhost all all 127.0.0.1/32 trust\n");
    service_own(path);
    append(sql, "CREATE ROLE backplane LOGIN;\nCREATE ROLE locked LOGIN PASSWORD '" POSTGRES_PASSWORD
                "' IN ROLE backplane;\n");
    service_own(sql);
    /* In single-user mode a statement is a line. */
    const char *script = "\"$0\" --single -D \"$1\" postgres < \"$2\"";
    snprintf(tool, sizeof(tool), "%s", program("postgres"));
    service_run((const char *const[]){"/bin/sh", "-c", script, tool, data, sql, NULL}, log);
    /* By a command: it keeps the owners, crosses file systems, and is not our account's. */
    char command[2048];
    snprintf(command, sizeof(command), "cp -a '%s' '%s.new' && mv '%s.new' '%s'", data, place, place, place);
    if (system(command) != 0)
        service_fail("cannot copy the cluster to %s", place);
    service_folder_remove(folder);
}

/* One at a time makes it; the place names the version and the account, so that no other's is taken. */
static void copy_template(const char *folder)
{
    char place[384], lock[400], command[1024];
    struct stat st;
    const char *version = program("");
    snprintf(place, sizeof(place), BACKPLANE_BUILD_ROOT "/tests/postgres-cluster%s-1-%s", version, service_account());
    for (char *at = place + sizeof(BACKPLANE_BUILD_ROOT "/tests/") - 1; *at; at++)
        if (*at == '/')
            *at = '-';
    snprintf(lock, sizeof(lock), "%s.lock", place);
    int fd = open(lock, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (fd < 0 || flock(fd, LOCK_EX) != 0)
        service_fail("cannot lock %s: %s", lock, strerror(errno));
    if (stat(place, &st) != 0)
        make_template(place);
    close(fd);
    snprintf(command, sizeof(command), "cp -a --reflink=auto '%s' '%s/data'", place, folder);
    if (system(command) != 0)
        service_fail("cannot copy %s", place);
}

static void spawn(struct test_postgres *postgres)
{
    char data[128], log[128], port[16];
    snprintf(data, sizeof(data), "%s/data", postgres->folder);
    snprintf(log, sizeof(log), "%s/log", postgres->folder);
    snprintf(port, sizeof(port), "%d", postgres->port);
    postgres->pid = service_spawn((const char *const[]){program("postgres"), "-D", data, "-p", port, NULL}, log);
}

/* False when it has ended instead. */
static bool wait_ready(struct test_postgres *postgres)
{
    char url[POSTGRES_URL_SIZE], log[128];
    long long end = service_milliseconds() + SERVICE_READY_MILLISECONDS;
    postgres_url(postgres, NULL, "postgres", url);
    while (PQping(url) != PQPING_OK) {
        if (!service_alive(postgres->pid))
            return false;
        if (service_milliseconds() > end) {
            snprintf(log, sizeof(log), "%s/log", postgres->folder);
            service_fail_with_log("Postgres does not get ready", log);
        }
        service_breathe();
    }
    return true;
}

void postgres_start(struct test_postgres *postgres, const struct postgres_options *options)
{
    char path[128], text[512];
    *postgres = (struct test_postgres){.pid = 0};
    service_folder(postgres->folder);
    copy_template(postgres->folder);
    snprintf(path, sizeof(path), "%s/data/postgresql.conf", postgres->folder);
    snprintf(text, sizeof(text),
             "listen_addresses = '127.0.0.1'\nunix_socket_directories = '%s'\nmax_connections = 300\n"
             "shared_buffers = 32MB\ntimezone = 'UTC'\nlog_timezone = 'UTC'\nautovacuum_naptime = 5s\n",
             postgres->folder);
    append(path, text);
    if (!options->durable)
        append(path, "fsync = off\nsynchronous_commit = off\nfull_page_writes = off\n");
    if (options->tls) {
        certificate_make(postgres->folder);
        snprintf(text, sizeof(text), "ssl = on\nssl_cert_file = '%s/server.crt'\nssl_key_file = '%s/server.key'\n",
                 postgres->folder, postgres->folder);
        append(path, text);
    }
    if (options->settings) {
        append(path, options->settings);
        append(path, "\n");
    }
    for (int i = 0; i < TRIES; i++) { /* somebody else may have been quicker with the port */
        postgres->port = service_free_port();
        spawn(postgres);
        if (wait_ready(postgres))
            return;
    }
    snprintf(path, sizeof(path), "%s/log", postgres->folder);
    service_fail_with_log("Postgres does not start", path);
}

void postgres_halt(struct test_postgres *postgres)
{
    if (postgres->pid)
        service_stop(postgres->pid, SIGINT);
    postgres->pid = 0;
}

void postgres_stop(struct test_postgres *postgres)
{
    if (postgres->pid) {
        postgres_resume(postgres);
        service_stop(postgres->pid, SIGQUIT); /* nobody needs the data */
    }
    postgres->pid = 0;
    service_folder_remove(postgres->folder);
}

void postgres_kill(struct test_postgres *postgres)
{
    service_kill_all(postgres->pid);
    postgres->pid = 0;
}

void postgres_again(struct test_postgres *postgres)
{
    char log[128];
    snprintf(log, sizeof(log), "%s/log", postgres->folder);
    spawn(postgres);
    if (!wait_ready(postgres))
        service_fail_with_log("Postgres does not start again", log);
}

void postgres_pause(struct test_postgres *postgres)
{
    service_signal_all(postgres->pid, SIGSTOP);
}

void postgres_resume(struct test_postgres *postgres)
{
    service_signal_all(postgres->pid, SIGCONT);
}

void postgres_set(struct test_postgres *postgres, const char *settings)
{
    static unsigned serial;
    char path[128], url[POSTGRES_URL_SIZE], text[64];
    snprintf(path, sizeof(path), "%s/data/postgresql.conf", postgres->folder);
    append(path, settings);
    snprintf(text, sizeof(text), "\ntests.serial = '%u'\n", ++serial);
    append(path, text);
    postgres_url(postgres, NULL, "postgres", url);
    postgres_execute(url, "SELECT pg_reload_conf()");
    /* A new session has read what the postmaster has. */
    snprintf(text, sizeof(text), "%u", serial);
    for (bool done = false; !done;) {
        char *seen = postgres_ask(url, "SELECT current_setting('tests.serial', true)");
        done = strcmp(seen, text) == 0;
        free(seen);
        if (!done)
            service_breathe();
    }
}
