#!/bin/sh
# SPDX-License-Identifier: ISC
# Copyright (c) 2026 The shuttled authors
#
# channel.sh: a worker or the prober has been taken over, and says on the channel
# to its master what it may not: it is ended, and the master neither waits for
# it nor takes anything from it.
. "$(dirname "$0")/../lib.sh"

LIAR=${LIAR:-$TOOLS/liar}
[ -x "$LIAR" ] || skip "no $LIAR"
[ -z "$SHUTTLED_WRAP" ] || skip 'a wrapper holds the descriptors'

# descriptors PID
descriptors() {
	find "/proc/$1/fd" -type l | wc -l
}

has_descriptors() {
	[ "$(descriptors "$PID")" -eq "$1" ]
}

# lie PID ARGS...: see liar.c.
lie() {
	STATUS=0
	"$LIAR" "$@" >"$T/lie.out" 2>&1 </dev/null || STATUS=$?
	[ "$STATUS" -ne 77 ] || skip "$(cat "$T/lie.out")"
	assert_eq 'status of liar' 0 "$STATUS"
}

# What is no message at all, and what is one at another time.
is_ended() {
	DEATHS=wanted
	shuttled_start -l 127.0.0.1:0 -s builtin:echo -w 2
	n=0
	for what in byte=X byte=R byte=S byte=G long descriptors; do
		n=$((n + 1))
		liar=$(worker 1)
		lie "$liar" "$what"
		wait_for 5 log_has \
		    "worker 1 pid $liar: .* message.* on its channel: killing"
		wait_for 5 gone "$liar"
		wait_for 20 log_reaches $((n + 1)) \
		    'worker 1\[[0-9]*\] info: ready'
		serves || fail 'it does not serve'
		# The longer it has lived, the sooner comes the next.
		[ $n -ne 3 ] || {
			shuttled_stop
			shuttled_start -l 127.0.0.1:0 -s builtin:echo -w 2
			n=0
		}
	done
	shuttled_stop
	DEATHS=
}

# Two in each message, faster than the master can end that: none is taken.
passes_descriptors() {
	DEATHS=wanted
	shuttled_start -l 127.0.0.1:0 -s builtin:echo -w 2
	before=$(descriptors "$PID")
	stopped=$(worker 1)
	kill -STOP "$PID"
	lie "$stopped" descriptors 100
	say "$(cat "$T/lie.out") messages"
	kill -CONT "$PID"
	wait_for 5 gone "$stopped"
	wait_for 5 workers_are 2
	wait_for 5 has_descriptors "$before"
	serves || fail 'it does not serve'
	shuttled_stop
	DEATHS=
}

# reload_time: how long one takes, in ms.
reload_time() {
	began=$(now_ms)
	reload
	say $(($(now_ms) - began))
}

# Twenty times a second, whoever the workers are; a reload and the end take as
# long as ever.
never_stops() {
	DEATHS=wanted
	shuttled_start -l 127.0.0.1:0 -s builtin:echo -w 2
	lie "$(worker 1)" byte=R 0
	before=$(reload_time)
	(
		# Each as soon as it is there, until the test ends.
		while alive "$PID"; do
			for pid in $(worker_pids); do
				"$LIAR" "$pid" byte=C 3 10 >/dev/null 2>&1 || :
			done
			sleep 0.05
		done
	) &
	liars=$!
	started="$started $liars"
	wait_for 5 log_has 'on its channel: killing it'
	after=$(reload_time)
	say "a reload takes $before ms, with junk $after ms"
	[ "$after" -lt $((before + 2000 * TEST_SLOW)) ] ||
		fail "a reload takes $after ms"
	signal TERM
	shuttled_ended 0
	wait_for 5 gone "$liars"
	wait "$liars" 2>/dev/null || :
	forget "$liars"
	DEATHS=
}

# The prober has nothing to say at all.
prober_speaks() {
	DEATHS=wanted
	cat >"$T/conf" <<-END
		workers: 1
		listen: { a: { address: "127.0.0.1:0" } }
		pool: { p: { check: "tcp",
		    server: { s: { address: "builtin:echo" } } } }
	END
	shuttled_start -c "$T/conf"
	wait_for 5 probers 1
	liar=$(prober)
	lie "$liar" byte=R
	assert_log "prober pid $liar: unexpected message 0x52 on its channel"
	wait_for 5 probers 2
	shuttled_stop
	DEATHS=
}

run_cases is_ended passes_descriptors never_stops prober_speaks
