/* SPDX-License-Identifier: MIT */
/* Calls from other threads: a list under a mutex and an eventfd; the loop takes all of it at once. */
#include <errno.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "backplane/log.h"
#include "backplane/status.h"
#include "core/plugin/assembly.h"
#include "core/worker/fiber.h"
#include "core/worker/loop_private.h"

struct posted_call {
    struct posted posted;
    void (*function)(void *argument);
    void *argument;
    struct fiber_place place;
};

static struct posted *take_all(struct posts *posts)
{
    struct posted *first;
    pthread_mutex_lock(&posts->mutex);
    first = posts->first;
    posts->first = posts->last = NULL;
    pthread_mutex_unlock(&posts->mutex);
    return first;
}

static void posts_readable(evutil_socket_t fd, short what, void *argument)
{
    struct loop *loop = argument;
    struct posted *posted;
    uint64_t count;
    (void)what;
    /* Before the list is taken: a post that comes in between makes it readable again. */
    if (read(fd, &count, sizeof(count)) < 0 && errno != EAGAIN && errno != EINTR)
        bp_log(NULL, BP_LOG_ERROR, "loop.eventfd_failed", "The loop's eventfd cannot be read",
               bp_log_int("errno", errno));
    posted = take_all(&loop->posts);
    while (posted) {
        struct posted *next = posted->next;
        posted->function(posted);
        posted = next;
    }
}

int posts_init(struct loop *loop)
{
    struct posts *posts = &loop->posts;
    if (pthread_mutex_init(&posts->mutex, NULL) != 0)
        return BP_NOMEM;
    posts->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (posts->fd < 0 ||
        event_assign(&posts->readable, loop->base, posts->fd, EV_READ | EV_PERSIST, posts_readable, loop) != 0 ||
        event_add(&posts->readable, NULL) != 0)
        return BP_ERROR;
    return 0;
}

static void call(struct posted *posted)
{
    struct posted_call *posted_call = CONTAINER_OF(posted, struct posted_call, posted);
    struct posted_call copy = *posted_call;
    struct fiber_place before = fiber_enter(copy.place);
    free(posted_call);
    copy.function(copy.argument);
    fiber_enter(before);
}

void posts_deinit(struct loop *loop)
{
    struct posts *posts = &loop->posts;
    struct posted *posted;
    if (posts->fd < 0)
        return;
    posted = take_all(posts);
    while (posted) {
        struct posted *next = posted->next;
        if (posted->function == call)
            free(CONTAINER_OF(posted, struct posted_call, posted));
        posted = next;
    }
    event_del(&posts->readable);
    close(posts->fd);
    posts->fd = -1;
    pthread_mutex_destroy(&posts->mutex);
}

void posts_add(struct loop *loop, struct posted *posted)
{
    static const uint64_t one = 1;
    struct posts *posts = &loop->posts;
    posted->next = NULL;
    pthread_mutex_lock(&posts->mutex);
    if (posts->last)
        posts->last->next = posted;
    else
        posts->first = posted;
    posts->last = posted;
    /* Written under the mutex: once it is released the loop may be gone. It fails only when the counter is full, and then
     * the loop wakes anyway. */
    if (posts->first == posted && write(posts->fd, &one, sizeof(one)) < 0 && errno != EAGAIN)
        abort();
    pthread_mutex_unlock(&posts->mutex);
}

static bool post(struct loop *loop, struct fiber_place place, void (*function)(void *argument), void *argument)
{
    struct posted_call *posted_call = malloc(sizeof(*posted_call));
    if (!posted_call)
        return false;
    *posted_call =
        (struct posted_call){.posted = {.function = call}, .function = function, .argument = argument, .place = place};
    posts_add(loop, &posted_call->posted);
    return true;
}

bool loop_post(struct loop *loop, void (*function)(void *argument), void *argument)
{
    return post(loop, (struct fiber_place){0}, function, argument);
}

bool bp_post(struct bp_host *host, void (*function)(void *argument), void *argument)
{
    return post(host->assembly->loop, (struct fiber_place){.plugin = host->name, .hook = "post"}, function, argument);
}
