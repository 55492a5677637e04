#!/bin/sh
# SPDX-License-Identifier: ISC
# Copyright (c) 2026 The shuttled authors
#
# reload.sh: HUP. A new generation of workers takes over, the one before serves
# its sessions to their end, and no connection is lost on the way.
. "$(dirname "$0")/../lib.sh"

# descriptors PID
descriptors() {
	find "/proc/$1/fd" -type l | wc -l
}

# has_descriptors N: the master, for wait_for.
has_descriptors() {
	[ "$(descriptors "$PID")" -eq "$1" ]
}

# What is open stays open, byte for byte, over many generations.
long_sessions_stay() {
	echo_behind -w 2
	listens=$(listener 1)
	load_keep kept 8
	before=$(descriptors "$PID")
	reload 5
	assert_log 'reloaded: generation 6 has 2 workers, 1 listener, 1 server;'
	load_keep more 8
	reload 5
	serves || fail 'it does not serve'
	assert_eq address "$listens" "$(listener 1)"
	load_end_ok kept 8
	load_end_ok more 8
	wait_for 5 workers_are 2
	assert_eq 'descriptors of the master' "$before" "$(descriptors "$PID")"
}

# Clients come and go all the time; workers are killed in between, since that
# must not keep a generation from ending. load counts everything that fails.
under_load() {
	echo_behind -w 3
	load_start busy -c 20
	reload 8
	load_end_ok busy 0
	wait_for 5 workers_are 3
	assert_eq 'sessions lost' 0 "$(log_count ' [1-9][0-9]* sessions* lost')"
	say "$(grep '^loop' "$T/busy.out")"
}

# Signals faster than reloads: they melt together, none is left half done.
many_at_once() {
	echo_behind -w 2
	load_start busy -c 8
	for name in HUP USR1 HUP TTIN HUP HUP CHLD HUP TTIN HUP USR1 HUP; do
		signal $name
	done
	wait_for 15 log_has 'reloaded: generation'
	reload
	load_end_ok busy 0
}

# WINCH takes all workers away; HUP brings them back.
winch_and_back() {
	echo_behind -w 2
	signal WINCH
	wait_for 5 workers_are 0
	load_start waiting -k 5
	wait_for 5 load_is waiting connected
	reload
	load_wait waiting
	load_end_ok waiting 5
	workers_are 2 || fail "there are $(living_workers) workers"
}

# A worker of the old generation that is stopped holds nothing up.
stopped_worker() {
	echo_behind -w 2
	stopped=$(worker 1)
	kill -STOP "$stopped"
	reload
	serves || fail 'it does not serve'
	kill -CONT "$stopped"
	wait_for 5 gone "$stopped"
	wait_for 5 workers_are 2
}

# A new generation that cannot start is undone. Without descriptors for a single
# session workers say so and end; those that run have theirs already.
new_workers_fail() {
	command -v prlimit >/dev/null || return 0
	echo_behind -w 2
	load_keep kept 4
	DEATHS=wanted
	prlimit --pid "$PID" --nofile=15:15
	signal HUP
	wait_for 15 log_has 'reload: worker [0-9]*[: ].*; the .* stays in use'
	serves || fail 'it does not serve'
	wait_for 5 workers_are 2
	assert_eq 'generations that drain' 0 "$(log_count 'draining')"
	load_end_ok kept 4
	shuttled_stop
	DEATHS=
}

# Of some new workers there are descriptors, for the others not: the first must
# have taken no client by then, and none of them stays.
some_workers_fail() {
	command -v prlimit >/dev/null || return 0
	echo_behind -w 24 --buffers 1
	load_start busy -c 32
	before=$(descriptors "$PID")
	hard=$(prlimit --pid "$PID" --nofile --output HARD --noheadings)
	for i in 1 2 3; do
		DEATHS=wanted
		# Those of the last attempt are buried one by one.
		wait_for 5 has_descriptors "$before"
		prlimit --pid "$PID" --nofile=$((before + 21)):
		signal HUP
		wait_for 15 log_reaches "$i" \
		    'reload: worker [0-9]*: .*; the .* stays in use'
	done
	prlimit --pid "$PID" --nofile="${hard% }:"
	# Nor is any of them still to come: that would be one more than this.
	signal TTIN
	wait_for 5 log_has 'workers: 25 (+1)'
	signal TTOU
	load_end_ok busy 0
	wait_for 5 workers_are 24
	assert_eq 'sessions lost' 0 "$(log_count ' [1-9][0-9]* sessions* lost')"
	reload
	wait_for 5 workers_are 24
	shuttled_stop
	DEATHS=
}

# conf TEXT...: the configuration from now on, beside the pool.
conf() {
	{
		say "$@"
		say "pool: { p: { server: { s: { address: \"$SERVER\" } } } }"
	} >"$T/conf.new"
	mv "$T/conf.new" "$T/conf"
}

# What comes is opened, what goes is closed, what is wrong changes nothing.
listeners_come_and_go() {
	echo_start
	conf 'listen: { a: { address: "127.0.0.1:0" },' \
	    "b: { address: [\"127.0.0.1:0\", \"unix:$T/b\"] } }"
	shuttled_start -c "$T/conf" -w 2
	goes=$(listener 2)
	load_keep kept 4
	conf 'listen: { a: { address: "127.0.0.1:0" },' \
	    "c: { address: \"unix:$T/c\" } }"
	reload
	assert_log "master.*: listening on unix:$T/c"
	assert_log "no longer listening on $goes"
	[ ! -e "$T/b" ] || fail 'the path of b was left'
	assert_eq ports "$LISTEN unix:$T/c" "$(tr '\n' ' ' <"$T/ports" |
	    sed 's/ $//')"
	try_peer "connect-refused $goes" || fail "somebody is at $goes"
	try_peer "connect unix:$T/c; exchange 10 10 seed 1 seed 1" ||
		fail 'nobody is at c'
	conf 'listen: { a: { address: "127.0.0.1:0" },' \
	    'd: { address: "192.0.2.1:1" } }'
	signal HUP
	wait_for 15 log_has 'reload: listen on 192.0.2.1:1: .*stays in use'
	conf 'listen: { a: { adress: "127.0.0.1:0" } }'
	signal HUP
	wait_for 15 log_has 'reload: .*/conf:1:[0-9]*: there is no directive adress'
	[ -S "$T/c" ] || fail 'the path of c is gone'
	serves || fail 'it does not serve'
	load_end_ok kept 4
	shuttled_stop
	[ ! -e "$T/c" ] || fail 'the path of c was left'
}

# Of those that ask for the same address each keeps its port.
listeners_that_are_equal() {
	SERVER=builtin:echo
	conf 'listen: { a: { address: ["127.0.0.1:0", "127.0.0.1:0"] },' \
	    'b: { address: "127.0.0.1:0" } }'
	shuttled_start -c "$T/conf" -w 1
	before=$(cat "$T/ports")
	reload
	assert_eq 'ports after a reload' "$before" "$(cat "$T/ports")"
	conf 'listen: { a: { address: ["127.0.0.1:0", "127.0.0.1:0"] } }'
	reload
	assert_eq 'ports of those that are left' \
	    "$(say "$before" | head -n 2)" "$(cat "$T/ports")"
	try_peer "connect-refused $(say "$before" | sed -n 3p)" ||
		fail 'the one that went is open'
	conf 'listen: { a: { address: ["127.0.0.1:0", "127.0.0.1:0",' \
	    '"127.0.0.1:0", "127.0.0.1:0"] } }'
	reload
	assert_eq 'ports of those that stay' \
	    "$(say "$before" | head -n 2)" "$(head -n 2 "$T/ports")"
	assert_eq 'ports that differ' 4 "$(sort -u "$T/ports" | wc -l)"
	for i in 1 2 3 4; do
		LISTEN=$(listener $i)
		serves || fail "listener $i does not serve"
	done
}

# What cannot be read, or is no file any more, changes nothing and ends nothing:
# in the place of the file itself, of one that it includes, and of a list.
files_that_cannot_be_read() {
	echo_start
	say 'workers: 2' >"$T/part"
	say '10.0.0.0/8' >"$T/list"
	conf "include: part
listen: { a: { address: \"127.0.0.1:0\", deny: [\"file:list\"] } }"
	shuttled_start -c "$T/conf"
	load_keep kept 4
	n=0
	for file in conf part list; do
		mv "$T/$file" "$T/right"
		for wrong in mem fifo directory socket nul missing; do
			n=$((n + 1))
			case $wrong in
			mem) ln -s /proc/self/mem "$T/$file" ;;
			fifo) mkfifo "$T/$file" ;;
			directory) mkdir "$T/$file" ;;
			socket) ln -s /dev/zero "$T/$file" ;;
			nul) printf 'a\0b' >"$T/$file" ;;
			esac
			signal HUP
			wait_for 10 log_reaches $n \
			    'reload: the configuration has errors; .* stays in use'
			alive "$PID" || fail "$file, $wrong: the master ended"
			rm -rf "${T:?}/$file"
		done
		mv "$T/right" "$T/$file"
	done
	serves || fail 'it does not serve'
	reload
	load_end_ok kept 4
}

# Who waits at a listener that goes is served before it is closed; here by a
# worker that did not get to it earlier.
the_queue_of_one_that_goes() {
	echo_start
	conf 'workers: 1
listen: { a: { address: "127.0.0.1:0" },' \
	    'b: { address: "127.0.0.1:0" } }'
	shuttled_start -c "$T/conf"
	LISTEN=$(listener 2)
	stopped=$(worker 1)
	kill -STOP "$stopped"
	load_start waiting -k 12
	wait_for 5 load_is waiting connected
	conf 'workers: 1
listen: { a: { address: "127.0.0.1:0" } }'
	reload
	! load_is waiting ready || fail 'who served them?'
	kill -CONT "$stopped"
	load_wait waiting
	load_end_ok waiting 12
	wait_for 5 gone "$stopped"
	refuses || fail 'somebody is still there'
}

# The pidfile stays, and that is said as long as it is so; the ports file moves.
files_change() {
	echo_start
	conf "listen: { a: { address: \"127.0.0.1:0\" } }
workers: 1
log: $T/log
ports_file: $T/ports1
pidfile: $T/p1"
	"$SHUTTLED" -c "$T/conf" || fail 'it does not start'
	PID=$(cat "$T/p1")
	also_end "$PID"
	conf "listen: { a: { address: \"127.0.0.1:0\" } }
workers: 1
log: $T/log
ports_file: $T/ports2
pidfile: $T/p2"
	reload 2
	assert_eq warnings 2 "$(log_count "pidfile stays $T/p1 until a restart")"
	[ ! -e "$T/ports1" ] || fail 'the ports file of before was left'
	[ -s "$T/ports2" ] || fail 'there is no new ports file'
	signal QUIT
	wait_for 15 gone "$PID"
	forget "$PID"
	[ ! -e "$T/p1" ] || fail 'the pidfile was left'
	[ ! -e "$T/ports2" ] || fail 'the ports file was left'
}

# An old generation that has a time is ended then, and says why.
reload_timeout() {
	echo_behind -w 1 --reload-timeout 300ms
	load_keep kept 3 -x
	reload
	wait_for 5 log_has 'reload timeout: 3 sessions left, the oldest'
	serves || fail 'it does not serve'
	wait_for 15 log_reaches 3 'end=proxy.drain'
	wait_for 5 workers_are 1
	load_end kept
	assert_eq 'kept ones that were ended' 3 \
	    "$(load_count kept kept reset cut)"
}

# Workers that drain do not serve the builtin servers of sessions that are not
# theirs: those would end with the drain.
builtins_of_workers_that_drain() {
	shuttled_start -l 127.0.0.1:0 -s builtin:echo -w 1 --reload-timeout 1s
	load_keep old 1 -x
	reload
	load_keep new 20
	wait_for 10 log_has 'end=proxy.drain'
	wait_for 5 workers_are 1
	load_end old
	load_end_ok new 20
	assert_eq 'sessions that were ended' 1 "$(log_count 'end=proxy.drain')"
}

# One of before that is stopped keeps no time: it is killed a little later.
reload_timeout_of_one_that_is_stopped() {
	echo_start
	conf "max_generations: ${1:-0}
reload_timeout: ${2:-300ms}"
	shuttled_start -c "$T/conf" -l 127.0.0.1:0 -w 1
	load_keep kept 3 -x
	stopped=$(worker 1)
	kill -STOP "$stopped"
	wait_for 5 log_has "worker 1 pid $stopped is stopped"
	DEATHS=wanted
	reload
	wait_for 15 log_has "worker 1 pid $stopped does not end: killing it"
	wait_for 5 gone "$stopped"
	serves || fail 'it does not serve'
	load_end kept
	shuttled_stop
	DEATHS=
}

max_generations_of_one_that_is_stopped() {
	reload_timeout_of_one_that_is_stopped 1 off
}

# Reloads that follow each other faster than drains end: those that end already
# are no longer too many, each of the others has its turn.
max_generations_in_a_row() {
	echo_start
	conf 'max_generations: 2'
	shuttled_start -c "$T/conf" -l 127.0.0.1:0 -w 1
	for i in 1 2 3 4; do
		load_keep "kept$i" 1 -x
		reload
	done
	wait_for 5 log_reaches 4 'max_generations: .* at the next reload'
	wait_for 15 workers_are 2
	for i in 1 2 3; do
		load_end "kept$i"
		assert_eq "generations $i that were ended" 1 "$(log_count \
		    "max_generations: 3 of at most 2 .* generation $i, .*within")"
		assert_eq "sessions $i that were ended" 1 \
		    "$(load_count "kept$i" kept reset cut)"
	done
	assert_eq 'sessions that were ended' 3 "$(log_count 'end=proxy.drain')"
	load_end kept4
}

# The oldest goes when there are too many, and it is said one reload before.
max_generations() {
	echo_start
	conf 'max_generations: 2'
	shuttled_start -c "$T/conf" -l 127.0.0.1:0 -w 1
	load_keep first 2 -x
	reload
	assert_log 'max_generations: 2 of at most 2 .* 1 worker with 2 sessions, is ended at the next reload'
	load_keep second 3 -x
	reload
	assert_log 'max_generations: 3 of at most 2 .* with 2 sessions, is ended within 5 s'
	serves || fail 'it does not serve'
	wait_for 15 log_reaches 2 'end=proxy.drain'
	wait_for 5 workers_are 2
	load_end first
	assert_eq 'sessions of the oldest that were ended' 2 \
	    "$(load_count first kept reset cut)"
	assert_eq 'sessions that were ended' 2 "$(log_count 'end=proxy.drain')"
	load_end second
}

# The one of the end begins with the end, for all generations.
drain_timeout() {
	echo_behind -w 1 --drain-timeout 300ms
	load_keep kept 3 -x
	reload
	signal TTIN
	signal TTOU
	signal WINCH
	reload
	wait_for 5 workers_are 2
	sleep 1
	load_keep busy 3 -x
	workers_are 2 || fail 'a reload has ended sessions'
	assert_eq 'sessions that were ended' 0 "$(log_count 'end=proxy.drain')"
	signal QUIT
	shuttled_ended 0 5
	assert_eq 'sessions that were ended' 6 "$(log_count 'end=proxy.drain')"
	load_end kept
	load_end busy
}

without_master() {
	shuttled_start -l 127.0.0.1:0 -s builtin:echo -w 0
	signal HUP
	assert_log 'reload: not without a master'
	serves || fail 'it does not serve'
}

run_cases long_sessions_stay under_load many_at_once winch_and_back \
    stopped_worker reload_timeout builtins_of_workers_that_drain reload_timeout_of_one_that_is_stopped \
    max_generations max_generations_of_one_that_is_stopped \
    max_generations_in_a_row drain_timeout without_master
[ -n "$SHUTTLED_WRAP" ] || run_cases listeners_come_and_go \
    listeners_that_are_equal files_that_cannot_be_read \
    the_queue_of_one_that_goes files_change new_workers_fail
# Dozens of processes are too many where each is large.
[ -n "$SHUTTLED_WRAP" ] || instrumented || run_cases some_workers_fail
