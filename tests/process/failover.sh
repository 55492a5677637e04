#!/bin/sh
# SPDX-License-Identifier: ISC
# Copyright (c) 2026 The shuttled authors
#
# failover.sh: a server that dies and comes back while clients come all the
# time. None that connects later notices.
. "$(dirname "$0")/lib.sh"

# second_start [PORT]: another echo, which is to die; its address in $SECOND.
second_start() {
	rm -f "$T/second"
	# shellcheck disable=SC2086 # none or one
	"$ECHO" ${1:-} >"$T/second" 2>"$T/second.out" </dev/null &
	second=$!
	started="$started $!"
	wait_for 5 test -s "$T/second"
	SECOND=$(cat "$T/second")
}

second_dies() {
	kill -s KILL "$second"
	wait "$second" 2>/dev/null || :
	forget "$second"
}

# ejections SECONDS: how often b was, for so long.
ejections() {
	log_count "backend main/b: connect: Connection refused; \
others are tried first for $1 s"
}

served_by() {
	log_count "session end .* backend=main/$1 .*end=client.close"
}

# served_more N: since $before, by b.
served_more() {
	[ "$(served_by b)" -ge $((before + $1)) ]
}

dies_and_comes_back() {
	echo_start
	second_start
	cat >"$T/conf" <<-EOF2
	listen: { main: { address = "127.0.0.1:0"; } }
	pool: { main: { eject_time = "100ms"; server: {
	    a: { address = "$BACKEND"; }
	    b: { address = "$SECOND"; } } } }
	EOF2
	shuttled_start -c "$T/conf" -w 2
	before=0
	load_start busy -c 8 -p 2
	wait_for 5 served_more 20
	second_dies
	# Each time it is for longer; somebody has to find out each time.
	for time in 0.1 0.2 0.4 0.8; do
		wait_for 5 log_has "others are tried first for $time s"
	done
	assert_not_log 'answers again'
	before=$(served_by b)
	second_start "${SECOND##*:}"
	wait_for 10 log_has 'notice: backend main/b: answers again'
	wait_for 5 served_more 20
	load_end busy
	shuttled_stop
	for time in 0.1 0.2 0.4 0.8; do
		assert_eq "ejections for $time s" 1 "$(ejections $time)"
	done
	assert_eq 'times that it answered again' 1 "$(log_count 'answers again')"
	# Those that it served when it died, and no other.
	assert_between 'sessions that were cut' 0 8 \
	    "$(load_count busy loop cut reset)"
	assert_eq 'loops that failed otherwise' 0 \
	    "$(load_count busy loop refused timeout wrong other)"
	assert_not_log 'end=server.refused'
	assert_not_log 'end=proxy'
	say "$(load_count busy loop ok) went well," \
	    "$(load_count busy loop cut reset) were cut"
}

# With nobody else it is tried by everybody, and no line is lost about it.
the_only_one() {
	second_start
	shuttled_start -l 127.0.0.1:0 -b "$SECOND" -w 2
	second_dies
	for _ in 1 2 3; do
		peer "connect $LISTEN; expect-eof"
	done
	assert_log "backend $SECOND: connect: Connection refused; too few"
	second_start "${SECOND##*:}"
	serves || fail 'it is passed over'
	assert_log 'answers again'
	shuttled_stop
	assert_eq 'lines about it' 1 "$(log_count ': connect: ')"
	assert_eq 'refused sessions' 3 "$(log_count 'end=server.refused')"
}

run_cases dies_and_comes_back the_only_one
