#!/bin/sh
# SPDX-License-Identifier: ISC
# Copyright (c) 2026 The shuttled authors
#
# waits.sh: the system has no memory for a wait, for a moment: no worker ends
# and no session is lost. A wait that can never succeed ends the worker, and the
# log says how many sessions went with it.
. "$(dirname "$0")/../lib.sh"

command -v strace >/dev/null || skip 'no strace'
strace -o /dev/null -e trace=getpid true 2>/dev/null || skip 'strace cannot trace'
[ -z "$SHUTTLED_WRAP" ] || skip 'a wrapper is in the way'
# The search for leaks at the end of a process does not work under strace.
ASAN_OPTIONS=${ASAN_OPTIONS:+$ASAN_OPTIONS:}detect_leaks=0
export ASAN_OPTIONS

# inject ERROR WHEN: the waits of the worker fail with this.
inject() {
	: >"$T/strace.out"
	strace -p "$(worker_pids)" -o /dev/null \
	    -e trace=select,pselect6,epoll_wait,epoll_pwait \
	    -e inject=select,pselect6,epoll_wait,epoll_pwait:error="$1":when="$2" \
	    2>"$T/strace.out" </dev/null &
	strace=$!
	started="$started $strace"
	wait_for 10 grep -q attached "$T/strace.out"
}

begin() {
	echo_behind -w 1
	load_keep kept 5
}

no_memory() {
	begin
	inject ENOMEM 2..20
	wait_for 10 log_has 'poller: out of memory; trying again'
	kill "$strace"
	wait_for 10 gone "$strace"
	serves || fail 'it does not serve'
	load_end kept
	assert_eq 'sessions that stayed' 5 "$(load_count kept kept ok)"
	assert_eq 'workers that ended' 0 "$(log_count 'ended: exit')"
}

# The next worker serves.
no_way_to_wait() {
	begin
	inject EBADF 2+
	wait_for 10 log_has 'worker 1 pid [0-9]* ended: exit code 1, .* 5 sessions lost'
	wait_for 10 gone "$strace"
	try_for 10 serves || fail 'no other worker serves'
	load_end kept
	assert_eq 'sessions lost' 5 "$(load_count kept kept reset cut)"
	DEATHS=wanted
}

# accepts ERROR WHEN CLIENTS: how often the worker asks in a second, while accept4()
# fails and clients wait.
accepts() {
	: >"$T/strace.out"
	: >"$T/calls"
	strace -p "$(worker_pids)" -o "$T/calls" -e trace=accept4 \
	    -e inject=accept4:error="$1":when="$2" 2>"$T/strace.out" </dev/null &
	strace=$!
	started="$started $strace"
	wait_for 10 grep -q attached "$T/strace.out"
	load_start waiting -k 1 -x
	wait_for 10 grep -q INJECTED "$T/calls"
	sleep 1
	kill "$strace"
	wait_for 10 gone "$strace"
	load_end waiting
	calls=$(wc -l <"$T/calls")
	[ "$calls" -lt 100 ] || fail "$calls calls in a second: $1"
	serves || fail 'it does not serve any more'
}

# Whatever it is that makes accepting fail, a worker does not spin for it.
no_accept() {
	shuttled_start -l 127.0.0.1:0 -s builtin:echo -w 1
	accepts EMFILE 1+
	accepts EBADF 1+
	# The second is of the builtin server.
	accepts ENFILE 2+
}

run_cases no_memory no_way_to_wait no_accept
