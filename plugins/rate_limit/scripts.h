/* SPDX-License-Identifier: MIT */
/*
 * The two algorithms as Redis runs them: one atomic script decides about one request and counts it. Time is Redis's own, so the clocks of the
 * replicas do not matter; a key expires when it says no more than a missing one.
 *
 * KEYS: one a limit. ARGV: the cost, then for each limit its quota, its window in microseconds, its burst. The answer is a list: 1 or 0 for allowed,
 * then for each limit what is left, and the microseconds until its reset and until this request would be allowed (0: it would be now).
 */
#ifndef SCRIPTS_H
#define SCRIPTS_H

/* As in sliding_window.c, in microseconds; a key holds "start previous current". */
#define SCRIPT_SLIDING_WINDOW                                                                             \
    "local time = redis.call('TIME')\n"                                                                   \
    "local now, cost = tonumber(time[1]) * 1000000 + tonumber(time[2]), tonumber(ARGV[1])\n"              \
    "local function fade(earlier, allowed, window)\n"                                                     \
    "  if earlier < allowed then return 0 end\n"                                                          \
    "  return window - math.ceil(allowed * window / earlier) + 1\n"                                       \
    "end\n"                                                                                               \
    "local limits, allowed = {}, 1\n"                                                                     \
    "for i, key in ipairs(KEYS) do\n"                                                                     \
    "  local quota, window = tonumber(ARGV[3 * i - 1]), tonumber(ARGV[3 * i])\n"                          \
    "  local s, p, c = string.match(redis.call('GET', key) or '', '^(%d+) (%d+) (%d+)$')\n"               \
    "  local at = now\n"                                                                                  \
    "  s, p, c = tonumber(s), tonumber(p), tonumber(c)\n"                                                 \
    "  if not s or p + c == 0 or math.abs(now - s) >= 2 * window then\n"                                  \
    "    s, p, c = now, 0, 0\n"                                                                           \
    "  elseif now < s then\n"                                                                             \
    "    at = s\n"                                                                                        \
    "  elseif now - s >= window then\n"                                                                   \
    "    s, p, c = s + window, c, 0\n"                                                                    \
    "    if p == 0 then s = now end\n"                                                                    \
    "  end\n"                                                                                             \
    "  local passed = at - s\n"                                                                           \
    "  local left = math.max(0, quota - math.floor(p * (window - passed) / window) - c)\n"                \
    "  local reset, retry = window - passed, 0\n"                                                         \
    "  if left < cost then\n"                                                                             \
    "    allowed = 0\n"                                                                                   \
    "    if c + cost <= quota then\n"                                                                     \
    "      retry = fade(p, quota - c - cost + 1, window) - passed\n"                                      \
    "    else\n"                                                                                          \
    "      retry = window - passed + fade(c, quota - cost + 1, window)\n"                                 \
    "      reset = retry\n"                                                                               \
    "    end\n"                                                                                           \
    "  end\n"                                                                                             \
    "  limits[i] = {key, s, p, c, math.ceil((2 * window - passed) / 1000), left, reset, retry}\n"         \
    "end\n"                                                                                               \
    "local answer = {allowed}\n"                                                                          \
    "for i, l in ipairs(limits) do\n"                                                                     \
    "  if allowed == 1 then\n"                                                                            \
    "    redis.call('SET', l[1], string.format('%.0f %.0f %.0f', l[2], l[3], l[4] + cost), 'PX', l[5])\n" \
    "    l[6] = l[6] - cost\n"                                                                            \
    "  end\n"                                                                                             \
    "  answer[3 * i - 1], answer[3 * i], answer[3 * i + 1] = l[6], l[7], l[8]\n"                          \
    "end\n"                                                                                               \
    "return answer\n"

/* As in gcra.c, but for what the time is counted from: a key holds "when debt", the requests that had not leaked away at that moment. What is counted in
 * requests stays exact whatever the window divided by the quota leaves. */
#define SCRIPT_GCRA                                                                          \
    "local time = redis.call('TIME')\n"                                                      \
    "local now, cost = tonumber(time[1]) * 1000000 + tonumber(time[2]), tonumber(ARGV[1])\n" \
    "local limits, allowed = {}, 1\n"                                                        \
    "for i, key in ipairs(KEYS) do\n"                                                        \
    "  local interval = tonumber(ARGV[3 * i]) / tonumber(ARGV[3 * i - 1])\n"                 \
    "  local burst = tonumber(ARGV[3 * i + 1])\n"                                            \
    "  local s, d = string.match(redis.call('GET', key) or '', '^(%d+) (%S+)$')\n"           \
    "  s, d = tonumber(s), tonumber(d)\n"                                                    \
    "  if not s or not d or s - now > d * interval then s, d = now, 0 end\n"                 \
    "  local at = math.max(s, now)\n"                                                        \
    "  d = math.max(0, d - (at - s) / interval)\n"                                           \
    "  local retry = 0\n"                                                                    \
    "  if d + cost > burst + 1e-9 then\n"                                                    \
    "    allowed = 0\n"                                                                      \
    "    retry = math.ceil((d + cost - burst) * interval - 1e-3)\n"                          \
    "  end\n"                                                                                \
    "  limits[i] = {key, at, d, burst, interval, retry}\n"                                   \
    "end\n"                                                                                  \
    "local answer = {allowed}\n"                                                             \
    "for i, l in ipairs(limits) do\n"                                                        \
    "  if allowed == 1 then\n"                                                               \
    "    l[3] = l[3] + cost\n"                                                               \
    "    redis.call('SET', l[1], string.format('%.0f %.17g', l[2], l[3]), 'PX',\n"           \
    "               math.ceil(l[3] * l[5] / 1000) + 1)\n"                                    \
    "  end\n"                                                                                \
    "  answer[3 * i - 1] = math.max(0, math.floor(l[4] - l[3] + 1e-9))\n"                    \
    "  answer[3 * i] = math.ceil(l[3] * l[5] - 1e-3)\n"                                      \
    "  answer[3 * i + 1] = l[6]\n"                                                           \
    "end\n"                                                                                  \
    "return answer\n"

#endif
