#!/bin/sh
# SPDX-License-Identifier: ISC
# Copyright (c) 2026 The shuttled authors
#
# single.sh: -w 0, one process that is master and worker: the same signals,
# the same ends.
. "$(dirname "$0")/../lib.sh"

# As root it gives up what it would need to remove its files and to open the
# log again; see privileges.sh for that.
as_root=
[ "$(id -u)" -ne 0 ] || as_root='-u root'

single() {
	echo_start
	# shellcheck disable=SC2086 # a list
	shuttled_start -l 127.0.0.1:0 -s "$SERVER" -w 0 -p "$T/pid" \
	    $as_root "$@"
	workers_are 0 || fail 'there is a worker'
}

ended() {
	shuttled_ended "$@"
	[ ! -e "$T/pid" ] || fail 'the pidfile was left'
}

at_rest() {
	for name in TERM INT QUIT; do
		single
		signal $name
		ended 0 2
	done
}

# stop_with SIGNAL
stop_with() {
	single
	load_keep kept 20
	signal "$1"
	ended 0 2
	load_ended kept
	assert_eq 'sessions stopped' 20 "$(log_count 'end=proxy.stop')"
}

term_with_sessions() {
	stop_with TERM
}

int_with_sessions() {
	stop_with INT
}

quit_with_sessions() {
	single
	load_keep kept 20 -b 20000
	signal QUIT
	wait_for 5 refuses
	signal QUIT
	load_end_ok kept 20
	ended 0 2
	assert_eq 'sessions that ended well' 20 \
	    "$(log_count 'bytes_up=40000 bytes_down=40000 .*end=client.close')"
}

quit_with_a_queue() {
	single
	kill -STOP "$PID"
	load_start kept -k 100
	wait_for 10 load_is kept connected
	signal QUIT
	signal CONT
	load_wait kept
	wait_for 5 refuses
	load_end_ok kept 100
	ended 0 2
}

quit_past_the_timeout() {
	single --drain-timeout 500ms
	load_keep kept 20 -x
	signal QUIT
	ended 0 9
	load_ended kept
	assert_eq 'clients that were reset' 20 "$(load_count kept kept reset)"
	assert_eq 'sessions cut' 20 "$(log_count 'end=proxy.drain')"
	assert_log 'drain timeout: 20 sessions left'
	assert_log 'drain timeout: resetting 20 sessions'
}

term_during_a_drain() {
	single
	load_keep kept 20
	signal QUIT
	wait_for 5 refuses
	signal TERM
	ended 0 2
	load_ended kept
	assert_eq 'sessions stopped' 20 "$(log_count 'end=proxy.stop')"
}

log_rotation() {
	single
	load_start busy -c 10
	for i in 1 2 3; do
		wait_for 5 log_reaches 100 'session end'
		mv "$T/log" "$T/log.$i"
		signal USR1
		wait_for 5 test -s "$T/log"
	done
	load_end_ok busy 0
	signal QUIT
	ended 0
	assert_eq 'session lines' "$(load_count busy loop ok)" \
	    "$(cat "$T"/log "$T"/log.[1-3] | grep -c 'session end')"
}

# Signals for a master that has workers, and for later versions.
signals_without_effect() {
	single
	for name in HUP USR2 TTIN TTOU WINCH CHLD; do
		signal $name
		serves || fail "after $name it does not serve"
	done
	assert_log 'reload: not without a master'
	assert_log 'upgrade: not without a master'
	signal QUIT
	ended 0
}

unix_socket_is_removed() {
	for name in TERM QUIT; do
		# shellcheck disable=SC2086 # a list
		shuttled_start -l "unix:$T/l.sock" -s builtin:echo -w 0 $as_root
		serves || fail 'it does not serve'
		signal $name
		shuttled_ended 0 2
		[ ! -e "$T/l.sock" ] || fail "the socket was left by $name"
	done
}

its_title() {
	single
	assert_eq title 'shuttled: single' "$(title "$PID")"
	signal TERM
	ended 0
}

run_cases at_rest term_with_sessions int_with_sessions quit_with_sessions \
    quit_with_a_queue quit_past_the_timeout term_during_a_drain log_rotation \
    signals_without_effect unix_socket_is_removed
[ -n "$SHUTTLED_WRAP" ] || run_cases its_title
