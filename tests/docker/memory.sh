#!/bin/sh
# SPDX-License-Identifier: MIT
# usage: memory.sh BACKPLANE CONFIGURATION      The server with two workers, one more for jobs, and the shipped configuration lives within 64 MiB while a dozen accounts are made at
# once and lists are read. By a memory control group where this account may make one (version 1; else version 2), so that going beyond it ends the server;
# else by the memory that it says it has (PSS).
set -eu
backplane=$1
configuration=$2
limit=67108864
folder=$(mktemp -d)
group=
server=
# shellcheck disable=SC2317 # called by trap
end()
{
    [ -z "$server" ] || kill -9 "$server" 2>/dev/null || true
    [ -z "$server" ] || wait "$server" 2>/dev/null || true
    [ -z "$group" ] || rmdir "$group" 2>/dev/null || true
    rm -rf "$folder"
}
trap end EXIT

# make_group FOLDER FILE: a group with the limit in that file.
make_group()
{
    [ -d "$1" ] && mkdir "$1/backplane-test-$$" 2>/dev/null || return 1
    group=$1/backplane-test-$$
    echo "$limit" 2>/dev/null >"$group/$2" && [ "$(cat "$group/$2")" = "$limit" ] && return 0
    rmdir "$group"
    group=
    return 1
}
make_group /sys/fs/cgroup/memory memory.limit_in_bytes || make_group /sys/fs/cgroup memory.max || true

HOST=127.0.0.1 PORT=$(/usr/bin/python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
JWT_SECRET=0123456789abcdef0123456789abcdef NODE_ENV=production BACKPLANE_WORKERS=2 BACKPLANE_DATA=$folder/data RATE_LIMIT_MAX_REQUESTS=1000000 LOG_LEVEL=error
export HOST PORT JWT_SECRET NODE_ENV BACKPLANE_WORKERS BACKPLANE_DATA RATE_LIMIT_MAX_REQUESTS LOG_LEVEL
unset DATABASE_URL REDIS_URL
(
    if [ "$group" ]; then sh -c "echo \$PPID >$group/cgroup.procs"; fi
    exec "$backplane" run -c "$configuration" >"$folder/log" 2>&1
) &
server=$!
url=http://127.0.0.1:$PORT
curl -fs -o /dev/null --retry 100 --retry-delay 1 --retry-connrefused --retry-max-time 30 "$url/health/ready"

names="a b c d e f g h i j k l"
requests=
for name in $names; do
    curl -sS -m 60 -o "$folder/$name" "$url/api/v1/auth/sign-up" -H 'Content-Type: application/json' \
        -d "{\"email\":\"$name@example.org\",\"password\":\"Correct-horse-1\"}" &
    requests="$requests $!"
done
# shellcheck disable=SC2086 # a list of words
wait $requests
for name in $names; do
    grep -q '"success":true' "$folder/$name" || { cat "$folder/$name" "$folder/log" >&2; exit 1; }
done
token=$(curl -fsS "$url/api/v1/auth/login" -H 'Content-Type: application/json' -d '{"email":"a@example.org","password":"Correct-horse-1"}' |
    sed 's/.*"token":"\([^"]*\)".*/\1/')
for title in 1 2 3 4 5 6 7 8 9 10; do
    curl -fsS -o /dev/null "$url/api/v1/todos" -H "Authorization: Bearer $token" -H 'Content-Type: application/json' -d "{\"title\":\"$title\"}"
done
curl -fsS -H "Authorization: Bearer $token" "$url/api/v1/todos?page=1&limit=10#[1-2000]" >/dev/null

kill -0 "$server"
memory=0
for process in "$server" $(pgrep -P "$server"); do
    memory=$((memory + $(awk '/^Pss:/ { print $2 }' "/proc/$process/smaps_rollup")))
done
[ "$((memory * 1024))" -lt "$limit" ] || { echo "$memory kB" >&2; exit 1; }
echo "$memory kB (PSS)${group:+, within a group of $limit bytes}"
kill "$server"
wait "$server"
server=
