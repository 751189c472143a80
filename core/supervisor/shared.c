/* SPDX-License-Identifier: MIT */
#include "core/supervisor/shared.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "backplane/plugin.h"
#include "backplane/status.h"
#include "core/metric/metric.h"
#include "core/plugin/assembly.h"
#include "core/supervisor/control.h"

#define LINE 64u
#define PAGE 4096u

struct stamp {
    _Alignas(LINE) _Atomic bp_time at;
};

/* At offset 0, so that no region has it. */
struct head {
    struct stamp stamps[BP_WORKER_SLOTS];
    bp_date began; /* that of the supervisor, and with it of all counters */
};

struct region {
    struct region *next;
    char name[SHARED_NAME_MAX + 1];
    uint32_t layout_version;
    size_t size;
    uint64_t offset;
};

struct shared {
    char *base;
    size_t size;
    int fd;                  /* -1 but in the supervisor */
    struct control *control; /* a worker's; else NULL, and the directory is here: */
    struct region *regions;
    uint64_t used;
    unsigned slot;
    struct shared *previous; /* the current one before this: check inside of a test, say */
};

static struct shared *current;

static size_t round_up(size_t size, size_t unit)
{
    return (size + unit - 1) / unit * unit;
}

static int map(int fd, size_t size, struct shared **ret_shared)
{
    struct shared *shared = calloc(1, sizeof(*shared));
    if (!shared)
        return BP_NOMEM;
    int flags = MAP_NORESERVE | (fd < 0 ? MAP_PRIVATE | MAP_ANONYMOUS : MAP_SHARED);
    shared->base = mmap(NULL, size, PROT_READ | PROT_WRITE, flags, fd, 0);
    if (shared->base == MAP_FAILED) {
        free(shared);
        return BP_NOMEM;
    }
    shared->size = size;
    shared->fd = -1;
    shared->used = round_up(sizeof(struct head), PAGE);
    shared->previous = current;
    current = shared;
    *ret_shared = shared;
    return 0;
}

static struct head *head_of(const struct shared *shared)
{
    return (struct head *)(void *)shared->base;
}

int shared_new(size_t size, struct shared **ret_shared)
{
    size = round_up(size, PAGE);
    int fd = memfd_create("backplane", MFD_CLOEXEC);
    if (fd < 0)
        return BP_ERROR;
    if (ftruncate(fd, (off_t)size) != 0) {
        (void)close(fd);
        return BP_ERROR;
    }
    int r = map(fd, size, ret_shared);
    if (r != 0) {
        (void)close(fd);
        return r;
    }
    (*ret_shared)->fd = fd;
    head_of(*ret_shared)->began = bp_date_now();
    return 0;
}

int shared_attach(int memory_fd, struct control *control, unsigned slot, struct shared **ret_shared)
{
    struct stat status;
    if (slot >= BP_WORKER_SLOTS || fstat(memory_fd, &status) != 0 || status.st_size < (off_t)sizeof(struct head))
        return BP_ERROR;
    int r = map(memory_fd, (size_t)status.st_size, ret_shared);
    if (r != 0)
        return r;
    (void)close(memory_fd); /* the mapping keeps it */
    (*ret_shared)->control = control;
    (*ret_shared)->slot = slot;
    return 0;
}

int shared_private(size_t size, struct shared **ret_shared)
{
    int r = map(-1, round_up(size, PAGE), ret_shared);
    if (r == 0)
        head_of(*ret_shared)->began = bp_date_now();
    return r;
}

static void unlink_current(struct shared *shared)
{
    for (struct shared **at = &current; *at; at = &(*at)->previous)
        if (*at == shared) {
            *at = shared->previous;
            return;
        }
}

struct shared *shared_free(struct shared *shared)
{
    if (!shared)
        return NULL;
    metrics_forget(shared);
    unlink_current(shared);
    for (struct region *region = shared->regions, *next; region; region = next) {
        next = region->next;
        free(region);
    }
    (void)munmap(shared->base, shared->size);
    if (shared->fd >= 0)
        (void)close(shared->fd);
    free(shared);
    return NULL;
}

size_t shared_size(const struct shared *shared)
{
    return shared->size;
}

size_t shared_used(const struct shared *shared)
{
    return (size_t)shared->used;
}

int shared_fd(const struct shared *shared)
{
    return shared->fd;
}

unsigned shared_slot(const struct shared *shared)
{
    return shared->slot;
}

void shared_set_slot(struct shared *shared, unsigned slot)
{
    shared->slot = slot;
    metrics_forget_places(shared);
}

struct shared *shared_current(void)
{
    return current;
}

uint64_t shared_reserve(struct shared *shared, bp_str name, uint32_t layout_version, size_t size, bool *ret_new)
{
    if (name.len == 0 || name.len > SHARED_NAME_MAX || size == 0)
        return 0;
    for (struct region *region = shared->regions; region; region = region->next)
        if (region->layout_version == layout_version && region->size == size && bp_str_is(name, region->name)) {
            *ret_new = false;
            return region->offset;
        }
    if (size > shared->size || round_up(size, PAGE) > shared->size - shared->used)
        return 0;
    struct region *region = calloc(1, sizeof(*region));
    if (!region)
        return 0;
    memcpy(region->name, name.ptr, name.len);
    region->layout_version = layout_version;
    region->size = size;
    region->offset = shared->used;
    shared->used += round_up(size, PAGE);
    region->next = shared->regions;
    shared->regions = region;
    *ret_new = true;
    return region->offset;
}

static uint64_t ask(struct shared *shared, bp_str name, uint32_t layout_version, size_t size, bool *ret_new)
{
    struct control_message answer, request = control_message(CONTROL_REGION, layout_version, size);
    control_set_text(&request, name);
    if (control_ask(shared->control, &request, CONTROL_REGION_IS, &answer) != 0)
        return 0;
    if (answer.value >= shared->size || size > shared->size - answer.value)
        return 0;
    *ret_new = answer.number != 0;
    return answer.value;
}

void *shared_region(struct shared *shared, const char *name, uint32_t layout_version, size_t size, bool *ret_new)
{
    bool is_new = false;
    uint64_t offset = shared->control ? ask(shared, bp_str_of(name), layout_version, size, &is_new)
                                      : shared_reserve(shared, bp_str_of(name), layout_version, size, &is_new);
    if (offset == 0)
        return NULL;
    if (ret_new)
        *ret_new = is_new;
    return shared->base + offset;
}

void shared_each(struct shared *shared, void (*function)(const char *name, void *memory, size_t size, void *argument),
                 void *argument)
{
    for (struct region *region = shared->regions; region; region = region->next)
        function(region->name, shared->base + region->offset, region->size, argument);
}

static struct stamp *stamp_of(const struct shared *shared, unsigned slot)
{
    return &head_of(shared)->stamps[slot % BP_WORKER_SLOTS];
}

void shared_stamp(struct shared *shared, bp_time now)
{
    atomic_store_explicit(&stamp_of(shared, shared->slot)->at, now, memory_order_relaxed);
}

bp_time shared_stamped(const struct shared *shared, unsigned slot)
{
    return atomic_load_explicit(&stamp_of(shared, slot)->at, memory_order_relaxed);
}

void shared_stamp_clear(struct shared *shared, unsigned slot)
{
    atomic_store_explicit(&stamp_of(shared, slot)->at, 0, memory_order_relaxed);
}

void *bp_shared(struct bp_host *host, const char *name, uint32_t layout_version, size_t size)
{
    return shared_region(host->assembly->shared, name, layout_version, size, NULL);
}

bp_date bp_server_began(void)
{
    return current ? head_of(current)->began : 0;
}

unsigned bp_worker_slot(void)
{
    return current ? current->slot : 0;
}
