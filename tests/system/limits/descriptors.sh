#!/bin/sh
# SPDX-License-Identifier: ISC
# Copyright (c) 2026 The shuttled authors
#
# descriptors.sh: many clients for workers with 64 descriptors each. Who cannot
# be served yet waits in the kernel's queue: nobody is rejected, no worker
# spins or ends, and the log does not repeat itself.
. "$(dirname "$0")/../lib.sh"

# start_small ARGS...: the limit is that of shuttled alone.
start_small() {
	saved_wrap=$SHUTTLED_WRAP
	# shellcheck disable=SC2016 # expanded by the inner shell
	SHUTTLED_WRAP="$T/small"
	cat >"$T/small" <<-'END'
		#!/bin/sh
		ulimit -n 64
		exec ${SMALL_AS-} "$@"
	END
	chmod 755 "$T/small"
	shuttled_start "$@"
	SHUTTLED_WRAP=$saved_wrap
}

# assert_idle SECONDS PID...: they use little of that time.
assert_idle() {
	seconds=$1
	shift
	before=$(cpu_ticks "$@")
	sleep "$seconds"
	used=$(($(cpu_ticks "$@") - before))
	say "$used ticks of 10 ms in $seconds s"
	assert_between "ticks of 10 ms in $seconds s" 0 $((seconds * 5)) $used
}

session_lines() {
	log_count 'session start'
}

steady() {
	last=$now
	now=$(session_lines)
	sleep 0.2
	[ "$now" -gt 0 ] && [ "$now" -eq "$last" ]
}

# Clients at a time: each needs a descriptor of the one process of all clients.
CLIENTS=$(within 500 1)

# full SERVER WORKERS: all clients come and stay.
full() {
	start_small -l 127.0.0.1:0 -s "$1" -w "$2" -v
	load_start kept -k "$CLIENTS" -T 60000
	wait_for 10 load_is kept connected
	now=0
	wait_for 10 steady
	say "$now of $CLIENTS are served"
	[ "$now" -lt $((CLIENTS * 4 / 5)) ] || fail 'the limit has no effect'
	# shellcheck disable=SC2046 # a list
	assert_idle 2 "$PID" $(worker_pids)
	# With -w 0 there is one process, too.
	processes=$(worker_pids | wc -l)
	load_end_ok kept "$CLIENTS"
	# One episode each, from the first client to the last, and its end.
	assert_between 'lines about pauses' 1 "$processes" \
	    "$(log_count 'stopped accepting')"
	wait_for 5 same_count 'stopped accepting' 'accepting again'
	# Each lasted at least as long as we have watched it.
	assert_log 'accepting again: paused [0-9]* times* in \([2-9]\|[1-9][0-9]\)[0-9]\{3\} ms'
	workers_are "$2" || fail 'a worker has died'
	assert_not_log ' ended:'
	assert_not_log 'proxy\.'
	serves || fail 'it does not serve'
	shuttled_stop
}

same_count() {
	[ "$(log_count "$1")" -eq "$(log_count "$2")" ]
}

full_with_a_server() {
	full "$SERVER" 4
}

# A session of a builtin server needs a third descriptor, in any worker.
full_with_a_builtin() {
	full builtin:echo 4
}

full_with_one_process() {
	full "$SERVER" 0
}

# They come and go, each for 100 ms.
waves() {
	echo_start
	start_small -l 127.0.0.1:0 -s "$SERVER" -w 4
	load_start busy -c "$CLIENTS" -n 1500 -p 100 -T 60000
	load_ended busy
	load_all_ok busy 0
	assert_eq 'connections that were served' 1500 \
	    "$(load_count busy loop ok)"
	wait_for 5 log_reaches 1500 'end=client.close'
	say "$(log_count 'stopped accepting') lines about pauses"
	assert_between 'lines about pauses' 1 8 \
	    "$(log_count 'stopped accepting')"
}

# What waits in the queue when QUIT comes is served, too, one by one.
quit_when_full() {
	echo_start
	start_small -l 127.0.0.1:0 -s "$SERVER" -w 2
	load_start kept -k 200 -T 60000
	wait_for 10 load_is kept connected
	wait_for 5 log_has 'stopped accepting'
	signal QUIT
	wait_for 5 log_reaches 2 'notice: draining'
	load_end_ok kept 200
	shuttled_ended 0 5
}

# A log file is opened and handed over although all others are in use.
rotation_when_full() {
	echo_start
	start_small -l 127.0.0.1:0 -s "$SERVER" -w 2
	load_start kept -k 200 -T 60000
	wait_for 10 load_is kept connected
	wait_for 5 log_reaches 2 'stopped accepting'
	for i in 1 2 3; do
		mv "$T/log" "$T/log.$i"
		signal USR1
		wait_for 5 log_has 'log reopened'
	done
	load_end_ok kept 200
	signal QUIT
	shuttled_ended 0 5
	assert_eq 'workers that said goodbye in the new file' 2 \
	    "$(log_count 'notice: draining')"
	assert_eq 'errors' 0 "$(log_count ' error: ')"
}

# may_raise COMMAND...: has root its rights here?
may_raise() {
	[ "$(id -u)" -eq 0 ] && prlimit --nofile=64:64 \
	    prlimit --nofile=65:65 true 2>/dev/null
}

# Whoever may, raises the hard limit for the sessions that are wanted; others
# say what would be needed, once.
wanted_sessions() {
	if may_raise; then
		start_small -l 127.0.0.1:0 -s "$SERVER" -w 2 --max-sessions-per-worker 500
		wait_for 5 log_reaches 2 ' 500 sessions at most$'
		assert_not_log warning
		load_keep kept 400 -T 60000
		load_end_ok kept 400
		assert_not_log 'stopped accepting'
		shuttled_stop
		chmod 1777 "$T"
		rm -f "$T/log"
		export SMALL_AS="$AS_USER"
	fi
	start_small -l 127.0.0.1:0 -s "$SERVER" -w 2 --max-sessions-per-worker 500
	wait_for 5 log_reaches 2 ' 25 sessions at most$'
	assert_eq 'warnings' 1 "$(log_count 'warning: each worker has 25 sessions at most, not 500: the limit of descriptors is 64, not 1046 (LimitNOFILE=1046, ulimit -n)$')"
	shuttled_stop
	unset SMALL_AS
	# Fewer than there could be.
	shuttled_start -l 127.0.0.1:0 -s "$SERVER" -w 1 --max-sessions-per-worker 3
	assert_log ' 3 sessions at most$'
}

# with_space KIB: started with that much address space; what it said is in
# $T/try.out.
with_space() {
	# shellcheck disable=SC3045 # where there is none, it may fail
	(ulimit -v "$1" && exec timeout 20 "$SHUTTLED" -F -l 127.0.0.1:0 \
	    -s "$SERVER" -w 1 --max-sessions-per-worker 1000) >"$T/try.out" 2>&1 || :
}

# What is said to be needed is enough; less is not, for whoever lacks it.
little_memory() {
	if instrumented; then
		say 'left out: what watches us needs more memory than that'
		return 0
	fi
	with_space 100000
	grep -qx 'shuttled: cannot map [0-9]* MiB of shared memory: a process may have 97 MiB (ulimit -v, LimitAS=); set that to [0-9]* MiB or more' \
	    "$T/try.out" || fail "$(cat "$T/try.out")"
	needed=$(sed -n 's/.* to \([0-9]*\) MiB or more$/\1/p' "$T/try.out")
	with_space $(((needed - 50) * 1024))
	try_said \
	    'error: cannot start: memory, [0-9]* MiB: .* a process may have [0-9]* MiB (ulimit -v, LimitAS=); set that to [0-9]* MiB'
	command -v prlimit >/dev/null || return 0
	with_wrap "prlimit --as=$((needed << 20))" shuttled_start \
	    -l 127.0.0.1:0 -s "$SERVER" -w 1 --max-sessions-per-worker 1000
	serves
}

# explained LIMIT: address space of the shared memory, as -T says it, in MiB.
explained() {
	# shellcheck disable=SC3045 # where there is none, it may fail
	(ulimit -v "$1" && exec timeout 20 "$SHUTTLED" -T -l 127.0.0.1:0 \
	    -s "$SERVER" -w 1) | sed -n \
	    's/^# Shared memory: \([0-9]*\) MiB of address space .*/\1/p'
}

# What -T says of it is what each process has, and follows the limit.
shared_memory_is_explained() {
	if instrumented; then
		say 'left out: what watches us needs more memory than that'
		return 0
	fi
	all=$(explained "$(ulimit -v)")
	shuttled_start -l 127.0.0.1:0 -s "$SERVER" -w 1
	for pid in "$PID" $(worker_pids); do
		grep -F shuttled-board "/proc/$pid/maps" >"$T/maps"
		first=$(sed -n '1s/-.*//p' "$T/maps")
		last=$(sed -n '$s/^[^-]*-\([^ ]*\).*/\1/p' "$T/maps")
		assert_eq "MiB in process $pid" "$all" \
		    $(((0x$last - 0x$first) >> 20))
	done
	shuttled_stop
	few=$(explained 1000000)
	[ "$few" -lt "$all" ] || fail "$few MiB where a process may have 976"
}

echo_start
if [ -n "$SHUTTLED_WRAP" ]; then
	skip 'a wrapper needs descriptors of its own'
fi
run_cases full_with_a_server full_with_a_builtin full_with_one_process waves \
    quit_when_full rotation_when_full wanted_sessions \
    little_memory shared_memory_is_explained
