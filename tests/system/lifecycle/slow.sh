#!/bin/sh
# SPDX-License-Identifier: ISC
# Copyright (c) 2026 The shuttled authors
#
# slow.sh: workers that take long to start, as on a machine that is loaded: they
# have time as long as they come on, and one that does not is called slow.
. "$(dirname "$0")/../lib.sh"

command -v strace >/dev/null || skip 'no strace'
strace -o /dev/null -e trace=capset -e inject=capset:delay_enter=1 true \
    2>/dev/null || skip 'strace cannot hold system calls up'
[ -z "$SHUTTLED_WRAP" ] || skip 'a wrapper is in the way'
# The search for leaks at the end of a process does not work under strace.
ASAN_OPTIONS=${ASAN_OPTIONS:+$ASAN_OPTIONS:}detect_leaks=0
export ASAN_OPTIONS

# start_slowly NAME WORKERS CALL SECONDS...: shuttled, held up for so long in these
# calls, which only workers make; its files are $T/NAME.*.
start_slowly() {
	name=$1
	workers=$2
	shift 2
	delays=
	while [ $# -gt 0 ]; do
		delays="$delays -e inject=$1:delay_enter=${2}000000"
		shift 2
	done
	: >"$T/$name.out"
	# shellcheck disable=SC2086 # this is a list
	strace -f -qq -o /dev/null -e trace=capset,epoll_create1 $delays \
	    "$SHUTTLED" -F -L "$T/$name.log" --ports-file "$T/$name.ports" \
	    -l 127.0.0.1:0 -s builtin:echo -w "$workers" \
	    2>>"$T/$name.out" </dev/null &
	also_end "$!"
}

# Each of two steps takes nearly as long as one may: all of it more than that.
# Beside it one step never ends: it is given up, and not for the log to say why.
slow_and_stuck() {
	start_slowly stuck 1 epoll_create1 60
	start_slowly slow 2 capset 7 epoll_create1 6
	wait_for 15 grep -q 'worker 1, pid [0-9]*, is too slow: it is not' \
	    "$T/stuck.out"
	! grep -q 'the log says why' "$T/stuck.out" ||
		fail 'the log knows nothing'
	wait_for 20 test -s "$T/slow.ports"
	LISTEN=$(sed 1q "$T/slow.ports")
	serves || fail 'it does not serve'
	PID=$(sed -n 's/.* master\[\([0-9]*\)\] .*: ready$/\1/p' "$T/slow.log")
	signal TERM
	wait_for 10 gone "$PID"
	PID=
}

run_cases slow_and_stuck
