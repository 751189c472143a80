/* SPDX-License-Identifier: MIT */
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "backplane/status.h"
#include "core/supervisor/listeners.h"

static struct listeners listeners;
static struct buffer problems;
static unsigned inherited;
static char folder[64], path[100];

static void setup(void)
{
    strcpy(folder, "/tmp/bp-listen-XXXXXX");
    cr_assert_not_null(mkdtemp(folder));
    snprintf(path, sizeof(path), "%s/s", folder);
}

static void teardown(void)
{
    listeners_close(&listeners);
    buffer_deinit(&problems);
    unlink(path);
    rmdir(folder);
}

TestSuite(listeners, .init = setup, .fini = teardown);

static int open_one(const char *address)
{
    const struct config_listen listen = {.address = bp_str_of(address), .backlog = 16, .unix_mode = 0640};
    return listeners_open(&listen, 1, &listeners, &inherited, &problems);
}

static void expect_problem(const char *text)
{
    cr_assert(bp_str_is(buffer_str(&problems), text), "%.*s", (int)problems.len, problems.ptr);
    cr_assert_eq(listeners.count, 0);
}

static bool connects(int family, uint16_t port)
{
    struct sockaddr_in six_not = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr = {htonl(INADDR_LOOPBACK)}};
    struct sockaddr_in6 six = {.sin6_family = AF_INET6, .sin6_port = htons(port), .sin6_addr = in6addr_loopback};
    int fd = socket(family, SOCK_STREAM, 0);
    bool fine = family == AF_INET ? connect(fd, (struct sockaddr *)&six_not, sizeof(six_not)) == 0
                                  : connect(fd, (struct sockaddr *)&six, sizeof(six)) == 0;
    close(fd);
    return fine;
}

static uint16_t port_of(const struct listener *listener)
{
    return (uint16_t)strtoul(strrchr(listener->url, ':') + 1, NULL, 10);
}

Test(listeners, tcp_addresses_accept_what_they_say)
{
    static const struct {
        const char *address, *url;
        bool four, six;
    } cases[] = {{"127.0.0.1:0", "http://127.0.0.1:", true, false},
                 {"[::1]:0", "http://[::1]:", false, true},
                 {"*:0", "http://[::]:", true, true},
                 {"[::]:0", "http://[::]:", false, true},
                 {"0.0.0.0:0", "http://0.0.0.0:", true, false}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        cr_assert_eq(open_one(cases[i].address), 0, "%s: %.*s", cases[i].address, (int)problems.len, problems.ptr);
        cr_assert_eq(listeners.count, 1);
        const struct listener *listener = &listeners.items[0];
        cr_assert(strncmp(listener->url, cases[i].url, strlen(cases[i].url)) == 0, "%s", listener->url);
        cr_assert_eq(connects(AF_INET, port_of(listener)), cases[i].four, "%s", cases[i].address);
        cr_assert_eq(connects(AF_INET6, port_of(listener)), cases[i].six, "%s", cases[i].address);
        cr_assert(fcntl(listener->fd, F_GETFL) & O_NONBLOCK);
        cr_assert(fcntl(listener->fd, F_GETFD) & FD_CLOEXEC);
        listeners_close(&listeners);
    }
}

Test(listeners, a_port_in_use_is_named)
{
    struct listeners first;
    char address[32], message[96];
    const struct config_listen any = {.address = BP_STR_INIT("127.0.0.1:0"), .backlog = 16};
    cr_assert_eq(listeners_open(&any, 1, &first, &inherited, &problems), 0);
    snprintf(address, sizeof(address), "127.0.0.1:%u", port_of(&first.items[0]));
    cr_assert_eq(open_one(address), BP_ERROR);
    snprintf(message, sizeof(message), "cannot listen on %s: Address already in use\n", address);
    expect_problem(message);
    listeners_close(&first);
}

Test(listeners, every_wrong_address_is_said_and_nothing_stays_open)
{
    const struct config_listen addresses[] = {{.address = BP_STR_INIT("127.0.0.1:0"), .backlog = 16},
                                              {.address = BP_STR_INIT("192.0.2.1:0"), .backlog = 16},
                                              {.address = BP_STR_INIT("3000"), .backlog = 16},
                                              {.address = BP_STR_INIT("::1:3000"), .backlog = 16},
                                              {.address = BP_STR_INIT("fd:77"), .backlog = 16},
                                              {.address = BP_STR_INIT("127.0.0.1:65536"), .backlog = 16}};
    cr_assert_eq(listeners_open(addresses, sizeof(addresses) / sizeof(addresses[0]), &listeners, &inherited, &problems),
                 BP_ERROR);
    expect_problem("cannot listen on 192.0.2.1:0: Cannot assign requested address\n"
                   "cannot listen on 3000: write it as host:port, with a port from 0 to 65535\n"
                   "cannot listen on ::1:3000: an IPv6 address stands in brackets\n"
                   "cannot listen on fd:77: descriptor 77 is not open\n"
                   "cannot listen on 127.0.0.1:65536: write it as host:port, with a port from 0 to 65535\n");
}

static int connect_unix(const char *to)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    strcpy(address.sun_path, to);
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    int r = connect(fd, (struct sockaddr *)&address, sizeof(address));
    close(fd);
    return r;
}

Test(listeners, a_unix_socket_has_its_mode_and_goes_away)
{
    char address[128], url[128];
    struct stat status;
    snprintf(address, sizeof(address), "unix:%s", path);
    snprintf(url, sizeof(url), "http://unix:%s", path);
    cr_assert_eq(open_one(address), 0, "%.*s", (int)problems.len, problems.ptr);
    cr_assert_str_eq(listeners.items[0].url, url);
    cr_assert_eq(stat(path, &status), 0);
    cr_assert_eq(status.st_mode & 07777, 0640);
    cr_assert_eq(connect_unix(path), 0);
    listeners_close(&listeners);
    cr_assert_neq(stat(path, &status), 0);
}

Test(listeners, a_stale_unix_socket_is_replaced_and_a_living_one_is_not)
{
    char address[128], message[192];
    struct listeners first;
    const struct config_listen config = {
        .address = bp_str_n(address, (size_t)snprintf(address, sizeof(address), "unix:%s", path)),
        .backlog = 16,
        .unix_mode = 0600};
    cr_assert_eq(listeners_open(&config, 1, &first, &inherited, &problems), 0);
    cr_assert_eq(open_one(address), BP_ERROR);
    snprintf(message, sizeof(message), "cannot listen on unix:%s: another server answers there\n", path);
    expect_problem(message);
    close(first.items[0].fd); /* it died and left its file */
    buffer_deinit(&problems);
    cr_assert_eq(open_one(address), 0);
    first.count = 0;
}

Test(listeners, another_s_unix_socket_is_not_removed)
{
    char address[128];
    struct listeners first;
    snprintf(address, sizeof(address), "unix:%s", path);
    cr_assert_eq(open_one(address), 0);
    first = listeners;
    cr_assert_eq(unlink(path), 0); /* someone took the place by force */
    cr_assert_eq(open_one(address), 0);
    listeners_close(&first);
    cr_assert_eq(connect_unix(path), 0);
}

Test(listeners, another_file_is_not_removed)
{
    char address[128], message[192];
    struct stat status;
    FILE *file = fopen(path, "w");
    cr_assert_not_null(file);
    fclose(file);
    snprintf(address, sizeof(address), "unix:%s", path);
    cr_assert_eq(open_one(address), BP_ERROR);
    snprintf(message, sizeof(message), "cannot listen on unix:%s: the file exists and is not a socket\n", path);
    expect_problem(message);
    cr_assert_eq(stat(path, &status), 0);
}

Test(listeners, descriptors_are_taken_over)
{
    struct listeners first;
    char address[16];
    const struct config_listen any = {.address = BP_STR_INIT("127.0.0.1:0"), .backlog = 16};
    cr_assert_eq(listeners_open(&any, 1, &first, &inherited, &problems), 0);
    snprintf(address, sizeof(address), "fd:%d", first.items[0].fd);
    cr_assert_eq(open_one(address), 0);
    cr_assert_eq(inherited, 0);
    cr_assert_str_eq(listeners.items[0].url, first.items[0].url);
}

/* What a process does that a service manager has handed a socket to: 0, or the number of what was wrong. */
static int activated(const struct listeners *handed)
{
    const struct config_listen taken = {.address = BP_STR_INIT("127.0.0.1:1"), .backlog = 16, .name = "inside"};
    char number[16];

    snprintf(number, sizeof(number), "%d", (int)getpid());
    if (dup2(handed->items[0].fd, 3) != 3 || dup2(3, 4) != 4 || setenv("LISTEN_PID", number, 1) != 0 ||
        setenv("LISTEN_FDS", "2", 1) != 0 || setenv("LISTEN_FDNAMES", "backplane.socket:inside", 1) != 0)
        return 1;
    if (listeners_open(&taken, 1, &listeners, &inherited, &problems) != 0)
        return 2;
    if (inherited != 2 || listeners.count != 2 || strcmp(listeners.items[0].url, handed->items[0].url) != 0)
        return 3;
    if (strcmp(listeners.items[0].name, "") != 0 || strcmp(listeners.items[1].name, "inside") != 0)
        return 4;
    return getenv("LISTEN_FDS") || getenv("LISTEN_PID") || getenv("LISTEN_FDNAMES") ? 5 : 0;
}

Test(listeners, a_service_manager_s_sockets_stand_in_for_the_addresses)
{
    const struct config_listen any = {.address = BP_STR_INIT("127.0.0.1:0"), .backlog = 16};
    struct listeners handed;
    int status;
    cr_assert_eq(listeners_open(&any, 1, &handed, &inherited, &problems), 0);
    pid_t child = fork(); /* descriptor 3 is the test runner's here */
    if (child == 0)
        _exit(activated(&handed));
    cr_assert_eq(waitpid(child, &status, 0), child);
    cr_assert_eq(WEXITSTATUS(status), 0);
    listeners_close(&handed);
}
