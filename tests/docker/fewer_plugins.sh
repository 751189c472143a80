#!/bin/sh
# SPDX-License-Identifier: MIT
# usage: fewer_plugins.sh SOURCE_ROOT      What -Dplugins selects, and what it refuses. Only sets folders up: compiling is another test's.
set -eu
source_root=$1
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

# refused REASON OPTION...
refused()
{
    reason=$1
    shift
    if meson setup "$folder/refused" "$source_root" "$@" >"$folder/log" 2>&1; then
        echo "not refused: $*" >&2
        exit 1
    fi
    grep -qF -e "$reason" "$folder/log" || { echo "\"$reason\" is not in:" >&2; tail -n 5 "$folder/log" >&2; exit 1; }
    rm -rf "$folder/refused"
}

refused '-Dplugins: there is no "sqlit". There are: request_id, ' -Dtests=false -Dplugins=request_id,sqlit
refused '-Dplugins: the tests run all plugins: set -Dtests=false, too' -Dplugins=request_id
refused '-Dplugins: is empty. There are: all, or some of request_id, ' -Dtests=false -Dplugins=

meson setup "$folder/some" "$source_root" -Dtests=false -Dplugins=request_id,cors >"$folder/log" 2>&1 || { tail -n 20 "$folder/log" >&2; exit 1; }
built=$(ninja -C "$folder/some" -t targets all | sed -n 's|^plugins/\([a-z_]*\)\.so: .*|\1|p' | sort | tr '\n' ' ')
[ "$built" = "cors request_id " ] || { echo "built: $built" >&2; exit 1; }
