#!/bin/sh
# SPDX-License-Identifier: MIT
# server_under_load.sh BACKPLANE LOAD CONFIG [SECONDS]: starts a server, puts it under load, stops it. Fails when anything but an orderly end comes of it: a
# worker that died, a wrong reply, a report of the sanitizer it was built with (-Db_sanitize=thread above all), or of valgrind with BACKPLANE_VALGRIND=1.
set -eu
backplane=$1 load=$2 config=$3 seconds=${4:-5}
folder=$(mktemp -d)
server=
finish() {
    if [ -n "$server" ]; then kill -9 "$server" 2>/dev/null || :; fi
    rm -rf "$folder"
}
trap finish EXIT

# No option of a sanitizer may lead its reports elsewhere: they are what this looks for.
export TSAN_OPTIONS="log_path=$folder/report second_deadlock_stack=1"
export ASAN_OPTIONS="log_path=$folder/report"
export UBSAN_OPTIONS="log_path=$folder/report print_stacktrace=1"
export BACKPLANE_DATA="$folder/data" BACKPLANE_WORKERS=2 LOG_LEVEL=info RATE_LIMIT_MAX_REQUESTS=1000000000
patience=600
if [ -n "${BACKPLANE_VALGRIND:-}" ]; then
    set -- valgrind --trace-children=yes --error-exitcode=99 --leak-check=full --show-leak-kinds=definite \
        --errors-for-leak-kinds=definite --log-file="$folder/valgrind.%p" "$backplane"
    export BACKPLANE_WORKERS=1
    patience=3000
else
    set -- "$backplane"
fi

fail() {
    echo "FAILED: $1"
    for report in "$folder"/report.* "$folder"/valgrind.*; do
        [ ! -f "$report" ] || head -n 150 "$report"
    done
    tail -n 40 "$folder/output"
    exit 1
}

# A port that is free: the first on which the server starts.
answers() {
    "$backplane" health -c "$config" >/dev/null 2>&1
}
port=$((20000 + $$ % 20000))
for _ in 1 2 3 4 5; do
    port=$((port + 1))
    export PORT=$port
    "$@" run -c "$config" >"$folder/output" 2>&1 &
    server=$!
    tries=0
    while ! answers && kill -0 "$server" 2>/dev/null && [ $tries -lt $patience ]; do
        tries=$((tries + 1))
        sleep 0.1
    done
    if answers; then break; fi
    grep -q 'in use' "$folder/output" || fail "the server did not start"
done

"$load" "$port" "$seconds" || fail "the load met something wrong"
kill -TERM "$server"
code=0
wait "$server" || code=$?
server=
[ $code -eq 0 ] || fail "the server ended with $code"
if grep -Eq 'worker\.(died|crashed|stalled)' "$folder/output"; then fail "a worker died"; fi
for report in "$folder"/report.*; do
    # The one harmless line: AddressSanitizer says at the first switch of stacks that it does not know makecontext.
    if [ -f "$report" ] && grep -qv "doesn't fully support makecontext" "$report"; then fail "a sanitizer reports"; fi
done
for report in "$folder"/valgrind.*; do
    if [ -f "$report" ] && ! grep -q 'ERROR SUMMARY: 0 errors' "$report"; then fail "valgrind reports"; fi
done
