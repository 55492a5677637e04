#!/bin/sh
# SPDX-License-Identifier: ISC
# Copyright (c) 2026 The shuttled authors
#
# reopen.sh: listeners that are open and that no client reaches: one was shut
# down, which any process that has it can do, or its path was removed. A reload or
# an upgrade opens it again at the same address, and says so.
. "$(dirname "$0")/../lib.sh"

LIAR=${LIAR:-$TOOLS/liar}
[ -x "$LIAR" ] || skip "no $LIAR"
[ -z "$SHUTTLED_WRAP" ] || skip 'a wrapper holds the descriptors'
# It is a worker that has done that, for all.
SHUTTLED_ARGS="$SHUTTLED_ARGS -w 2"

# shut_down: all listeners, as a worker that was taken over may do.
shut_down() {
	STATUS=0
	latest=$(sed -n 's/.* worker [0-9]*\[\([0-9]*\)\] info: ready.*/\1/p' \
	    "$T/log" | tail -n 1)
	"$LIAR" "$latest" shutdown >"$T/lie.out" 2>&1 || STATUS=$?
	[ "$STATUS" -ne 77 ] || skip "$(cat "$T/lie.out")"
	assert_eq 'sockets shut down' "$1" "$(cat "$T/lie.out")"
}

# all_serve, for wait_for: each listener, at its address of before.
all_serve() {
	[ "$(cat "$T/ports")" = "$ports" ] || return 1
	for LISTEN in $ports; do
		serves || return 1
	done
}

# is_mended HOW N: HUP or USR2 opens N listeners again.
is_mended() {
	said=$(log_count 'warning: listening on .* again: ')
	signal "$1"
	if [ "$1" = HUP ]; then
		wait_for 15 log_reaches $((reloads + 1)) 'reloaded: generation'
		reloads=$((reloads + 1))
	else
		wait_for 15 log_has 'upgrade: process [0-9]* serves'
		old=$PID
		PID=$(sed -n 's/.*process \([0-9]*\) serves.*/\1/p' "$T/log" |
		    tail -n 1)
		also_end "$PID"
		wait_for 10 gone "$old"
	fi
	wait_for 5 log_reaches $((said + $2)) \
	    'warning: listening on .* again: '
	wait_for 5 all_serve
}

# start_all: a port of any number, one of a fixed number, and a path.
start_all() {
	echo_behind
	fixed=$(listener 1)
	shuttled_stop
	shuttled_start -l 127.0.0.1:0 -l "$fixed" -l "unix:$T/sock" -s "$SERVER"
	ports=$(cat "$T/ports")
	reloads=0
}

were_shut_down() {
	start_all
	for how in HUP HUP USR2; do
		shut_down 3
		is_mended $how 3
	done
	# All that is said is what was done.
	assert_not_log 'no longer listening'
	signal TERM
	wait_for 10 gone "$PID"
	[ ! -e "$T/sock" ] || fail 'the socket was left'
	PID=
}

# Whatever another listener does: this one is served, and at once.
the_others_go_on() {
	echo_behind
	shut_down 1
	assert_log 'error: listener 127.0.0.1:[0-9]*: another process has shut it down'
	wait_for 5 log_reaches 2 'another process has shut it down'
	assert_not_log 'stopped accepting'
	# Workers that lost theirs end as others do.
	ports=$(cat "$T/ports")
	reloads=0
	is_mended HUP 1
	wait_for 5 workers_are 2
}

path_has_gone() {
	start_all
	load_keep kept 2
	for how in HUP USR2; do
		rm "$T/sock"
		is_mended $how 1
		assert_eq sockets 1 \
		    "$(find "$T/sock" -type s | wc -l)"
		[ $how = USR2 ] || { load_end kept; load_all_ok kept 2; }
	done
	# Another file is there; it stays.
	rm "$T/sock"
	say mine >"$T/sock"
	reload
	assert_log "error: no client gets to unix:$T/sock: its path had gone"
	assert_eq 'what is there' mine "$(cat "$T/sock")"
	rm "$T/sock"
	reload
	LISTEN=unix:$T/sock
	wait_for 5 serves
	wait_for 5 all_serve
	signal TERM
	wait_for 10 gone "$PID"
	PID=
}

# A reload that opens nothing again says nothing of it.
nothing_is_wrong() {
	start_all
	touch "$T/sock"
	chmod 600 "$T/sock"
	reload 2
	all_serve || fail 'it does not serve'
	assert_not_log 'again: '
}

run_cases were_shut_down the_others_go_on path_has_gone nothing_is_wrong
