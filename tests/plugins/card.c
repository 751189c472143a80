/* SPDX-License-Identifier: MIT */
/* A stage of any phase, with every kind of hook, that fails where it is told to. */
#include "trace.h"

enum fail { FAIL_NOT, FAIL_CONFIG, FAIL_INIT, FAIL_SILENT, FAIL_START };

struct card {
    uint32_t quota, fail;
    bp_str note;
    int slot;
};

struct card_stage {
    uint32_t phase;
    bool identity;
    bp_str label;
};

static const char *const fails[] = {"not", "config", "init", "silent", "start", NULL};
static const char *const phases[] = {"any", "observe", "protect", "identify", "shape", "reuse", "handle", NULL};

static const struct bp_field options[] = {
    BP_U32(struct card, quota, .def = "10", .min = 1, .max = 100, .doc = "How much."),
    BP_CHOICE(struct card, fail, .def = "not", .choices = fails, .doc = "Where to fail."),
    BP_TEXT(struct card, note, .flags = BP_SECRET, .doc = "Anything."),
    BP_CHOICE(struct card_stage, phase, .flags = BP_STAGE, .def = "any", .choices = phases, .doc = "What it is for."),
    BP_BOOL(struct card_stage, identity, .flags = BP_STAGE, .def = "false", .doc = "Whether it needs one."),
    BP_TEXT(struct card_stage, label, .flags = BP_STAGE, .def = "plain", .max = 20, .doc = "What it says."),
    BP_END};

static void trace_stage(struct bp_host *host, bp_str name, const void *stage, void *argument)
{
    const struct card_stage *options_of = stage;
    (void)argument;
    TRACE(host, "stage %" BP_STR_FMT "=%" BP_STR_FMT, BP_STR_ARG(name), BP_STR_ARG(options_of->label));
}

static int init(struct bp_host *host, void *self)
{
    struct card *card = self;
    TRACE(host, "init %u", card->quota);
    bp_stages_each(host, trace_stage, NULL);
    card->slot = bp_slot_new(host, 20);
    if (card->fail == FAIL_CONFIG)
        return bp_config_error(host, "quota", "must be odd, is %u", card->quota);
    if (card->fail == FAIL_INIT)
        return bp_start_error(host, "the card is bent");
    return card->fail == FAIL_SILENT ? BP_ERROR : 0;
}

static int start(struct bp_host *host, void *self)
{
    struct card *card = self;
    TRACE(host, "start %d", card->slot);
    return card->fail == FAIL_START ? bp_start_error(host, "nobody answers") : 0;
}

static void stop(struct bp_host *host, void *self)
{
    (void)self;
    TRACE(host, "stop");
}

static void deinit(struct bp_host *host, void *self)
{
    (void)self;
    TRACE(host, "deinit");
}

static int middleware(struct bp_request *rq, void *self, const void *stage)
{
    (void)self;
    (void)stage;
    return bp_next(rq);
}

static void stage_rules(const void *stage, struct bp_stage_rules *rules)
{
    const struct card_stage *options_of = stage;
    rules->phase = options_of->phase;
    rules->needs_identity = options_of->identity;
}

BP_PLUGIN(.name = "card", .version = "1.2.3", .doc = "A card for tests.", .self_size = sizeof(struct card),
          .stage_size = sizeof(struct card_stage), .options = options, .init = init, .start = start, .stop = stop,
          .deinit = deinit, .middleware = middleware, .stage_rules = stage_rules);
