#!/bin/sh
# SPDX-License-Identifier: ISC
# Copyright (c) 2026 The shuttled authors
#
# speed.sh: the options that are off unless somebody asks for them. Each does
# what the man page says, also what it says against it.
. "$(dirname "$0")/../lib.sh"

# One that came later, and spoke, is served before the silent one is accepted.
deferred_until_it_speaks() {
	shuttled_start -l 127.0.0.1:0 -s builtin:echo -w 1 -v \
	    --defer-accept 15s
	peer_start silent "connect $LISTEN; touch $T/came;
	    wait-file $T/speak; send 1000 seed 1; expect 1000 seed 1;
	    half-close; expect-eof"
	wait_for 5 test -e "$T/came"
	serves || fail 'it does not serve'
	assert_log 'session end'
	assert_eq 'sessions begun' 1 "$(log_count 'session start')"
	: >"$T/speak"
	peer_wait silent
	wait_for 5 log_reaches 2 'bytes_up=1000 bytes_down=1000 .*end=client.close'
}

# Who waits for the server to speak gets there, a second late.
deferred_for_a_time() {
	shuttled_start -l 127.0.0.1:0 -s builtin:hello -w 2 \
	    --defer-accept 300ms
	begin=$(now_ms)
	peer "connect $LISTEN; cat"
	took=$(($(now_ms) - begin))
	grep -q '^Hello from ' "$T/peer.out" || fail 'no hello'
	assert_between 'ms until it was served' 900 $((9000 * TEST_SLOW)) \
	    "$took"
}

used() {
	say $(($(cpu_ticks "$spinner") - before))
}

has_spun() {
	[ "$(used)" -ge 4 ]
}

# For a second after an event, of which a busy machine may leave it little: then
# there is another event. Those alone are no 40 ms of work.
spins() {
	for _ in 1 2 3 4 5 6 7 8 9 10; do
		! try_for 1 has_spun || return 0
		serves || fail 'it does not serve'
	done
	fail "$(used) ticks in 10 seconds of spinning"
}

# rests: it uses next to nothing for half a second.
rests() {
	before=$(cpu_ticks "$spinner")
	sleep 0.5
	[ "$(used)" -le 2 ]
}

# With a session it spins after each event, for a second and no longer.
spins_for_a_while() {
	rm -f "$T/done" "$T/end"
	shuttled_start -l 127.0.0.1:0 -s builtin:echo -w "$workers" \
	    -e "$engine" --busy-poll 1000000
	spinner=$(worker_pids)
	before=$(cpu_ticks "$spinner")
	peer_start kept "timeout 60000; connect $LISTEN;
	    exchange 9 9 seed 1 seed 1; touch $T/done; wait-file $T/end;
	    half-close; expect-eof"
	wait_for 5 test -e "$T/done"
	spins
	wait_for 10 rests
	: >"$T/end"
}

# Without one there is nothing to wait for.
spins_for_sessions_only() {
	shuttled_start -l 127.0.0.1:0 -s builtin:echo -w "$workers" \
	    -e "$engine" --busy-poll 1000000
	spinner=$(worker_pids)
	serves || fail 'it does not serve'
	assert_log 'session end'
	before=$(cpu_ticks "$spinner")
	sleep 0.7
	assert_between 'ticks of 10 ms in 0.7 s' 0 5 "$(used)"
}

timers_go_on() {
	shuttled_start -l 127.0.0.1:0 -s builtin:echo -w "$workers" \
	    -e "$engine" --busy-poll 1000000 --idle-timeout 300ms
	peer "connect $LISTEN; exchange 9 9 seed 1 seed 1; expect-eof"
	assert_log 'end=proxy.idle_timeout'
}

# cpus PID: the numbers of those that it may run on, one a line.
cpus() {
	sed -n 's/^Cpus_allowed_list:[[:space:]]*//p' "/proc/$1/status" |
	    tr ',' '\n' | awk -F - '{ for (i = $1; i <= $NF; i++) print i }'
}

# pinned_to LIST: worker 1, 2 … to the first, the second …, over and over.
pinned_to() {
	i=0
	for _ in 1 2 3 4 5; do
		for cpu in $1; do
			i=$((i + 1))
			[ "$i" -le 5 ] || break 2
			assert_eq "CPUs of worker $i" "$cpu" \
			    "$(cpus "$(worker $i)")"
		done
	done
}

workers_are_pinned() {
	shuttled_start -l 127.0.0.1:0 -s builtin:hello -w 5 --pin-cpus
	all=$(cpus $$)
	pinned_to "$all"
	assert_eq 'CPUs of the master' "$all" "$(cpus "$PID")"
	kill -s KILL "$(worker 2)"
	wait_for 5 log_reaches 2 ' worker 2\[.*: ready'
	pinned_to "$all"
	DEATHS=wanted
	shuttled_stop
	DEATHS=
}

# What the master may not use the workers do not use.
workers_are_pinned_to_what_there_is() {
	command -v taskset >/dev/null || return 0
	last=$(cpus $$ | tail -n 1)
	saved_wrap=$SHUTTLED_WRAP
	SHUTTLED_WRAP="taskset -c $last $SHUTTLED_WRAP"
	shuttled_start -l 127.0.0.1:0 -s builtin:hello -w 5 --pin-cpus
	pinned_to "$last"
	shuttled_stop
	SHUTTLED_WRAP=$saved_wrap
}

the_only_process_is_pinned() {
	shuttled_start -l 127.0.0.1:0 -s builtin:hello -w 0 --pin-cpus
	assert_log 'info: ready: '
	assert_eq 'CPUs' "$(cpus $$ | head -n 1)" "$(cpus "$PID")"
}

workers_are_free() {
	shuttled_start -l 127.0.0.1:0 -s builtin:hello -w 2
	for i in 1 2; do
		assert_eq "CPUs of worker $i" "$(cpus $$)" \
		    "$(cpus "$(worker $i)")"
	done
}

run_cases workers_are_pinned workers_are_pinned_to_what_there_is \
    the_only_process_is_pinned workers_are_free
run_cases deferred_until_it_speaks deferred_for_a_time
for workers in 1 0; do
	for engine in hybrid select; do
		say "with -w $workers -e $engine"
		run_cases spins_for_a_while spins_for_sessions_only \
		    timers_go_on
	done
done
