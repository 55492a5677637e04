#!/bin/sh
# SPDX-License-Identifier: ISC
# Copyright (c) 2026 The shuttled authors
#
# unavailable.sh: clients that come while no server of the pool can be used are
# held, in whichever worker, until one is up or their time is over.
. "$(dirname "$0")/../lib.sh"

DNS=${DNS:-$TOOLS/dns}

# place: an address at which nobody listens yet, in $PLACE.
place() {
	peer_refusing place
	PLACE=$(address place)
}

# server_comes: an echo is there now.
server_comes() {
	echo_at server "$PLACE"
	server=$!
}

server_goes() {
	kill -s KILL "$server"
	wait "$server" 2>/dev/null || :
	forget "$server"
	peers_release place
}

# start WORKERS POOL SERVER [TOP]: such a pool of one server.
start() {
	cat >"$T/conf" <<-END
		{ ${4:-}
		listen: { l: { address: "127.0.0.1:0" } },
		pool: { p: { $2 server: { s: { $3 } } } } }
	END
	shuttled_start -c "$T/conf" -w "$1" -v
}

# come NAME...: clients that speak, and want to be served; each is a session
# before the next one comes.
come() {
	for name; do
		begun=$(log_count 'session start')
		peer_start "$name" "connect $LISTEN; exchange 9 9 seed 1 seed 1;
		    half-close; expect-eof"
		wait_for 5 log_reaches $((begun + 1)) 'session start'
	done
}

# all_served NAME...: and nobody was refused.
all_served() {
	peer_wait "$@"
	shuttled_stop
	assert_not_log 'end=proxy'
	assert_not_log 'end=server'
	assert_eq 'sessions' $# "$(log_count 'end=client.close')"
}

# in_order: how many were served in the order of arrival, over all workers. Lines
# of different workers do not come in order; when a session was connected is when
# it started and how long that took, each to a ms.
in_order() {
	awk '/session (start|end) / {
		client = connect = ""
		for (i = 1; i <= NF; i++) {
			if (sub(/^client=/, "", $i))
				client = $i
			else if (sub(/^connect_ms=/, "", $i))
				connect = $i
		}
		split(substr($1, 12, 12), t, /[:.Z]/)
		if (connect == "") {
			at[client] = ((t[1] * 60 + t[2]) * 60 + t[3]) * 1000 + t[4]
			order[n++] = client
		} else
			at[client] += connect
	} END {
		for (i = 1; i < n; i++)
			good += at[order[i]] + 2 >= at[order[i - 1]]
		print good + 1
	}' "$T/log"
}

until_checks_find_it_up() {
	place
	start 4 'unavailable_timeout: "1m", check: { type: "tcp",
	    interval: "100ms", rise: 1 },' "address: \"$PLACE\","
	assert_log 'p/s: down'
	come a b c d e f
	server_comes
	all_served a b c d e f
	server_goes
}

# Without checks the first in the queue finds it, and the others follow it.
until_one_is_answered() {
	for pool in '' 'max_fails: 0,' 'max_fails: 3,'; do
		place
		start 4 "unavailable_timeout: \"1m\", $pool" \
		    "address: \"$PLACE\", max_sessions: 1,"
		come a b c d e f
		assert_not_log 'session end'
		server_comes
		all_served a b c d e f
		assert_eq 'in order' 6 "$(in_order)"
		server_goes
	done
}

until_a_name_has_an_address() {
	place
	say >"$T/zone"
	"$DNS" "$T/zone" >"$T/dns.out" 2>&1 </dev/null &
	dns=$!
	started="$started $!"
	wait_for 5 test -s "$T/dns.out"
	server_comes
	start 2 'unavailable_timeout: "1m", queue_timeout: "1m",' "resolve: \"on\",
	    address: \"www.test:${PLACE##*:}\"," "
	    resolvers: [\"$(head -n 1 "$T/dns.out")\"],
	    resolve_min_ttl: \"50ms\", resolve_max_ttl: \"100ms\","
	come a b c
	assert_not_log 'session end'
	say 'www.test A 1 127.0.0.1' >"$T/zone.new"
	mv "$T/zone.new" "$T/zone"
	all_served a b c
	server_goes
	kill "$dns"
	wait "$dns" 2>/dev/null || :
	forget "$dns"
}

# Those of a worker that is killed go with it; the others are served.
although_a_worker_dies() {
	DEATHS=wanted
	place
	start 2 'unavailable_timeout: "1m", max_queue: 4,' \
	    "address: \"$PLACE\","
	come a b c d
	victim=$(sed -n \
	    's/.* worker \([0-9]*\)\[.*session start.*/\1/p' "$T/log" | head -n 1)
	kill -s KILL "$(worker "$victim")"
	wait_for 10 log_has "worker $victim.* killed\|worker $victim.*signal"
	wait_for 10 workers_are 2
	# Its places in the queue are free again.
	lost=$(sed -n "s/.* worker $victim\\[.*session start.*/x/p" "$T/log" |
	    wc -l)
	for name in a b c d; do
		case $lost in
		[1-9]*) lost=$((lost - 1)); come "x$name" ;;
		esac
	done
	assert_not_log 'end=proxy.queue_full'
	server_comes
	for name in xa xb xc xd; do
		[ ! -e "$T/$name.out" ] || peer_wait "$name"
	done
	for name in a b c d; do
		peer_end "$name"
	done
	shuttled_stop
	DEATHS=
	server_goes
}

until_their_time_is_over() {
	place
	start 2 'unavailable_timeout: "300ms", max_queue: 1,' \
	    "address: \"$PLACE\","
	late_begin
	peer_start late "connect $LISTEN; expect-eof"
	wait_for 5 log_reaches 1 'session start'
	peer "connect $LISTEN; expect-eof"
	assert_log 'end=proxy.queue_full\|end=proxy.unavailable_timeout'
	peer_wait late
	late_end
	shuttled_stop
	assert_log 'servers_tried=[^ ]* .*end=proxy.unavailable_timeout'
	took=$(sed -n \
	    's/.*total_ms=\([0-9]*\) end=proxy.unavailable_timeout/\1/p' \
	    "$T/log" | sort -n | tail -n 1)
	# A request to connect that the network loses is sent again after 1 s.
	most=$((800 * TEST_SLOW + LATE))
	[ -z "${TEST_LOSSY-}" ] || most=20000
	assert_between 'ms until the end' 300 $most "$took"
}

# A queue that is full of connections is as good as a server that is silent.
all_attempts_together() {
	peer_silent silent
	start 2 'connect_timeout: "1h", retries: 3,' \
	    "address: \"$(address silent)\"," \
	    'connect_total_timeout: "300ms",'
	peer "connect $LISTEN; expect-eof"
	assert_log 'end=proxy.connect_total_timeout'
	assert_log 'p/s: connect: Connection timed out'
}

run_cases until_checks_find_it_up until_one_is_answered \
    until_a_name_has_an_address although_a_worker_dies \
    until_their_time_is_over all_attempts_together
