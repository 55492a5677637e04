#!/bin/sh
# SPDX-License-Identifier: ISC
# Copyright (c) 2026 The shuttled authors
#
# board.sh: there is room for many workers, servers, pools and listeners, and for
# several generations of them; and all workers of all generations call each
# other.
. "$(dirname "$0")/../lib.sh"

# One server that takes one at a time, and a way past it for sessions that stay.
# narrow WORKERS: the configuration.
narrow() {
	cat >"$T/conf" <<CONF
workers: $1
log_sessions: none
listen: {
	main: { address: "127.0.0.1:0", pool: "main" },
	wide: { address: "127.0.0.1:0", pool: "wide" },
}
pool: {
	main: { server: { a: { address: "$SERVER", max_sessions: 1 } } },
	wide: { server: { b: { address: "$SERVER" } } },
}
CONF
}

# reference_start: another shuttled with this configuration, which is not reloaded;
# in $REFERENCE it listens.
reference_start() {
	rm -f "$T/reference.ports"
	# shellcheck disable=SC2086 # these are lists
	$SHUTTLED_WRAP "$SHUTTLED" -F -L "$T/reference.log" \
	    --ports-file "$T/reference.ports" -c "$T/conf" $SHUTTLED_ARGS \
	    2>"$T/reference.err" </dev/null &
	reference=$!
	started="$started $reference"
	wait_for 10 test -s "$T/reference.ports"
	REFERENCE=$(sed -n 1p "$T/reference.ports")
}

reference_stop() {
	kill -s QUIT "$reference"
	wait_for 15 gone "$reference"
	wait "$reference" || :
	forget "$reference"
}

# beside_the_reference: of a hundred sessions that the other one serves at the same
# time, so many; of three measures the best.
beside_the_reference() {
	main=$LISTEN
	share=0
	for _ in 1 2 3; do
		load_start busy -c 8
		LISTEN=$REFERENCE
		load_start other -c 8
		LISTEN=$main
		sleep 0.3
		load_end busy
		load_end other
		load_all_ok busy 0
		load_all_ok other 0
		served=$(load_count busy loop ok)
		n=$((served * 100 / ($(load_count other loop ok) + 1)))
		[ "$n" -le "$share" ] || share=$n
	done
}

# stay NAME: a session that lasts, past the server that takes one at a time.
stay() {
	main=$LISTEN
	LISTEN=$(listener 2)
	load_keep "$1" 1
	LISTEN=$main
}

# About as many as where there was no reload, whatever else the machine does: they
# were a twentieth where a slot had no wakeup, 125 a second at most.
as_many() {
	beside_the_reference
	say "of 100 sessions elsewhere: $share ($1)"
	[ "$share" -ge 25 ] || fail "$share sessions $1, 100 elsewhere"
}

every_slot_has_a_bell() {
	echo_start
	narrow 2
	shuttled_start -c "$T/conf"
	reference_start
	stay first
	reload
	stay second
	reload
	as_many 'after two reloads'
	reference_stop
	narrow 8
	reload
	reference_start
	as_many 'with 8 workers'
	reference_stop
	for one in first second; do
		load_end_ok $one 1
	done
}

# Workers of five generations at once, each of the old with a session.
five_generations() {
	echo_start
	workers=$(within 64 24)
	shuttled_start -l 127.0.0.1:0 -s "$SERVER" -w "$workers" --buffers 1
	for n in 1 2 3 4; do
		# None takes a second one while another has none, or nearly so.
		load_keep "old$n" $((workers * 2))
		reload
	done
	serves || fail 'it does not serve'
	say "$(living_workers) workers"
	assert_between 'workers' $((workers * 3)) $((workers * 5)) \
	    "$(living_workers)"
	for n in 1 2 3 4; do
		load_end_ok "old$n" $((workers * 2))
	done
	wait_for 10 workers_are "$workers"
}

# renamed N: as many servers as that, all of them called otherwise.
renamed() {
	awk -v n="$1" -v server="$SERVER" 'BEGIN {
		print "listen: { main: { address: \"127.0.0.1:0\" } }"
		print "pool: { main: { server: {"
		for (i = 0; i < 3000; i++)
			printf "s%d-%d: { address: \"%s\" },\n", n, i, server
		print "} } }"
	}' >"$T/conf"
}

three_thousand_new_names() {
	echo_start
	renamed 0
	shuttled_start -w 1 -c "$T/conf"
	for n in 1 2 3 4 5; do
		load_keep "old$n" 1
		renamed "$n"
		reload
	done
	serves || fail 'it does not serve'
	for n in 1 2 3 4 5; do
		load_end_ok "old$n" 1
	done
}

# Each name has sixteen places, though nobody is known yet.
names_that_are_looked_up() {
	awk 'BEGIN {
		print "resolvers: 127.0.0.1:9\nworkers: 1"
		print "listen: { main: { address: \"127.0.0.1:0\" } }"
		print "pool: { main: { server: {"
		for (i = 0; i < 1000; i++)
			printf "s%d: { address: \"s%d.test:80\", " \
			    "resolve: \"on\" },\n", i, i
		print "} } }"
	}' >"$T/conf"
	shuttled_start -c "$T/conf"
	reload
	assert_log 'generation 2 has 1 worker, 1 listener, [0-9]*000 servers'
	shuttled_stop
	sed 's/resolve: "on"/&, resolve_max: 64/' "$T/conf" >"$T/more"
	shuttled_fails 78 -t -c "$T/more"
	grep -q 'more than 32768 servers; a name with resolve sets resolve_max' \
	    "$T/try.out" || fail "$(head -n 3 "$T/try.out")"
}

# many LISTENERS POOLS SERVERS: of each pool, the first of them answers.
many() {
	port=${SERVER##*:}
	awk -v l="$1" -v p="$2" -v s="$3" -v server="$SERVER" \
	    -v port="$port" 'BEGIN {
		print "workers: 2\nlog_sessions: none"
		print "listen: {"
		for (i = 0; i < l; i++)
			printf "l%d: { address: \"127.%d.%d.%d:%d\", " \
			    "pool: \"p%d\" },\n", i, 20 + i / 65536,
			    i / 256 % 256, i % 256, port, i % p
		print "}\npool: {"
		for (i = 0; i < p; i++) {
			printf "p%d: { server: {\n", i
			for (k = 0; k < s / p; k++)
				printf "s%d: { address: \"%s\" },\n", k, server
			print "} },"
		}
		print "}"
	}' >"$T/conf"
}

# As much as there can be, with as many listeners as there are descriptors for.
many_of_everything() {
	echo_start
	listeners=$(within 4096 2)
	many "$listeners" 4096 16384
	shuttled_does -t -c "$T/conf"
	shuttled_start -c "$T/conf"
	LISTEN=$(listener "$listeners")
	serves || fail 'it does not serve'
	reload
	assert_log "has 2 workers, $listeners listeners, 16384 servers"
	serves || fail 'it does not serve after a reload'
	shuttled_stop
	many 4097 1 1
	shuttled_try -t -c "$T/conf"
	grep -q 'more than 4096 listeners' "$T/try.out" ||
		fail "$(head -n 3 "$T/try.out")"
	many 1 4097 4097
	shuttled_try -t -c "$T/conf"
	grep -q 'more than 4096 pools' "$T/try.out" ||
		fail "$(head -n 3 "$T/try.out")"
}

# scribbled: everything that stands on the board is asked for by this.
scribbled() {
	cat >"$T/conf" <<CONF
workers: 3
log_sessions: none
max_sessions: 1000
check: tcp
listen: {
	main: { address: "127.0.0.1:0", pool: "main", max_sessions: 500,
	    max_sessions_per_client: 400, session_rate: 100000,
	    session_rate_per_client: 100000 },
	wide: { address: "127.0.0.1:0", pool: "wide" },
}
pool: {
	main: { balance: "leastconn", queue_timeout: "1s", server: {
		a: { address: "$SERVER", max_sessions: 50 },
		b: { address: "$SERVER", max_sessions: 50 },
	} },
	wide: { queue_timeout: "1s", server: {
		c: { address: "$SERVER", max_sessions: 1 } } },
}
CONF
}

# served_again WHEN: twenty in a row are, soon after a worker has gone mad: numbers
# are put right twice a second, and a client that was refused by one has been
# looked at for a second.
served_again() {
	from=$(now_ms)
	for which in 1 2; do
		LISTEN=$(listener $which)
		until serves; do
			[ $(($(now_ms) - from)) -lt $((2000 * TEST_SLOW)) ] ||
				fail "no client of listener $which is served" \
				    "$1: $(cat "$T/scribble")"
		done
		for _ in $(seq 10); do
			serves || fail "a client of listener $which is not" \
			    "served $1: $(cat "$T/scribble")"
		done
	done
	LISTEN=$(listener 1)
	say "served again after $(($(now_ms) - from)) ms, $1"
}

# scribble MS: with clients about.
scribble() {
	load_start about -c 4
	# shellcheck disable=SC2086 # there may be none
	"$TOOLS/scribble" "$PID" "$1" $SCRIBBLE_SEED \
	    >"$T/scribble" 2>&1 || fail "$(cat "$T/scribble")"
	# What became of these is not the question.
	# shellcheck disable=SC2154 # set by load_start
	kill "$load_about"
	wait "$load_about" || :
	forget "$load_about"
}

whatever_is_written() {
	echo_start
	scribbled
	shuttled_start -c "$T/conf"
	serves || fail 'it does not serve'
	load_keep kept 6
	for n in 1 2 3; do
		scribble 700
		served_again "after scribble $n"
	done
	assert_log 'warning: board: .* overwritten; restored'
	scribble 300
	reload
	served_again 'after a reload'
	scribble 300
	served_again 'again'
	assert_not_log 'ended: killed'
	load_end_ok kept 6
}

# A seed for the writer, from the environment: to see again what it saw.
SCRIBBLE_SEED=${SCRIBBLE_SEED:-}
run_cases every_slot_has_a_bell three_thousand_new_names \
    names_that_are_looked_up
run_cases whatever_is_written
# Hundreds of processes, or thousands of descriptors, are too many where each is
# large.
instrumented || run_cases five_generations many_of_everything
