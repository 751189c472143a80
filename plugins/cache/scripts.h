/* SPDX-License-Identifier: MIT */
/* What Redis runs. KEYS[1] is the hash of a tag, KEYS[2] a reply under it. */
#ifndef CACHE_SCRIPTS_H
#define CACHE_SCRIPTS_H

#include "backplane/iface/key_value.h"

/* The clock in milliseconds, and what tells one run of a server's data from another (a user without that right: nothing does). */
#define SCRIPT_HEAD                                       \
    "local t = redis.call('TIME')\n"                      \
    "local now = t[1] * 1000 + math.floor(t[2] / 1000)\n" \
    "local saved = redis.pcall('LASTSAVE')\n"             \
    "if type(saved) ~= 'number' then saved = 0 end\n"     \
    "local function state(key)\n"                         \
    "  local generation\n"                                \
    "  local fields = redis.call('HGETALL', key)\n"       \
    "  for i = 1, #fields, 2 do\n"                        \
    "    if fields[i] == 'g' then\n"                      \
    "      generation = fields[i + 1]\n"                  \
    "    elseif tonumber(fields[i + 1]) > now then\n"     \
    "      return nil, true\n"                            \
    "    else\n"                                          \
    "      redis.call('HDEL', key, fields[i])\n"          \
    "    end\n"                                           \
    "  end\n"                                             \
    "  return generation, false\n"                        \
    "end\n"

/* ARGV: a generation in case there is none, how long the tag lives. 1: marked; {generation}; {generation, record, milliseconds left}. */
static const struct bp_kv_script look_script =
    BP_KV_SCRIPT(.name = "cache.look",
                 .text =
                     SCRIPT_HEAD "local generation, marked = state(KEYS[1])\n"
                                 "if marked then return 1 end\n"
                                 "if not generation then\n"
                                 "  generation = ARGV[1]\n"
                                 "  redis.call('HSET', KEYS[1], 'g', generation)\n"
                                 "end\n"
                                 "if redis.call('PTTL', KEYS[1]) * 2 < tonumber(ARGV[2]) then\n"
                                 "  redis.call('PEXPIRE', KEYS[1], ARGV[2])\n"
                                 "end\n"
                                 "generation = generation .. ':' .. saved\n"
                                 "local value = redis.call('GET', KEYS[2])\n"
                                 "local head = generation .. '|'\n"
                                 "if value and string.sub(value, 1, #head) == head then\n"
                                 "  return {generation, string.sub(value, #head + 1), redis.call('PTTL', KEYS[2])}\n"
                                 "end\n"
                                 "return {generation}\n");

/* ARGV: the generation as look gave it, the record, how long it lives. */
static const struct bp_kv_script keep_script =
    BP_KV_SCRIPT(.name = "cache.keep", .text = SCRIPT_HEAD
                                       "local generation, marked = state(KEYS[1])\n"
                                       "if marked or not generation or generation .. ':' .. saved ~= ARGV[1] then\n"
                                       "  return 0\n"
                                       "end\n"
                                       "redis.call('SET', KEYS[2], ARGV[1] .. '|' .. ARGV[2], 'PX', ARGV[3])\n"
                                       "return 1\n");

/* ARGV: the mark, a new generation, how long the mark counts, how long the tag lives. */
static const struct bp_kv_script begin_script =
    BP_KV_SCRIPT(.name = "cache.write_begin", .text =
                                                  "local t = redis.call('TIME')\n"
                                                  "local now = t[1] * 1000 + math.floor(t[2] / 1000)\n"
                                                  "redis.call('HSET', KEYS[1], 'g', ARGV[2], ARGV[1], now + ARGV[3])\n"
                                                  "redis.call('PEXPIRE', KEYS[1], ARGV[4])\n"
                                                  "return 1\n");

/* ARGV: the mark, a new generation, how long the tag lives. */
static const struct bp_kv_script end_script =
    BP_KV_SCRIPT(.name = "cache.write_end", .text = "redis.call('HSET', KEYS[1], 'g', ARGV[2])\n"
                                                    "redis.call('HDEL', KEYS[1], ARGV[1])\n"
                                                    "redis.call('PEXPIRE', KEYS[1], ARGV[3])\n"
                                                    "return 1\n");

#endif
