/* SPDX-License-Identifier: MIT */
#include "tests/support/redis.h"

#include <arpa/inet.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "tests/support/certificate.h"

enum { TRIES = 5, REPLY_SIZE = 64 * 1024, ASK_SECONDS = 5 };

static int dial(int port)
{
    const struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons((unsigned short)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    const struct timeval limit = {.tv_sec = ASK_SECONDS};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 && connect(fd, (const struct sockaddr *)&address, sizeof(address)) != 0) {
        close(fd);
        fd = -1;
    }
    if (fd >= 0)
        (void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
    return fd;
}

/* What the command is answered; false when nothing whole comes. */
static bool exchange(int fd, const char *command, char *reply, size_t size)
{
    size_t len = 0;
    char line[1024];
    int n = snprintf(line, sizeof(line), "%s\r\n", command);
    if (n < 0 || (size_t)n >= sizeof(line) || send(fd, line, (size_t)n, MSG_NOSIGNAL) != n)
        return false;
    do {
        ssize_t got = recv(fd, reply + len, size - 1 - len, 0);
        if (got <= 0)
            return false;
        len += (size_t)got;
        reply[len] = '\0';
    } while (len < 2 || memcmp(reply + len - 2, "\r\n", 2) != 0);
    return true;
}

char *redis_ask(int port, const char *password, const char *command)
{
    char *reply = calloc(1, REPLY_SIZE), login[128];
    int fd = dial(port);
    if (!reply || fd < 0)
        service_fail("no connection to Redis on port %d", port);
    snprintf(login, sizeof(login), "AUTH %s", password ? password : "");
    if (password && password[0] && (!exchange(fd, login, reply, REPLY_SIZE) || reply[0] != '+'))
        service_fail("Redis: %s: %s", login, reply);
    if (!exchange(fd, command, reply, REPLY_SIZE))
        service_fail("Redis does not answer %s", command);
    close(fd);
    return reply;
}

/* It answers PING, be it with NOAUTH. */
static bool answers(int port)
{
    char reply[128];
    int fd = dial(port);
    bool fine = fd >= 0 && exchange(fd, "PING", reply, sizeof(reply)) && strncmp(reply, "-LOADING", 8) != 0;
    if (fd >= 0)
        close(fd);
    return fine;
}

static bool spawn(struct test_redis *redis)
{
    char path[128], log[128];
    long long end = service_milliseconds() + SERVICE_READY_MILLISECONDS;
    snprintf(path, sizeof(path), "%s/redis.conf", redis->folder);
    snprintf(log, sizeof(log), "%s/log", redis->folder);
    FILE *file = fopen(path, "we");
    if (!file)
        service_fail("%s: %s", path, strerror(errno));
    fprintf(file,
            "bind 127.0.0.1\nport %d\nunixsocket %s/redis.sock\nunixsocketperm 777\ndir %s\nsave \"\"\nappendonly no\n"
            "daemonize no\ndatabases 16\n",
            redis->port, redis->folder, redis->folder);
    if (redis->password[0])
        fprintf(file, "requirepass %s\n", redis->password);
    if (redis->tls_port)
        fprintf(file, "tls-port %d\ntls-cert-file %s/server.crt\ntls-key-file %s/server.key\ntls-auth-clients no\n",
                redis->tls_port, redis->folder, redis->folder);
    if (redis->settings)
        fprintf(file, "%s\n", redis->settings);
    if (fclose(file) != 0)
        service_fail("%s: %s", path, strerror(errno));
    redis->pid = service_spawn((const char *const[]){"/usr/bin/redis-server", path, NULL}, log);
    while (!answers(redis->port)) {
        if (!service_alive(redis->pid))
            return false;
        if (service_milliseconds() > end)
            service_fail_with_log("Redis does not get ready", log);
        service_breathe();
    }
    return service_alive(redis->pid);
}

void redis_start(struct test_redis *redis, const struct redis_options *options)
{
    char log[128];
    *redis = (struct test_redis){.settings = options->settings};
    service_folder(redis->folder);
    snprintf(redis->password, sizeof(redis->password), "%s", options->password ? options->password : "");
    if (options->tls)
        certificate_make(redis->folder);
    for (int i = 0; i < TRIES; i++) {
        redis->port = service_free_port();
        redis->tls_port = options->tls ? service_free_port() : 0;
        if (spawn(redis))
            return;
    }
    snprintf(log, sizeof(log), "%s/log", redis->folder);
    service_fail_with_log("Redis does not start", log);
}

void redis_again(struct test_redis *redis)
{
    char log[128];
    snprintf(log, sizeof(log), "%s/log", redis->folder);
    if (!spawn(redis))
        service_fail_with_log("Redis does not start again", log);
}

void redis_kill(struct test_redis *redis)
{
    service_kill_all(redis->pid);
    redis->pid = 0;
}

void redis_stop(struct test_redis *redis)
{
    if (redis->pid) {
        redis_resume(redis);
        service_stop(redis->pid, SIGTERM);
    }
    redis->pid = 0;
    service_folder_remove(redis->folder);
}

void redis_pause(struct test_redis *redis)
{
    service_signal_all(redis->pid, SIGSTOP);
}

void redis_resume(struct test_redis *redis)
{
    service_signal_all(redis->pid, SIGCONT);
}

void redis_url(const struct test_redis *redis, enum redis_way way, unsigned database, char ret_url[REDIS_URL_SIZE])
{
    char who[72] = "";
    if (redis->password[0])
        snprintf(who, sizeof(who), ":%s@", redis->password);
    if (way == REDIS_SOCKET)
        snprintf(ret_url, REDIS_URL_SIZE, "unix://%s%s/redis.sock?db=%u", who, redis->folder, database);
    else
        snprintf(ret_url, REDIS_URL_SIZE, "%s://%s127.0.0.1:%d/%u", way == REDIS_TLS ? "rediss" : "redis", who,
                 way == REDIS_TLS ? redis->tls_port : redis->port, database);
}
