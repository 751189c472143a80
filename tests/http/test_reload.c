/* SPDX-License-Identifier: MIT */
/* Another configuration in the place of the one that runs: what is taken over, what stays, what is refused. moody.c fails as it is told. */
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "build_info.h"
#include "operated.h"
#include "tests/support/http.h"
#include "tests/support/service.h"

#define LISTEN "{ address = \"127.0.0.1:${PORT}\"; }"
/* server: further options; moody: its options. */
#define CONFIG_ON(listen, server, moody)                                                                        \
    "server: { listen = ( " listen " ); data = \"${BACKPLANE_DATA}\"; workers = 2;\n"                           \
    "  plugin_path = \"" BACKPLANE_BUILD_ROOT "/tests/http\"; " server " };\n"                                  \
    "plugins: ( { use = \"health\"; }, { use = \"metrics\"; }, { use = \"probe\"; }, { use = \"moody\"; " moody \
    " } );\n"                                                                                                   \
    "pipelines: { rest = ( \"metrics\" ); };\n"                                                                 \
    "routes: ( { match = \"/*\"; pipeline = \"rest\"; } );\n"
#define CONFIG(moody) CONFIG_ON(LISTEN, "", moody)

TestSuite(reload, .timeout = 280);

static void expect_refused(const char *reason)
{
    json_t *answer = ask("reload\n");
    const char *said = json_string_value(json_object_get(answer, "reason"));
    cr_expect(said && strstr(said, reason), "\"%s\" is not in: %s", reason, said ? said : "nothing");
    json_decref(answer);
}

static void touch(const char *name)
{
    char path[128];
    (void)snprintf(path, sizeof(path), "%s/%s", server.folder, name);
    FILE *file = fopen(path, "w");
    cr_assert(file && fclose(file) == 0);
}

Test(reload, who_is_connected_stays)
{
    struct http_reply reply;
    begin(CONFIG("says = \"one\";"));
    int idle = http_connect(server.port), busy = http_connect(server.port), fresh;
    long long before = hear(idle, "one", 1);
    cr_assert(http_send_text(busy, "GET /moody/wait HTTP/1.1\r\nHost: x\r\n\r\n"));
    expect_reloaded(CONFIG("says = \"two\";"));
    fresh = http_connect(server.port);
    cr_expect_neq(hear(fresh, "two", 2), before, "another process, the same count");
    /* The old worker answers once more, and says that it was the last time. */
    cr_assert(http_send_text(idle, "GET /moody HTTP/1.1\r\nHost: x\r\n\r\n"));
    cr_assert(http_read(idle, false, &reply));
    cr_expect(strstr(reply.body, "\"one\""), "%s", reply.body);
    cr_expect_str_eq(http_header(&reply, "Connection"), "close");
    http_reply_free(&reply);
    cr_expect(http_read_end(idle));
    touch("go");
    cr_assert(http_read(busy, false, &reply));
    cr_expect_eq(reply.status, 200);
    cr_expect_str_eq(http_header(&reply, "Connection"), "close");
    http_reply_free(&reply);
    close(idle), close(busy);
    wait_workers(2);
    (void)hear(fresh, "two", 4);
    close(fresh);
    cr_expect_eq(number_of("reloads"), 1);
    cr_expect_eq(metric("\nbackplane_config_last_reload_successful"), 1);
    cr_expect_eq(
        metric("\nhttp_server_request_duration_seconds_count{http_request_method=\"GET\",http_route=\"/moody\""), 4);
    cr_expect_eq(server_stop(&server), 0);
}

/* The time is over for who says nothing; a stream ends in order. */
Test(reload, who_is_connected_leaves_in_the_end)
{
    struct http_reply reply;
    begin(CONFIG_ON(LISTEN, "drain_timeout = \"300ms\";", ""));
    int idle = http_connect(server.port);
    (void)hear(idle, "nothing", 1);
    int ready = http_connect(server.port);
    expect_reloaded(CONFIG("says = \"two\";"));
    cr_assert(http_send_text(ready, "GET /health/ready HTTP/1.1\r\nHost: x\r\n\r\n"));
    cr_assert(http_read(ready, false, &reply));
    cr_expect_eq(reply.status, 200, "the server is ready, whichever worker is asked");
    http_reply_free(&reply);
    close(ready);
    cr_expect(http_read_end(idle), "closed, not reset");
    close(idle);
    wait_workers(2);
    char *output = server_output(&server);
    cr_expect_null(strstr(output, "worker.aborted"), "%s", output);
    cr_expect_null(strstr(output, "worker.died"), "%s", output);
    free(output);
    cr_expect_eq(server_stop(&server), 0);
}

Test(reload, numbers_of_workers_and_their_signal)
{
    begin(CONFIG(""));
    write_config(CONFIG_ON(LISTEN, "job_workers = 1;", "says = \"by signal\";"));
    cr_assert_eq(kill(server.pid, SIGHUP), 0);
    cr_assert(server_wait_output(&server, "reload.done"));
    wait_workers(3);
    int fd = http_connect(server.port);
    (void)hear(fd, "by signal", 1);
    close(fd);
    /* A worker of the new generation that dies is replaced by one of that generation. */
    pid_t pids[4];
    cr_assert_eq(server_workers(&server, pids, 4), 2);
    cr_assert_eq(kill(pids[0], SIGKILL), 0);
    cr_assert_eq(kill(pids[1], SIGKILL), 0);
    for (long long begun = 0;;) {
        pid_t now[4];
        if (server_workers(&server, now, 4) == 2 && now[0] != pids[0] && now[1] != pids[1] && now[0] != pids[1])
            break;
        cr_assert(service_patience(&begun, 30000));
    }
    for (long long begun = 0; (fd = http_connect(server.port)) < 0;)
        cr_assert(service_patience(&begun, 30000));
    (void)hear(fd, "by signal", 2);
    close(fd);
    cr_expect_eq(server_stop(&server), 0);
}

#define SOCKET "{ address = \"unix:${BACKPLANE_DATA}/"
Test(reload, listeners_come_and_go)
{
    char path[128];
    struct stat status;
    begin(CONFIG_ON(LISTEN ", " SOCKET "a.sock\"; }", "", ""));
    (void)snprintf(path, sizeof(path), "%s/a.sock", server.folder);
    cr_expect_eq(stat(path, &status), 0);
    ino_t inode = status.st_ino;
    expect_reloaded(CONFIG_ON(LISTEN ", " SOCKET "a.sock\"; mode = \"0600\"; }, " SOCKET "b.sock\"; }", "", ""));
    cr_expect_eq(number_of("listeners"), 3);
    cr_expect_eq(stat(path, &status), 0);
    cr_expect_eq(status.st_ino, inode, "the same socket");
    expect_reloaded(CONFIG_ON(SOCKET "b.sock\"; }, " LISTEN, "", ""));
    cr_expect_eq(number_of("listeners"), 2);
    cr_expect_neq(stat(path, &status), 0, "gone");
    int fd = http_connect(server.port);
    (void)hear(fd, "nothing", 1);
    close(fd);
    /* Somebody else has it. */
    int taken = socket(AF_INET, SOCK_STREAM, 0);
    char config[2048], address[64];
    struct sockaddr_in here = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(here);
    cr_assert(bind(taken, (struct sockaddr *)&here, len) == 0 && listen(taken, 1) == 0 &&
              getsockname(taken, (struct sockaddr *)&here, &len) == 0);
    (void)snprintf(address, sizeof(address), "127.0.0.1:%u", ntohs(here.sin_port));
    (void)snprintf(config, sizeof(config), CONFIG_ON(LISTEN ", { address = \"%s\"; }", "", ""), address);
    write_config(config);
    expect_refused("Address already in use");
    close(taken);
    cr_expect_eq(number_of("listeners"), 2);
    cr_expect_eq(server_stop(&server), 0);
    (void)snprintf(path, sizeof(path), "%s/b.sock", server.folder);
}

Test(reload, what_is_wrong_changes_nothing)
{
    static const struct {
        const char *config, *reason;
    } refusals[] = {
        {"server: {", "syntax error"},
        {CONFIG("sais = \"two\";"), "plugins.moody.sais: unknown option; did you mean \"says\"?"},
        {CONFIG("where = \"init\";"), "fails as it was told"},
        {CONFIG("where = \"init\"; how = \"crash\";"), "the check was killed by SIGSEGV"},
        {CONFIG("where = \"start\";"), "could not start: a plugin failed to start"},
        {CONFIG("where = \"start\"; how = \"crash\";"), "could not start: was killed by SIGSEGV"},
        {CONFIG_ON(LISTEN, "shared_memory = \"64MiB\";", ""), "server.shared_memory cannot change"},
        {"@include \"nowhere.cfg\"\n", "nowhere.cfg"},
    };
    begin(CONFIG_ON(LISTEN, "reload_timeout = \"10s\";", "says = \"one\";"));
    int fd = http_connect(server.port);
    long long pid = hear(fd, "one", 1), count = 1;
    for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
        write_config(refusals[i].config);
#ifdef BP_SANITIZE
        if (strstr(refusals[i].config, "crash"))
            continue; /* the sanitizer would report it */
#endif
        expect_refused(refusals[i].reason);
        cr_expect_eq(metric("\nbackplane_config_last_reload_successful"), 0, "%zu", i);
        cr_expect_eq(hear(fd, "one", ++count), pid, "%zu: the same worker", i);
    }
    json_t *status = ask("status\n");
    cr_expect(strstr(json_string_value(json_object_get(json_object_get(status, "refused"), "reason")), "nowhere.cfg"));
    json_decref(status);
    wait_workers(2);
    expect_reloaded(CONFIG("says = \"two\";"));
    cr_expect_eq(metric("\nbackplane_config_last_reload_successful"), 1);
    close(fd);
    cr_expect_eq(server_stop(&server), 0);
}

/* For what does not hang. */
#ifdef BP_SANITIZE
#define PATIENCE "10s"
#else
#define PATIENCE "2s"
#endif

/* In the check, and in the start, which the supervisor would find to be stalled only later. */
Test(reload, what_hangs_is_given_up)
{
    begin(CONFIG_ON(LISTEN, "reload_timeout = \"" PATIENCE "\";", "says = \"one\";"));
    write_config(CONFIG_ON(LISTEN, "reload_timeout = \"" PATIENCE "\";", "where = \"init\"; how = \"hang\";"));
    expect_refused("the check took longer than server.reload_timeout allows");
    write_config(CONFIG_ON(LISTEN, "reload_timeout = \"" PATIENCE "\";", "where = \"start\"; how = \"hang\";"));
    expect_refused("the start of the workers took longer than server.reload_timeout allows");
    wait_workers(2);
    int fd = http_connect(server.port);
    (void)hear(fd, "one", 1);
    close(fd);
    cr_expect_eq(server_stop(&server), 0);
}

Test(reload, one_at_a_time_and_none_at_the_end)
{
    begin(CONFIG(""));
    write_config(CONFIG("where = \"init\"; how = \"hang\";"));
    cr_assert_eq(kill(server.pid, SIGHUP), 0);
    cr_assert(server_wait_output(&server, "reload.begun"));
    json_t *answer = ask("reload\n");
    cr_expect(strstr(json_string_value(json_object_get(answer, "error")), "another reload is under way"));
    json_decref(answer);
    char *output = server_output(&server);
    cr_expect(strstr(output, "reload.busy"), "%s", output);
    free(output);
    cr_expect_eq(server_stop(&server), 0, "it waits for no check");
}

Test(reload, the_command)
{
    char output[4096];
    begin(CONFIG("says = \"one\";"));
    write_config(CONFIG("says = \"two\";"));
    cr_expect_eq(run_command("reload", output, sizeof(output)), 0);
    cr_expect_str_eq(output, "Reloaded: 2 workers, 0 for jobs\n");
    write_config(CONFIG("where = \"start\";"));
    cr_expect_eq(run_command("reload", output, sizeof(output)), 1);
    cr_expect(strstr(output, "worker 1 could not start") || strstr(output, "worker 2 could not start"), "%s", output);
    cr_expect(strstr(output, "backplane: not reloaded: the configuration before goes on\n"), "%s", output);
    cr_expect_eq(run_command("status", output, sizeof(output)), 0);
    cr_expect(strstr(output, "reloaded 1 time, last at "), "%s", output);
    cr_expect(strstr(output, "was refused:\n"), "%s", output);
    cr_expect_eq(server_stop_keep(&server), 0);
    cr_expect_eq(run_command("reload", output, sizeof(output)), 1);
    cr_expect(strstr(output, "no server answers at "), "%s", output);
    server_remove_folder(&server);
}

static void copy(const char *from, const char *to)
{
    char command[512];
    (void)snprintf(command, sizeof(command), "cp %s %s.new && mv %s.new %s", from, to, to, to);
    cr_assert_eq(system(command), 0);
}

static bool runs_what_is_on_disk(pid_t pid)
{
    char path[64], target[256];
    (void)snprintf(path, sizeof(path), "/proc/%d/exe", (int)pid);
    ssize_t len = readlink(path, target, sizeof(target) - 1);
    cr_assert_gt(len, 0);
    target[len] = '\0';
    return strstr(target, "(deleted)") == NULL;
}

Test(reload, a_new_executable)
{
    char folder[] = "/tmp/backplane-reload-XXXXXX", executable[64], link[64], command[128];
    pid_t pids[4];
    cr_assert(mkdtemp(folder));
    (void)snprintf(executable, sizeof(executable), "%s/backplane", folder);
    (void)snprintf(link, sizeof(link), "%s/plugins", folder);
    cr_assert_eq(symlink(BACKPLANE_BUILD_ROOT "/plugins", link), 0);
    copy(BACKPLANE_BUILD_ROOT "/backplane", executable);
    setenv("TEST_SERVER", executable, 1);
    begin(CONFIG(""));
    unsetenv("TEST_SERVER");
    copy(BACKPLANE_BUILD_ROOT "/backplane", executable);
    cr_assert_eq(server_workers(&server, pids, 4), 2);
    cr_expect_not(runs_what_is_on_disk(pids[0]));
    expect_reloaded(CONFIG("says = \"two\";"));
    wait_workers(2);
    cr_assert_eq(server_workers(&server, pids, 4), 2);
    cr_expect(runs_what_is_on_disk(pids[0]));
    cr_expect(runs_what_is_on_disk(pids[1]));
    cr_expect_eq(server_stop(&server), 0);
    (void)snprintf(command, sizeof(command), "rm -r %s", folder);
    cr_expect_eq(system(command), 0);
}

/* ---- again and again, under load ---- */

enum { CLIENTS = 3 };
static atomic_bool over;
static atomic_uint answered, failed;

/* Each connection is used until the server says that it was the last reply, as clients do. */
static void *load(void *argument)
{
    int fd = -1;
    (void)argument;
    while (!atomic_load(&over)) {
        struct http_reply reply;
        if (fd < 0)
            fd = http_connect(server.port);
        if (fd < 0 || !http_send_text(fd, "GET /moody HTTP/1.1\r\nHost: x\r\n\r\n") || !http_read(fd, false, &reply)) {
            atomic_fetch_add(&failed, 1);
            fd = -1;
            continue;
        }
        const char *connection = http_header(&reply, "Connection");
        atomic_fetch_add(reply.status == 200 ? &answered : &failed, 1);
        if (connection && strcmp(connection, "close") == 0) {
            close(fd);
            fd = -1;
        }
        http_reply_free(&reply);
    }
    if (fd >= 0)
        close(fd);
    return NULL;
}

static long long own_memory(pid_t pid)
{
    char path[64], line[128];
    long long kilobytes = 0;
    (void)snprintf(path, sizeof(path), "/proc/%d/smaps_rollup", (int)pid);
    FILE *file = fopen(path, "r");
    while (file && fgets(line, sizeof(line), file))
        if (sscanf(line, "Anonymous: %lld", &kilobytes) == 1)
            break;
    if (file)
        fclose(file);
    return kilobytes;
}

Test(reload, under_load_no_request_is_lost)
{
    bool all = getenv("BACKPLANE_TEST_ALL") != NULL;
    unsigned good = all ? 2000 : 20, bad = all ? 1000 : 10;
    pthread_t threads[CLIENTS];
    begin(CONFIG(""));
    for (unsigned i = 0; i < CLIENTS; i++)
        cr_assert_eq(pthread_create(&threads[i], NULL, load, NULL), 0);
    long long before = 0;
    for (unsigned i = 0; i < good; i++) {
        expect_reloaded(i % 2 ? CONFIG("says = \"odd\";") : CONFIG("says = \"even\";"));
        if (i == 9)
            before = own_memory(server.pid);
        wait_workers(2); /* else the slots would be used up */
    }
#ifndef BP_SANITIZE /* which keeps what was freed */
    long long after = own_memory(server.pid);
    cr_expect_leq(after, before + 64, "the supervisor has grown, from %lld to %lld KiB", before, after);
#else
    (void)before;
#endif
    write_config(CONFIG("where = \"start\";"));
    for (unsigned i = 0; i < bad; i++)
        expect_refused("could not start");
    atomic_store(&over, true);
    for (unsigned i = 0; i < CLIENTS; i++)
        pthread_join(threads[i], NULL);
    cr_expect_eq(atomic_load(&failed), 0, "%u of %u requests failed", atomic_load(&failed),
                 atomic_load(&failed) + atomic_load(&answered));
    cr_expect_gt(atomic_load(&answered), good);
    cr_expect_eq(server_stop(&server), 0);
}
