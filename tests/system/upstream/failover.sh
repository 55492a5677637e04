#!/bin/sh
# SPDX-License-Identifier: ISC
# Copyright (c) 2026 The shuttled authors
#
# failover.sh: a server that dies and comes back while clients come all the
# time. None that connects later notices.
. "$(dirname "$0")/../lib.sh"

# second_start: another echo, which is to die, always at $SECOND.
SECOND=
second_start() {
	if [ -z "$SECOND" ]; then
		peer_refusing second_at
		SECOND=$(address second_at)
	fi
	echo_at second "$SECOND"
	second=$!
}

second_dies() {
	kill -s KILL "$second"
	wait "$second" 2>/dev/null || :
	forget "$second"
}

# second_ends: for good, and so does its address.
second_ends() {
	second_dies
	peers_release second_at
	SECOND=
}

# ejections SECONDS: how often b was, for so long.
ejections() {
	log_count "server main/b: connect: Connection refused; \
ejected for $1 s"
}

served_by() {
	log_count "session end .* servers_tried=main/$1 .*end=client.close"
}

# served_more N: since $before, by b.
served_more() {
	[ "$(served_by b)" -ge $((before + $1)) ]
}

dies_and_comes_back() {
	echo_start
	second_start
	cat >"$T/conf" <<-EOF2
	listen: { main: { address: "127.0.0.1:0" } }
	pool: { main: { eject_time: "100ms", server: {
	    a: { address: "$SERVER" },
	    b: { address: "$SECOND" } } } }
	EOF2
	shuttled_start -c "$T/conf" -w 2
	before=0
	load_start busy -c 8 -p 2
	wait_for 5 served_more 20
	second_dies
	# Each time it is for longer; somebody has to find out each time.
	for time in 0.1 0.2 0.4 0.8; do
		wait_for 5 log_has "ejected for $time s"
	done
	assert_not_log 'answers again'
	before=$(served_by b)
	second_start
	wait_for 10 log_has 'notice: server main/b: answers again'
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
	second_ends
}

# dead NAME...: servers that refuse, and one more that serves; pool DIRECTIVES.
dead() {
	directives=$1
	shift
	echo_start
	servers="z: { address: \"$SERVER\", backup: true }"
	for name; do
		peer_refusing "$name"
		servers="$name: { address: \"$(address "$name")\" }, $servers"
	done
	say "{ retries: 7, listen: { l: { address: \"127.0.0.1:0\" } }," \
	    "pool: { p: { $directives server: { $servers } } } }" >"$T/conf"
	shuttled_start -c "$T/conf" -w 2
}

# Each client tries all; only the third failure within the time ejects.
after_some_fails() {
	dead 'max_fails: 3, fail_timeout: "1h", max_ejected_percent: 100,' a b
	serves || fail 'the backup does not serve'
	serves || fail 'the backup does not serve'
	assert_not_log 'ejected for'
	serves || fail 'the backup does not serve'
	assert_log 'p/a: connect: .* ejected for'
	assert_log 'p/b: connect: .* ejected for'
	shuttled_stop
	# Failures that lie too far apart are not many.
	dead 'max_fails: 2, fail_timeout: "1ms", max_ejected_percent: 100,' c
	for _ in 1 2 3; do
		serves || fail 'the backup does not serve'
	done
	assert_not_log 'ejected for'
}

# What a server has of its own wins over its pool.
after_some_fails_of_one() {
	dead 'max_fails: 0, max_ejected_percent: 100,' a b
	sed -i 's/ a: {/ a: { max_fails: 2, fail_timeout: "1h",/' "$T/conf"
	reload
	for _ in 1 2 3; do
		serves || fail 'the backup does not serve'
	done
	assert_log 'p/a: connect: .* ejected for'
	assert_not_log 'p/b: connect: .* ejected for'
}

# While there are two primaries the backup has nothing to do; with one it helps.
beside_the_last_primary() {
	echo_start
	second_start
	cat >"$T/conf" <<-EOF2
	listen: { main: { address: "127.0.0.1:0" } }
	pool: { main: { min_primaries: 2, eject_time: "1h", server: {
	    a: { address: "$SERVER" },
	    b: { address: "$SECOND" },
	    c: { address: "$SERVER", backup: true } } } }
	EOF2
	shuttled_start -c "$T/conf" -w 2
	for _ in 1 2 3 4 5 6; do
		serves || fail 'nobody serves'
	done
	assert_not_log 'servers_tried=main/c'
	second_dies
	for _ in 1 2 3 4 5 6; do
		serves || fail 'nobody serves'
	done
	shuttled_stop
	assert_eq 'sessions' 12 "$(log_count 'end=client.close')"
	assert_between 'sessions of the backup' 2 5 \
	    "$(log_count 'servers_tried=[^ ]*main/c .*end=client.close')"
	peers_release second_at
	SECOND=
}

# Of four at most one: who may not be ejected is said to be in doubt, once.
not_too_many() {
	dead 'max_ejected_percent: 25,' a b c
	for _ in 1 2 3; do
		serves || fail 'the backup does not serve'
	done
	assert_eq 'ejected' 1 "$(log_count 'ejected for')"
	assert_eq 'in doubt' 2 "$(log_count 'too few other servers are left')"
}

# With nobody else it is tried by everybody, and no line is lost about it.
the_only_one() {
	second_start
	shuttled_start -l 127.0.0.1:0 -s "$SECOND" -w 2
	second_dies
	for _ in 1 2 3; do
		peer "connect $LISTEN; expect-eof"
	done
	assert_log "server $SECOND: connect: Connection refused; not ejected: too few"
	second_start
	serves || fail 'it is passed over'
	assert_log 'answers again'
	shuttled_stop
	assert_eq 'lines about it' 1 "$(log_count ': connect: ')"
	assert_eq 'refused sessions' 3 "$(log_count 'end=server.refused')"
	second_ends
}

run_cases dies_and_comes_back after_some_fails after_some_fails_of_one \
    beside_the_last_primary not_too_many the_only_one
