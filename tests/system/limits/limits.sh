#!/bin/sh
# SPDX-License-Identifier: ISC
# Copyright (c) 2026 The shuttled authors
#
# limits.sh: however many workers there are, and whatever becomes of them, there
# are no more sessions than may be: in all, of a listener, from one address; nor
# do more come in a second. Each refusal says why.
. "$(dirname "$0")/../lib.sh"

FLOOD=$TOOLS/flood

# Times in the log are of the turn of the loop: a decision is a little later, or
# more than a little, where a worker is kept waiting. So it is not asked of a
# whole second here; tests/unit/board/test_rate.c does that.
SECOND=500
LONG_SECOND=1250

# conf TOP LINE...: one listener with these directives, before $SERVER; and
# before it another, if $OTHER says so.
OTHER=
conf() {
	{
		printf '{ %s\nlisten: { %s web: { address: "127.0.0.1:0",\n' \
		    "$1" "$OTHER"
		shift
		printf '%s\n' "$@"
		printf '} },\npool: { main: { server: { a: { address: "%s" } },\n' \
		    "$SERVER"
		printf 'retries: 0, max_fails: 0 } } }\n'
	} >"$T/conf.new"
	mv "$T/conf.new" "$T/conf"
}

# flood_start CLIENTS SOURCES MS: the server is $SERVER.
flood_start() {
	rm -f "$T/flood" "$T/ports"
	"$FLOOD" "$1" "$2" "$3" "$T/ports" >"$T/flood" \
	    2>"$T/flood.err" </dev/null &
	flood_pid=$!
	started="$started $flood_pid"
	wait_for 5 test -s "$T/flood"
	SERVER=$(cat "$T/flood")
}

flood_end() {
	reap "$flood_pid" 60
	cat "$T/flood.err"
	assert_eq 'status of the flood' 0 "$STATUS"
	say "flood: $(tail -n 1 "$T/flood")"
}

# seen WHAT: what the flood saw.
seen() {
	tail -n 1 "$T/flood" | tr ' ' '\n' | sed -n "s/^$1=//p"
}

# most_within MS: the most sessions that were let in within this time, by the
# log: when they ended, less what they took.
most_within() {
	sed -n 's/^[^T]*T\(..\):\(..\):\(..\)\.\(...\)Z .*servers_tried=main.* total_ms=\([0-9]*\) .*/\1 \2 \3 \4 \5/p' \
	    "$T/log" |
	    awk '{ print (($1 * 60 + $2) * 60 + $3) * 1000 + $4 - $5 }' |
	    sort -n | awk -v ms="$1" '
		{
			at[NR] = $1
			while (at[NR] - at[before + 1] >= ms)
				before++
			if (NR - before > most)
				most = NR - before
		}
		END { print most + 0 }'
}

refusals() {
	log_count "servers_tried=- .*end=proxy[.]$1"
}

# Everybody who was refused was told so in the log, and for a reason that there
# is; whose client has gone before is not counted as refused by it.
refused_for() {
	sum=0
	for reason in "$@"; do
		n=$(refusals "$reason")
		[ "$n" -gt 0 ] || fail "nobody was refused for $reason"
		sum=$((sum + n))
	done
	assert_eq 'refusals in the log' "$(seen refused)" "$sum"
	assert_eq 'other refusals' "$sum" "$(log_count 'servers_tried=- ')"
}

# 1,000 clients of 50 addresses, of which 5 are wanted most; fewer where there
# are no descriptors for both ends of all.
never_more() {
	n=$(within 1000 2)
	rate=$((n < 200 ? n / 2 : 100))
	flood_start "$n" 50 2500
	conf '' "max_sessions_per_client: 5, session_rate: $rate,"
	shuttled_start -c "$T/conf" -w 4
	flood_end
	assert_eq 'sessions of one address' 5 "$(seen most)"
	assert_between 'sessions' $rate $((rate * 4)) "$(seen answers)"
	shuttled_stop
	assert_between "sessions in $SECOND ms" 1 $rate "$(most_within $SECOND)"
	# Whoever was refused by the rate has seen that many in the second before,
	# or of its 17 slices in all but the one that goes on.
	refused_for client_full session_rate
	assert_between "sessions in $LONG_SECOND ms" $((rate * 9 / 10)) \
	    $((rate * 2)) "$(most_within $LONG_SECOND)"
	assert_between 'workers that took part' 2 4 \
	    "$(sed -n 's/.* worker \([0-9]*\)\[.*end=.*/\1/p' "$T/log" |
	    sort -u | wc -l)"
}

in_all_and_by_source() {
	flood_start "$(within 400 2)" 50 1500
	conf 'max_sessions: 40,' \
	    'max_sessions: 30, session_rate_per_client: 10,'
	shuttled_start -c "$T/conf" -w 4
	flood_end
	assert_eq 'sessions in all' 30 "$(seen most_in_all)"
	shuttled_stop
	refused_for listener_full client_rate
	flood_start "$(within 200 2)" 50 0
	conf 'max_sessions: 40,' ''
	shuttled_start -c "$T/conf" -w 4
	flood_end
	assert_between 'sessions' 38 40 "$(seen answers)"
	shuttled_stop
	refused_for max_sessions
}

# fill: of 6 clients from each of $sources addresses 5 are served.
fill() {
	flood_end
	assert_eq 'sessions of one address' 5 "$(seen most)"
	# Two who race for the last place may both be refused: seldom.
	assert_between 'sessions' $((sources * 5 - 5)) $((sources * 5)) \
	    "$(seen answers)"
	assert_eq 'clients' $((sources * 6)) \
	    $(($(seen answers) + $(seen refused)))
}

# again HOW: one client comes $TIMES times, one after the other, and ends each
# session like this; it is always served, although another worker may not have
# read the end of its last session when it comes.
TIMES=$(rounds "${AGAIN_TIMES:-40}")
again() {
	"$TOOLS/load" -c 1 -n "$TIMES" -b 1 -T 30000 -e "$1" "$LISTEN" \
	    >"$T/again.out" 2>&1 || cat "$T/again.out"
	say "$which, $workers workers, $1: $(cat "$T/again.out")"
	assert_eq "served ($which, $workers workers, $1)" "$TIMES" \
	    "$(load_count again loop ok)"
}

# one_at_a_time TOP LISTENER SERVER POOL HOW...: with one of these limits, which
# is 1, also when the client is another each time; two at once are too many.
one_at_a_time() {
	which="$1$2$3"
	cat >"$T/conf" <<-END
		{ $1
		listen: { web: { address: "127.0.0.1:0", $2 } },
		pool: { main: { $4 server: { a: {
		    address: "$SERVER", $3 } } } } }
	END
	shift 4
	for workers in ${AGAIN_WORKERS:-1 16}; do
		shuttled_start -c "$T/conf" -w "$workers"
		for how in "$@"; do
			again "$how"
		done
		holder one 127.0.1.1
		began=$(now_ms)
		peer "connect $LISTEN 127.0.1.1:0; expect-eof"
		assert_between 'ms until the refusal' 16 $((6000 * TEST_SLOW)) \
		    $(($(now_ms) - began))
		goes one
		shuttled_stop
	done
}

one_after_the_other() {
	echo_start
	one_at_a_time '' 'max_sessions_per_client: 1,' '' '' close reset half
	one_at_a_time '' 'max_sessions: 1,' '' '' close
	one_at_a_time 'max_sessions: 1,' '' '' '' half
	one_at_a_time '' '' 'max_sessions: 1,' 'max_queue: 0,' close
	one_at_a_time '' '' 'max_sessions: 1,' \
	    'max_queue: 0, balance: "leastconn",' reset
}

# Workers die all the time; then everything can be had again.
after_deaths() {
	DEATHS=wanted
	n=$(within 600 2)
	flood_start "$n" 50 3000
	conf '' 'max_sessions_per_client: 5,'
	shuttled_start -c "$T/conf" -w 4
	for i in 1 2 3 4; do
		wait_for 5 log_reaches $((i * n / 24)) 'end=client.close'
		kill -s KILL "$(worker "$i")"
	done
	flood_end
	assert_eq 'sessions of one address' 5 "$(seen most)"
	assert_between 'sessions cut' 1 2000 "$(seen cut)"
	wait_for 10 workers_are 4
	# The same file, or it would not be the daemon's to remove.
	ln "$T/ports" "$T/ports.kept"
	sources=$(within 50 11)
	flood_start $((sources * 6)) "$sources" 0
	conf '' 'max_sessions_per_client: 5,'
	reload
	[ -e "$T/ports" ] || ln "$T/ports.kept" "$T/ports"
	fill
	shuttled_stop
	DEATHS=
}

# holder NAME ADDRESS: a client that has a session until $T/NAME.go is there.
holder() {
	rm -f "$T/$1.go" "$T/$1.has"
	peer_start "$1" "connect $LISTEN $2:0; exchange 9 9 seed 1 seed 1;
	    touch $T/$1.has; wait-file $T/$1.go; half-close; expect-eof"
	wait_for 5 test -e "$T/$1.has"
}

goes() {
	: >"$T/$1.go"
	peer_wait "$1"
}

# is_refused REASON ADDRESS
is_refused() {
	before=$(refusals "$1")
	peer "connect $LISTEN $2:0; expect-eof"
	wait_for 5 log_reaches $((before + 1)) "servers_tried=- .*end=proxy[.]$1"
}

# The sessions of the generation before count, and the new limits hold for all;
# one that was not there before knows how many there are already.
over_a_reload() {
	echo_start
	conf '' 'max_sessions_per_client: 2,'
	shuttled_start -c "$T/conf" -w 4
	holder one 127.0.1.1
	holder two 127.0.1.1
	is_refused client_full 127.0.1.1
	reload
	is_refused client_full 127.0.1.1
	goes one
	holder three 127.0.1.1
	is_refused client_full 127.0.1.1
	# Its name is what it is known by, not its place.
	OTHER="other: { address: \"unix:$T/other\" },"
	conf '' 'max_sessions_per_client: 2, max_sessions: 3,'
	reload
	is_refused client_full 127.0.1.1
	holder four 127.0.1.2
	is_refused listener_full 127.0.1.2
	conf 'max_sessions: 2,' ''
	reload
	is_refused max_sessions 127.0.1.3
	for name in two three four; do
		goes $name
	done
	shuttled_stop
	OTHER=
}

# Two listeners, one limit: over both, over a reload, and after a death.
shared_by_listeners() {
	echo_start
	cat >"$T/conf" <<-END
		limit: { both: { max_sessions_per_client: 2, max_sessions: 3 } }
		listen: { a: { address: "127.0.0.1:0", limit: "both" },
		    b: { address: "127.0.0.2:0", limit: "both",
		        max_sessions_per_client: 1 },
		    c: { address: "127.0.0.3:0" } }
		pool: { main: { server: { s: { address: "$SERVER" } } } }
	END
	shuttled_start -c "$T/conf" -w 4
	first=$LISTEN
	second=$(listener 2)
	third=$(listener 3)
	holder one 127.0.1.1
	LISTEN=$second
	holder two 127.0.1.1
	LISTEN=$first
	is_refused client_full 127.0.1.1
	reload
	is_refused client_full 127.0.1.1
	LISTEN=$second
	is_refused client_full 127.0.1.1
	holder three 127.0.1.2
	LISTEN=$first
	is_refused limit_full 127.0.1.3
	LISTEN=$third
	holder four 127.0.1.1
	goes one
	LISTEN=$first
	holder five 127.0.1.3
	is_refused limit_full 127.0.1.4
	DEATHS=wanted
	# shellcheck disable=SC2046 # a list
	kill -s KILL $(cat "/proc/$PID/task/$PID/children")
	wait_for 10 log_reaches 12 'info: ready: uid'
	wait_for 10 workers_are 4
	for name in two three four five; do
		peer_end $name
	done
	for name in one two three; do
		holder $name 127.0.1."$(printf %s "$name" | wc -c)"
	done
	is_refused limit_full 127.0.1.9
	for name in one two three; do
		goes $name
	done
	shuttled_stop
	DEATHS=
}

# Nobody is refused, and the log says who would have been, and for what.
only_said() {
	echo_start
	cat >"$T/conf" <<-END
		log_format: "session %{event} %{client_ip} end=%{end} dry_run=%{dry_run}"
		limit: { both: { session_rate: 2, dry_run: true } }
		listen: { a: { address: "127.0.0.1:0", limit: "both",
		    max_sessions_per_client: 1, dry_run: true } }
		pool: { main: { server: { s: { address: "$SERVER" } } } }
	END
	shuttled_start -c "$T/conf" -w 2
	holder one 127.0.1.1
	holder two 127.0.1.1
	assert_log 'listener a: dry_run: 127.0.1.1:[0-9]* would be refused: proxy.client_full'
	goes one
	goes two
	assert_log 'end=client.close dry_run=-'
	assert_log 'end=client.close dry_run=proxy.client_full'
	for _ in 1 2 3 4; do
		serves || fail 'it is refused'
	done
	assert_log 'would be refused: proxy.session_rate'
	sed -i '/max_sessions/s/true/false/' "$T/conf"
	reload
	holder one 127.0.1.1
	peer "connect $LISTEN 127.0.1.1:0; expect-eof"
	wait_for 5 log_has 'end=proxy.client_full dry_run=-'
	goes one
}

# another_master PID: the pidfile has its number; it is empty in between.
another_master() {
	PID=$(cat "$T/pid") && [ -n "$PID" ] && [ "$PID" != "$1" ]
}

over_an_upgrade() {
	echo_start
	conf 'max_sessions: 4,' 'max_sessions_per_client: 2,'
	shuttled_daemon -c "$T/conf" -w 2
	first=$PID
	holder one 127.0.1.1
	holder two 127.0.1.1
	signal USR2
	wait_for 15 another_master "$first"
	also_end "$PID"
	wait_for 15 log_has "process $PID serves"
	is_refused client_full 127.0.1.1
	goes one
	wait_for 5 log_has 'end=client.close'
	holder three 127.0.1.1
	is_refused client_full 127.0.1.1
	holder four 127.0.1.2
	holder five 127.0.1.2
	is_refused max_sessions 127.0.1.3
	for name in two three four five; do
		goes $name
	done
	daemon_stop QUIT
}

run_cases never_more one_after_the_other in_all_and_by_source after_deaths \
    over_a_reload shared_by_listeners only_said over_an_upgrade
