#!/bin/sh
# SPDX-License-Identifier: ISC
# Copyright (c) 2026 The shuttled authors
#
# stuck.sh: workers that are stopped, or that were woken for a connection and
# do not come to take it. Others take it, and soon.
. "$(dirname "$0")/../lib.sh"
DEATHS=wanted

# served N MS: so many exchanges, each within this time, which is less than the
# five seconds of who is stuck, and more than what holds up a machine.
served() {
	n=$1
	while [ "$n" -gt 0 ]; do
		served_once "$2"
		n=$((n - 1))
	done
}

served_once() {
	begin=$(now_ms)
	serves || fail "no answer: $(cat "$T/try.out")"
	took=$(($(now_ms) - begin))
	[ "$took" -le "$longest" ] || longest=$took
	slow || [ "$took" -le "$1" ] || fail "it took $took ms"
}

stopped_worker_delays_nobody() {
	echo_behind -w 4
	longest=0
	for place in 1 2 3 4; do
		victim=$(worker $place)
		kill -STOP "$victim"
		# Before the master has noticed, and after.
		served 5 3000
		assert_log "worker $place pid $victim is stopped"
		served 5 3000
		kill -CONT "$victim"
		assert_log "worker $place pid $victim continues"
	done
	say "the longest took $longest ms"
	signal TERM
	shuttled_ended 0
}

# The kernel wakes one worker for a connection, and here that one needs five
# seconds to take it.
woken_worker_is_stuck() {
	victim=$(worker 1)
	strace -p "$victim" -o /dev/null -e trace=accept4 \
	    -e inject=accept4:delay_enter="$1" 2>"$T/strace.out" &
	tracer=$!
	also_end "$tracer"
	wait_for 5 grep -q attached "$T/strace.out"
}

tracer_end() {
	kill -TERM "$tracer" 2>/dev/null || :
	wait "$tracer" 2>/dev/null || :
	forget "$tracer"
}

stuck_worker_delays_little() {
	echo_behind -w 2
	longest=0
	woken_worker_is_stuck 5000000
	served 4 3000
	say "the longest took $longest ms"
	tracer_end
	kill -KILL "$PID" "$(worker 1)" "$(worker 2)" 2>/dev/null || :
	forget "$PID"
	PID=
}

killed_in_between() {
	echo_behind -w 2
	longest=0
	woken_worker_is_stuck 5000000
	served 4 3000
	kill -KILL "$victim"
	tracer_end
	served 1 3000
	signal TERM
	shuttled_ended 0
}

run_cases stopped_worker_delays_nobody
if command -v strace >/dev/null && [ -z "$SHUTTLED_WRAP" ] &&
    strace -o /dev/null -e trace=accept4 true 2>/dev/null; then
	run_cases stuck_worker_delays_little killed_in_between
fi
