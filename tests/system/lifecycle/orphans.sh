#!/bin/sh
# SPDX-License-Identifier: ISC
# Copyright (c) 2026 The shuttled authors
#
# orphans.sh: the master is killed with -9. Its workers stop accepting, finish
# what they have and go; the next instance need not wait for that.
. "$(dirname "$0")/../lib.sh"

# start_and_kill ARGS...: leaves the workers' pids in $orphans.
start_and_kill() {
	echo_behind -p "$T/pid" "$@"
	orphans=$(worker_pids)
	# shellcheck disable=SC2086 # a list
	also_end $orphans
}

kill_master() {
	kill -KILL "$PID"
	wait "$PID" 2>/dev/null || :
	forget "$PID"
}

orphans_gone() {
	for pid in $orphans; do
		gone "$pid" || return 1
	done
}

forget_orphans() {
	wait_for "${1:-10}" orphans_gone
	for pid in $orphans; do
		forget "$pid"
	done
	check_log
}

workers_end_at_once_without_sessions() {
	start_and_kill -w 4
	kill_master
	forget_orphans 2
	refuses || fail 'somebody still listens'
	assert_eq 'workers that noticed' 4 "$(log_count 'the master is gone')"
}

sessions_finish_first() {
	start_and_kill -w 3
	load_keep kept 40 -b 20000
	kill_master
	wait_for 5 refuses
	load_end_ok kept 40
	forget_orphans
	assert_eq 'sessions that ended well' 40 \
	    "$(log_count 'bytes_up=40000 bytes_down=40000 .*end=client.close')"
}

# Connections that wait at that moment are served, none is cut off.
under_load() {
	start_and_kill -w 3
	load_start busy -c 30
	wait_for 5 log_reaches 200 'session end'
	kill_master
	wait_for 5 refuses
	load_end busy
	assert_eq 'connections that were cut' 0 \
	    "$(load_count busy loop cut timeout wrong other)"
	forget_orphans
}

the_reload_timeout_holds() {
	start_and_kill -w 2 --reload-timeout 1s
	load_keep kept 10
	kill_master
	forget_orphans 6
	load_ended kept
	assert_eq 'sessions cut' 10 "$(log_count 'end=proxy.drain')"
}

# Orphans can still be told to go by hand.
orphans_take_term() {
	start_and_kill -w 2
	load_keep kept 10
	kill_master
	wait_for 5 refuses
	# shellcheck disable=SC2086 # a list
	kill -s TERM $orphans
	forget_orphans 2
	load_ended kept
	assert_eq 'sessions stopped' 10 "$(log_count 'end=proxy.stop')"
}

# Same pidfile, same ports file, same port: at once, while they drain.
the_next_instance_starts_at_once() {
	start_and_kill -w 3
	load_keep kept 40
	address=$LISTEN
	old_pid=$PID
	kill_master
	[ -e "$T/pid" ] || fail 'who removed the pidfile?'
	wait_for 5 refuses
	mv "$T/log" "$T/log.old"
	shuttled_start -l "$address" -s "$SERVER" -p "$T/pid" -w 2
	assert_eq 'address' "$address" "$LISTEN"
	assert_eq 'pid in the pidfile' "$PID" "$(cat "$T/pid")"
	[ "$PID" != "$old_pid" ] || fail 'the pid is the old one'
	serves || fail 'it does not serve'
	! orphans_gone || fail 'the sessions of the first were cut'
	load_end_ok kept 40
	forget_orphans
	shuttled_stop
	[ ! -e "$T/pid" ] || fail 'the pidfile was left'
}

# The lock goes with the master, also while its workers live.
the_pidfile_is_free() {
	start_and_kill -w 2
	load_keep kept 10
	kill_master
	shuttled_start -l 127.0.0.1:0 -s "$SERVER" -p "$T/pid" -w 2
	serves || fail 'it does not serve'
	shuttled_stop
	load_end_ok kept 10
	forget_orphans
}

# A worker that is just being born has no time to look around.
killed_while_a_worker_is_born() {
	i=0
	while [ $i -lt "$(rounds 15)" ]; do
		shuttled_start_group -l 127.0.0.1:0 -s builtin:echo -w 1
		signal TTIN
		sleep 0.00$((i % 10))
		kill_master
		wait_for 10 group_is_empty "$PID"
		i=$((i + 1))
	done
}

# The start fails for nobody: the parent of a daemon is told.
killed_at_the_start() {
	i=0
	while [ $i -lt "$(rounds 15)" ]; do
		rm -f "$T/log"
		# shellcheck disable=SC2086 # a list
		setsid $SHUTTLED_WRAP "$SHUTTLED" -F -L "$T/log" \
		    -l 127.0.0.1:0 -s builtin:echo -w 3 $SHUTTLED_ARGS \
		    2>"$T/stderr" </dev/null &
		PID=$!
		started="$started $PID"
		sleep "0.0$((i / 10))$((i % 10))"
		kill_master
		wait_for 10 group_is_empty "$PID"
		i=$((i + 1))
	done
}

run_cases workers_end_at_once_without_sessions sessions_finish_first \
    under_load the_reload_timeout_holds orphans_take_term \
    the_next_instance_starts_at_once the_pidfile_is_free \
    killed_while_a_worker_is_born killed_at_the_start
