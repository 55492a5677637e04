#!/bin/sh
# SPDX-License-Identifier: ISC
# Copyright (c) 2026 The shuttled authors
#
# run.sh: runs each fuzz target that was built for some seconds, over its corpus
# and with its words. Stops at the first one that fails and leaves its input in
# the current directory. The corpus stays as it is: what is found on the way is
# thrown away.
# usage: run.sh SECONDS [TARGET...]      in a build directory
set -eu
seconds=${1:?usage: run.sh SECONDS [TARGET...]}
shift
source=$(cd -P "$(dirname "$0")" && pwd)
[ $# -gt 0 ] || set -- tests/fuzz/fuzz_*
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
trap 'exit 1' INT TERM HUP

ran=0
for target; do
	case $target in
	*.o | *'*')
		continue
	esac
	name=${target##*/fuzz_}
	mkdir -p "$tmp/$name" "$source/corpus/$name"
	set -- "$tmp/$name" "$source/corpus/$name"
	[ "$name" != conf ] || set -- "$@" "$source/../../contrib/examples"
	[ ! -f "$source/$name.dict" ] || set -- "$@" "-dict=$source/$name.dict"
	printf '== %s: %s s\n' "$name" "$seconds"
	TMPDIR=$tmp "$target" -max_total_time="$seconds" -timeout=20 \
	    -verbosity=0 -print_final_stats=1 "$@" >"$tmp/$name.log" 2>&1 || {
		tail -n 60 "$tmp/$name.log"
		echo "run.sh: $name failed"
		exit 1
	}
	# That it got past its first inputs at all is worth a look.
	sed -n 's/^stat::number_of_executed_units: */   inputs: /p' \
	    "$tmp/$name.log"
	ran=$((ran + 1))
done
[ "$ran" -gt 0 ] || {
	echo "run.sh: no targets here: ../configure CC=clang --enable-fuzzers"
	exit 1
}
