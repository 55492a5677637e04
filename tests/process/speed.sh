#!/bin/sh
# SPDX-License-Identifier: ISC
# Copyright (c) 2026 The shuttled authors
#
# speed.sh: the options that are off unless somebody asks for them. Each does
# what the man page says, also what it says against it.
. "$(dirname "$0")/lib.sh"

# One that came later, and spoke, is served before the silent one is accepted.
deferred_until_it_speaks() {
	shuttled_start -l 127.0.0.1:0 -b builtin:echo -w 1 -v \
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
	wait_for 5 log_reaches 2 'up=1000 down=1000 .*end=client.close'
	shuttled_stop
}

# Who waits for the server to speak gets there, a second late.
deferred_for_a_time() {
	shuttled_start -l 127.0.0.1:0 -b builtin:hello -w 2 \
	    --defer-accept 300ms
	begin=$(now_ms)
	peer "connect $LISTEN; cat"
	took=$(($(now_ms) - begin))
	grep -q '^Hello from ' "$T/peer.out" || fail 'no hello'
	assert_between 'ms until it was served' 900 $((9000 * TEST_SLOW)) \
	    "$took"
	shuttled_stop
}

used() {
	say $(($(cpu_ticks "$spinner") - before))
}

has_spun() {
	[ "$(used)" -ge 10 ]
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
	shuttled_start -l 127.0.0.1:0 -b builtin:echo -w "$workers" \
	    -e "$engine" --busy-poll 1000000
	spinner=$(worker_pids)
	before=$(cpu_ticks "$spinner")
	peer_start kept "connect $LISTEN; exchange 9 9 seed 1 seed 1;
	    touch $T/done; wait-file $T/end; half-close; expect-eof"
	wait_for 5 test -e "$T/done"
	wait_for 5 has_spun
	wait_for 10 rests
	: >"$T/end"
	peer_wait kept
	shuttled_stop
}

# Without one there is nothing to wait for.
spins_for_sessions_only() {
	shuttled_start -l 127.0.0.1:0 -b builtin:echo -w "$workers" \
	    -e "$engine" --busy-poll 1000000
	spinner=$(worker_pids)
	serves || fail 'it does not serve'
	assert_log 'session end'
	before=$(cpu_ticks "$spinner")
	sleep 0.7
	assert_between 'ticks of 10 ms in 0.7 s' 0 5 "$(used)"
	shuttled_stop
}

timers_go_on() {
	shuttled_start -l 127.0.0.1:0 -b builtin:echo -w "$workers" \
	    -e "$engine" --busy-poll 1000000 --idle-timeout 300ms
	peer "connect $LISTEN; exchange 9 9 seed 1 seed 1; expect-eof"
	assert_log 'end=proxy.idle_timeout'
	shuttled_stop
}

run_cases deferred_until_it_speaks deferred_for_a_time
for workers in 1 0; do
	for engine in hybrid select; do
		say "with -w $workers -e $engine"
		run_cases spins_for_a_while spins_for_sessions_only \
		    timers_go_on
	done
done
