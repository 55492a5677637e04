#!/bin/sh
# SPDX-License-Identifier: ISC
# Copyright (c) 2026 The shuttled authors
#
# queue.sh: a server has no more sessions than it may, however many workers
# there are and whatever becomes of them; the others wait, first come first
# served.
. "$(dirname "$0")/../lib.sh"

CROWD=$TOOLS/crowd

# crowd HOW N: at a server that takes one at a time. What it saw: $T/crowd. All
# come before the first is served, and no two workers have room for all.
crowd() {
	rm -f "$T/crowd" "$T/ports"
	"$CROWD" "$1" "$2" "$T/ports" "$T/log" >"$T/crowd" \
	    2>"$T/crowd.err" </dev/null &
	crowd_pid=$!
	started="$started $crowd_pid"
	wait_for 5 test -s "$T/crowd"
	shuttled_start -l 127.0.0.1:0 -w 4 -v --connect-timeout 60s \
	    --max-sessions-per-worker $(($2 / 3 + 1)) \
	    -s "$(cat "$T/crowd"),max_sessions=1"
	reap "$crowd_pid" 40
	cat "$T/crowd.err"
	assert_eq 'status of the crowd' 0 "$STATUS"
}

# workers_that PATTERN: how many have such a line.
workers_that() {
	sed -n "s/.* worker \\([0-9]*\\)\\[.*$1.*/\\1/p" "$T/log" | sort -u |
	    wc -l
}

never_more_than_one() {
	n=$(within 200 2)
	crowd storm "$n"
	assert_eq 'what the server saw' "most=1 answers=$n refused=0" \
	    "$(sed -n 's/ inversions.*//p' "$T/crowd")"
	assert_between 'workers that took part' 2 4 \
	    "$(workers_that 'session start')"
	shuttled_stop
	assert_eq 'sessions served' "$n" "$(log_count 'end=[a-z]*[.]close')"
}

# A worker that has not run for 200 ms is passed over, with the first of those who
# wait in it. That happens only where others are kept from running, too.
in_the_order_of_arrival() {
	n=$(within 200 2)
	late_begin
	crowd order "$n"
	late_end
	passed_over=0
	[ "$LATE" -lt 200 ] || passed_over=$((n / 20))
	assert_eq 'what the server saw' "most=1 answers=$n refused=0" \
	    "$(sed -n 's/ inversions.*//p' "$T/crowd")"
	assert_between inversions 0 $passed_over \
	    "$(sed -n 's/.* inversions=//p' "$T/crowd")"
	assert_between 'workers that took part' 2 4 \
	    "$(workers_that 'session start')"
}

# one_place LINE...: one server that takes one at a time, in a pool with these
# directives, and $top for all; the one client that has it is called holder.
top=
one_place() {
	echo_start
	{
		printf '{ %s\n' "$top"
		printf 'listen: { main: { address: "127.0.0.1:0" } },\n'
		printf 'pool: { main: {\n'
		printf '%s\n' "$@"
		printf 'server: { a: { address: "%s", max_sessions: 1 } }\n' \
		    "$SERVER"
		printf '} } }\n'
	} >"$T/conf"
	rm -f "$T"/*.go "$T"/*.has
	shuttled_start -c "$T/conf" -w 4 -v
	want holder
	wait_for 5 test -e "$T/holder.has"
}

# want NAME: a client that speaks, and goes when $T/NAME.go is there. Returns
# once it is a session; $T/NAME.has says that it was served.
want() {
	begun=$(log_count 'session start')
	peer_start "$1" "connect $LISTEN; exchange 9 9 seed 1 seed 1;
	    touch $T/$1.has; wait-file $T/$1.go; half-close; expect-eof"
	wait_for 5 log_reaches $((begun + 1)) 'session start'
}

# want_elsewhere NAME PID...: in another worker than these.
want_elsewhere() {
	wanted=$1
	shift
	kill -s STOP "$@"
	want "$wanted"
	kill -s CONT "$@"
}

# goes NAME: it has been served, and ends.
goes() {
	wait_for 5 test -e "$T/$1.has"
	: >"$T/$1.go"
	peer_wait "$1"
}

waits() {
	[ ! -e "$T/$1.has" ] || fail "$1 was served"
}

# worker_of N: the pid of the worker that has the N-th session.
worker_of() {
	sed -n 's/.* worker [0-9]*\[\([0-9]*\)\] debug: session start.*/\1/p' \
	    "$T/log" | sed -n "$1p"
}

too_long_and_too_many() {
	one_place 'queue_timeout: "700ms", max_queue: 1,'
	late_begin
	peer_start late "connect $LISTEN; expect-eof"
	wait_for 5 log_reaches 2 'session start'
	peer "connect $LISTEN; expect-eof"
	assert_log 'servers_tried=- .*end=proxy.queue_full'
	assert_eq 'ends by time' 0 "$(log_count 'end=proxy.queue_timeout')"
	peer_wait late
	late_end
	assert_log 'servers_tried=- .*end=proxy.queue_timeout'
	took=$(sed -n 's/.*total_ms=\([0-9]*\) end=proxy.queue_timeout/\1/p' \
	    "$T/log")
	assert_between 'ms until the end' 700 \
	    $((1200 * TEST_SLOW + LATE)) "$took"
	goes holder
}

# A client that waits uses next to nothing of any CPU.
waiting_is_cheap() {
	one_place 'queue_timeout: "30s",'
	want next
	# shellcheck disable=SC2046 # a list
	before=$(cpu_ticks $(worker_pids))
	sleep 0.5
	# shellcheck disable=SC2046 # a list
	after=$(cpu_ticks $(worker_pids))
	slow || assert_between 'ticks of 10 ms in 0.5 s' 0 8 $((after - before))
	waits next
	goes holder
	goes next
}

# Who waits has the place of a session that died with its worker.
the_holder_is_killed() {
	DEATHS=wanted
	one_place 'queue_timeout: "30s",'
	want_elsewhere next "$(worker_of 1)"
	waits next
	kill -s KILL "$(worker_of 1)"
	peer_end holder
	goes next
	want another
	goes another
	shuttled_stop
	DEATHS=
}

# What a dead worker had waiting does not keep the others.
one_that_waits_is_killed() {
	DEATHS=wanted
	one_place 'queue_timeout: "30s",'
	want_elsewhere first "$(worker_of 1)"
	victim=$(worker_of 2)
	want_elsewhere second "$(worker_of 1)" "$victim"
	kill -s KILL "$victim"
	peer_end first
	goes holder
	goes second
	want another
	goes another
	shuttled_stop
	DEATHS=
}

# It was first, and is again when it goes on; meanwhile others are served.
one_that_waits_is_stopped() {
	one_place 'queue_timeout: "30s",'
	want_elsewhere first "$(worker_of 1)"
	victim=$(worker_of 2)
	want_elsewhere second "$(worker_of 1)" "$victim"
	kill -s STOP "$victim"
	goes holder
	wait_for 5 test -e "$T/second.has"
	waits first
	kill -s CONT "$victim"
	goes second
	goes first
}

# reload_all: none of the four workers before it accepts any more.
reload_all() {
	signal HUP
	assert_log 'reloaded'
	wait_for 5 log_reaches 4 'worker .*notice: draining'
}

# Both generations stand in one queue.
reload_while_they_wait() {
	one_place 'queue_timeout: "30s",'
	want before
	reload_all
	want after
	goes holder
	wait_for 5 test -e "$T/before.has"
	waits after
	goes before
	goes after
	wait_for 10 workers_are 4
}

# Who waits in the workers before a reload cannot go to a server that came with
# it, and does not keep others from it.
reload_adds_a_server() {
	one_place 'queue_timeout: "30s",'
	want before
	sed 's/server: {/& b: { address: "'"$SERVER"'", max_sessions: 1 },/' \
	    "$T/conf" >"$T/conf.new"
	mv "$T/conf.new" "$T/conf"
	reload_all
	want filler
	wait_for 5 test -e "$T/filler.has"
	want after
	waits after
	goes filler
	goes after
	waits before
	goes holder
	goes before
	wait_for 10 workers_are 4
}

# A session at the address that a server had is none of the new one's, and one
# of it again when it is back there.
reload_moves_the_server() {
	one_place 'queue_timeout: "30s",'
	echo_at echo2 "127.0.0.2:${SERVER##*:}"
	cp "$T/conf" "$T/conf.before"
	sed "s/$SERVER/127.0.0.2:${SERVER##*:}/" "$T/conf" >"$T/conf.new"
	mv "$T/conf.new" "$T/conf"
	reload
	want moved
	goes moved
	mv "$T/conf.before" "$T/conf"
	reload 2
	want back
	waits back
	goes holder
	goes back
}

# Who has asked already reads end of file, not a reset.
life_ends_in_the_queue() {
	top="max_lifetime: \"$((700 * TEST_SLOW))ms\", lifetime_jitter: 0,"
	one_place 'queue_timeout: "1m",'
	top=
	peer "connect $LISTEN; send-text \"question\"; expect-eof"
	assert_log 'servers_tried=- .*end=proxy.max_lifetime'
	goes holder
}

# One that refused is not asked by everybody while the other is only full.
a_full_one_before_an_ejected_one() {
	peer_refusing r
	one_place 'queue_timeout: "30s", eject_time: "1m", retries: 1,' \
	    'balance: "first",'
	sed 's/server: {/& r: { address: "'"$(address r)"'" },/' \
	    "$T/conf" >"$T/conf.new"
	mv "$T/conf.new" "$T/conf"
	reload_all
	for name in one two three; do
		want $name
		waits $name
	done
	goes holder
	for name in one two three; do
		goes $name
	done
	shuttled_stop
	peers_release r
	assert_eq 'who tried the one that refuses' 1 \
	    "$(log_count 'servers_tried=main/r')"
}

# A worker that drains serves who waits in it.
quit_while_they_wait() {
	one_place 'queue_timeout: "30s",'
	want next
	signal QUIT
	assert_log 'draining'
	waits next
	goes holder
	goes next
	shuttled_ended 0
}

run_cases never_more_than_one in_the_order_of_arrival too_long_and_too_many \
    waiting_is_cheap the_holder_is_killed one_that_waits_is_killed \
    one_that_waits_is_stopped reload_while_they_wait reload_adds_a_server \
    reload_moves_the_server life_ends_in_the_queue a_full_one_before_an_ejected_one \
    quit_while_they_wait
