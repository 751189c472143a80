/* SPDX-License-Identifier: MIT */
/* A plugin that fails where its options say, and otherwise says what they say, counting how often in shared memory. For black-box tests only. */
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>

#include "backplane/backplane.h"
#include "backplane/shared.h"

enum where { WHERE_NEVER, WHERE_INIT, WHERE_START };
enum how { HOW_FAIL, HOW_CRASH, HOW_HANG };

struct moody {
    struct bp_host *host;
    bp_str says;
    uint32_t where, how;
    _Atomic int64_t *said;
};

static const char *const wheres[] = {"never", "init", "start", NULL};
static const char *const hows[] = {"fail", "crash", "hang", NULL};
static const struct bp_field options[] = {BP_TEXT(struct moody, says, .def = "nothing"),
                                          BP_CHOICE(struct moody, where, .def = "never", .choices = wheres),
                                          BP_CHOICE(struct moody, how, .def = "fail", .choices = hows), BP_END};

struct said {
    bp_str says;
    int64_t count;
    int64_t pid;
};
static const struct bp_field said_rows[] = {BP_TEXT(struct said, says), BP_I64(struct said, count),
                                            BP_I64(struct said, pid), BP_END};

static int misbehave(const struct moody *moody)
{
    if (moody->how == HOW_CRASH)
        (void)raise(SIGSEGV);
    while (moody->how == HOW_HANG)
        (void)pause();
    return bp_config_error(moody->host, "where", "fails as it was told");
}

static int init(struct bp_host *host, void *self)
{
    struct moody *moody = self;
    moody->host = host;
    return moody->where == WHERE_INIT ? misbehave(moody) : 0;
}

static int start(struct bp_host *host, void *self)
{
    struct moody *moody = self;
    moody->said = bp_shared(host, "moody.said", 1, sizeof(*moody->said));
    if (!moody->said)
        return BP_NOMEM;
    return moody->where == WHERE_START ? misbehave(moody) : 0;
}

static int get(struct bp_request *rq, void *self, const void *stage)
{
    struct moody *moody = self;
    (void)stage;
    struct said said = {.says = moody->says, .count = atomic_fetch_add(moody->said, 1) + 1, .pid = getpid()};
    return bp_reply_object(rq, 200, "Said", said_rows, &said);
}

/* Replies once the test has made the file "go". */
static int wait_for_test(struct bp_request *rq, void *self, const void *stage)
{
    const struct moody *moody = self;
    char path[256];
    int status = 0;
    (void)stage;
    (void)snprintf(path, sizeof(path), "%" BP_STR_FMT "/go", BP_STR_ARG(bp_data_dir(moody->host)));
    while (status == 0 && access(path, F_OK) != 0)
        status = bp_sleep(2 * BP_MILLISECOND);
    return status != 0 ? status : bp_reply_message(rq, 200, "Gone on");
}

static const struct bp_route routes[] = {
    BP_ROUTE(.method = BP_GET, .path = "/moody", .name = "moody.get", .handler = get),
    BP_ROUTE(.method = BP_GET, .path = "/moody/wait", .name = "moody.wait", .handler = wait_for_test), BP_ROUTE_END};

BP_PLUGIN(.name = "moody", .version = "1.0.0", .doc = "Fails as it is told.", .self_size = sizeof(struct moody),
          .options = options, .routes = routes, .init = init, .start = start);
