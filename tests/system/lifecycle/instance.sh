#!/bin/sh
# SPDX-License-Identifier: ISC
# Copyright (c) 2026 The shuttled authors
#
# instance.sh: one instance at a time: pidfile, port and ports file; and the
# daemon, whose start must tell the shell what became of it.
. "$(dirname "$0")/../lib.sh"
DEATHS=wanted

# The first instance goes on as if nothing had happened.
assert_unharmed() {
	alive "$PID" || fail 'the first instance is gone'
	assert_eq 'pid in the pidfile' "$PID" "$(cat "$T/pid")"
	assert_eq 'ports file' "$LISTEN" "$(cat "$T/ports")"
	serves || fail 'the first instance does not serve'
}

second_is_refused_by_the_pidfile() {
	shuttled_start -l 127.0.0.1:0 -s builtin:echo -p "$T/pid" -w 2
	shuttled_fails 75 -l 127.0.0.1:0 -s builtin:echo -p "$T/pid" -w 2 \
	    --ports-file "$T/ports"
	assert_eq 'lines on stderr' 1 "$(grep -c . "$T/try.out")"
	grep -q "$T/pid.*pid $PID" "$T/try.out" ||
		fail "it does not say who: $(cat "$T/try.out")"
	assert_unharmed
	shuttled_stop
	[ ! -e "$T/pid" ] || fail 'the pidfile was left'
}

# says_owner ADDRESS: where it is, what is there, and what to do.
says_owner() {
	grep -q "listen on .*$1: Address already in use by .*, pid $PID: end it, or choose another address" \
	    "$T/try.out" || fail "it does not say what: $(cat "$T/try.out")"
}

second_is_refused_by_a_socket() {
	for path in "unix:$T/sock" "unix:@shuttled-test-$$"; do
		shuttled_start -l "$path" -s builtin:echo -w 2
		for i in 1 2; do
			shuttled_fails 69 -l "$path" -s builtin:echo -w 2
			says_owner "$path"
		done
		shuttled_stop
	done
}

second_is_refused_by_the_port() {
	shuttled_start -l 127.0.0.1:0 -s builtin:echo -p "$T/pid" -w 2
	shuttled_fails 69 -l "$LISTEN" -s builtin:echo -p "$T/pid2" -w 2 \
	    --ports-file "$T/ports2"
	assert_eq 'lines on stderr' 1 "$(grep -c . "$T/try.out")"
	says_owner "$LISTEN"
	shuttled_try -l ":${LISTEN##*:}" -s builtin:echo
	says_owner ":${LISTEN##*:}"
	[ ! -e "$T/pid2" ] || fail 'the pidfile of the second was left'
	[ ! -e "$T/ports2" ] || fail 'the ports file of the second was left'
	assert_unharmed
}

# Half of its listeners are open when it finds out.
second_gives_back_what_it_has() {
	shuttled_start -l 127.0.0.1:0 -s builtin:echo -p "$T/pid" -w 2
	shuttled_fails 69 -l "unix:$T/second.sock" -l "$LISTEN" -s \
	    builtin:echo -p "$T/pid2" -w 2
	[ ! -e "$T/second.sock" ] || fail 'a socket was left'
	assert_unharmed
}

second_while_the_first_drains() {
	echo_behind -p "$T/pid" -w 2
	load_keep kept 10
	signal QUIT
	wait_for 5 refuses
	shuttled_fails 75 -l "$LISTEN" -s builtin:echo -p "$T/pid" -w 2
	# With a pidfile of its own the port is free for it.
	first=$PID
	mv "$T/log" "$T/log.first"
	mv "$T/ports" "$T/ports.first"
	shuttled_start -l "$LISTEN" -s "$SERVER" -p "$T/pid2" -w 2
	serves || fail 'the second does not serve'
	shuttled_stop
	load_end_ok kept 10
	PID=$first
	shuttled_ended 0
}

stale_pidfile_is_taken_over() {
	echo 999999 >"$T/pid"
	shuttled_start -l 127.0.0.1:0 -s builtin:echo -p "$T/pid" -w 2
	assert_eq 'pid in the pidfile' "$PID" "$(cat "$T/pid")"
	shuttled_stop
	[ ! -e "$T/pid" ] || fail 'the pidfile was left'
}

# 20 at a time want the same pidfile: one gets it.
only_one_of_many() {
	rm -f "$T"/many.*
	many=
	for i in 1 2 3 4 5 6 7 8; do
		(
			status=0
			# shellcheck disable=SC2086 # these are lists
			timeout $((20 * TEST_SLOW)) \
			    $SHUTTLED_WRAP "$SHUTTLED" -F -L "$T/log.$i" \
			    -l 127.0.0.1:0 -s builtin:echo -p "$T/pid" -w 1 \
			    $SHUTTLED_ARGS >/dev/null 2>"$T/many.out" ||
				status=$?
			echo "$status" >"$T/many.$i"
		) &
		many="$many $!"
	done
	started="$started $many"
	wait_for 10 losers 7
	wait_for 10 test -s "$T/pid"
	PID=$(cat "$T/pid")
	signal TERM
	wait_for 10 losers 8
	# shellcheck disable=SC2086 # a list
	wait $many || :
	assert_eq 'exit statuses' '0 75 75 75 75 75 75 75 ' \
	    "$(cat "$T"/many.[0-9] | sort -n | tr '\n' ' ')"
	[ ! -e "$T/pid" ] || fail 'the pidfile was left'
	PID=
}

losers() {
	[ "$(find "$T" -name 'many.[0-9]' -size +0 | wc -l)" -ge "$1" ]
}

files_that_cannot_be_made() {
	shuttled_fails 73 -l 127.0.0.1:0 -s builtin:echo -w 1 -p \
	    "$T/no/dir/pid"
	shuttled_fails 73 -l 127.0.0.1:0 -s builtin:echo -w 1 --ports-file \
	    "$T/no/dir/ports" -p "$T/pid"
	[ ! -e "$T/pid" ] || fail 'the pidfile was left'
	shuttled_fails 73 -l 127.0.0.1:0 -s builtin:echo -w 1 -L \
	    "$T/no/dir/log"
}

daemon_serves_when_the_command_returns() {
	i=0
	while [ $i -lt "$(rounds 10)" ]; do
		shuttled_daemon -l 127.0.0.1:0 -s builtin:echo -w 2
		assert_eq "status ($(cat "$T/start.out"))" 0 "$STATUS"
		serves || fail 'it does not serve yet'
		assert_eq 'output of the start' '' "$(cat "$T/start.out")"
		daemon_stop
		i=$((i + 1))
	done
}

# As in out=$(shuttled ...): if a process held the pipe, its reader would wait
# for the end of that process.
daemon_leaves_the_terminal() {
	rm -f "$T/log"
	# shellcheck disable=SC2086 # a list
	{ "$SHUTTLED" -L "$T/log" -p "$T/pid" --ports-file "$T/ports" \
	    -l 127.0.0.1:0 -s builtin:echo -w 2 $SHUTTLED_ARGS 2>&1 ||
	    echo "status $?"; } | cat >"$T/start.out" &
	reader=$!
	also_end $reader
	wait_for 10 test -s "$T/pid"
	also_end "$(cat "$T/pid")"
	wait_for 10 gone $reader
	forget $reader
	assert_eq 'output of the start' '' "$(cat "$T/start.out")"
	PID=$(cat "$T/pid")
	LISTEN=$(listener 1)
	for pid in "$PID" $(worker_pids); do
		assert_null "$pid" 0 1 2
	done
	# A session of its own: nobody's ctrl-C, nobody's hang-up.
	assert_eq 'session of the master' "$PID" \
	    "$(sed 's/.*) //' "/proc/$PID/stat" | cut -d ' ' -f 4)"
	serves || fail 'it does not serve'
	# Workers born later are no different.
	kill -KILL "$(worker 1)"
	wait_for 5 log_reaches 2 'worker 1\[[0-9]*\] info: ready'
	assert_eq 'descriptor 2 of the new worker' /dev/null \
	    "$(readlink "/proc/$(worker 1)/fd/2")"
}

# assert_no_leak: of the caller's file.
assert_no_leak() {
	for pid in "$PID" $(worker_pids); do
		for fd in "/proc/$pid/fd"/*; do
			[ "$(readlink "$fd")" != "$T/leak" ] ||
				fail "$fd is the caller's ($*)"
		done
	done
}

# Whatever else the caller had open, such as the pipe of a package manager that
# waits for its end, or a file that workers may not read.
it_closes_what_it_was_given() {
	echo_start
	cat >"$T/conf" <<EOF
listen: { main: { address: "127.0.0.1:0" } }
pool: { main: { check: "tcp", server: { a: { address: "$SERVER" } } } }
EOF
	exec 7>"$T/leak"
	shuttled_daemon -c "$T/conf" -w 1
	exec 7>&-
	assert_eq status 0 "$STATUS"
	wait_for 5 probers 1
	assert_no_leak daemon
	daemon_stop
	exec 7>"$T/leak" 8>"$T/leak"
	shuttled_start -c "$T/conf" -w 1
	exec 7>&- 8>&-
	wait_for 5 probers 1
	assert_no_leak -F
	serves || fail 'it does not serve'
	shuttled_stop
	exec 7>"$T/leak"
	# shellcheck disable=SC2086 # a list
	shuttled_start -c "$T/conf" -w 0 $as_root
	exec 7>&-
	assert_no_leak -w 0
}

# Or listening sockets would become these, and be closed with them.
daemon_without_standard_descriptors() {
	for list in '<&-' '>&-' '2>&-' '<&- >&-' '<&- >&- 2>&-'; do
		for workers in 2 0; do
			STATUS=0
			# shellcheck disable=SC2086 # a list
			sh -c 'exec "$@" '"$list" sh "$SHUTTLED" -L "$T/log" \
			    -p "$T/pid" --ports-file "$T/ports" -w $workers \
			    -l 127.0.0.1:0 -s builtin:echo $as_root \
			    $SHUTTLED_ARGS || STATUS=$?
			assert_eq "status with $list" 0 "$STATUS"
			PID=$(cat "$T/pid")
			LISTEN=$(listener 1)
			also_end "$PID"
			serves || fail "it does not serve with $list"
			for pid in "$PID" $(worker_pids); do
				assert_null "$pid" 0 1 2
			done
			daemon_stop
		done
	done
}

# assert_null PID FD...: these are open on /dev/null.
assert_null() {
	pid=$1
	shift
	for fd in "$@"; do
		assert_eq "descriptor $fd of $pid" /dev/null \
		    "$(readlink "/proc/$pid/fd/$fd")"
	done
}

# daemon_fails STATUS TEXT ARGS...: and nothing stays behind.
daemon_fails() {
	expected=$1
	text=$2
	shift 2
	shuttled_daemon "$@"
	assert_eq "status of: $*" "$expected" "$STATUS"
	grep -q -e "$text" "$T/start.out" ||
		fail "no '$text' in: $(cat "$T/start.out")"
	[ ! -e "$T/pid" ] || fail 'the pidfile was left'
	[ ! -e "$T/ports" ] || fail 'the ports file was left'
}

daemon_reports_a_port_in_use() {
	peer_serve b 'echo'
	daemon_fails 69 "$(address b)" -l "$(address b)" -s builtin:echo -w 1
}

daemon_reports_files_that_cannot_be_made() {
	daemon_fails 73 "$T/no/log" -l 127.0.0.1:0 -s builtin:echo -w 1 \
	    -L "$T/no/log"
	daemon_fails 73 "$T/no/pid" -l 127.0.0.1:0 -s builtin:echo -w 1 \
	    -p "$T/no/pid"
	daemon_fails 73 "$T/no/ports" -l 127.0.0.1:0 -s builtin:echo -w 1 \
	    --ports-file "$T/no/ports"
}

daemon_reports_a_wrong_option() {
	daemon_fails 64 '--workers' -l 127.0.0.1:0 -s builtin:echo -w many
	daemon_fails 64 '--log' -l 127.0.0.1:0 -s builtin:echo -L stderr
}

# The failed one is gone when the command returns: the next try has its way.
daemon_can_be_started_again_at_once() {
	i=0
	while [ $i -lt "$(rounds 10)" ]; do
		daemon_fails 73 "$T/no/ports" -l "unix:$T/l.sock" \
		    -s builtin:echo -w 3 --ports-file "$T/no/ports"
		shuttled_daemon -l "unix:$T/l.sock" -s builtin:echo -w 1
		assert_eq "status after a failure ($(cat "$T/start.out"))" \
		    0 "$STATUS"
		daemon_stop
		i=$((i + 1))
	done
}

daemon_is_refused_by_the_pidfile() {
	shuttled_daemon -l 127.0.0.1:0 -s builtin:echo -w 1
	assert_eq 'status of the first' 0 "$STATUS"
	first=$PID
	mv "$T/log" "$T/log.first"
	shuttled_daemon -l 127.0.0.1:0 -s builtin:echo -w 1
	assert_eq 'status of the second' 75 "$STATUS"
	PID=$first
	mv "$T/log.first" "$T/log"
	assert_unharmed
}

daemon_reports_a_worker_that_cannot_start() {
	STATUS=0
	(
		# shellcheck disable=SC3045 # dash and bash have it
		ulimit -n 14
		daemon_fails 71 'worker [0-9]* could not start' -l 127.0.0.1:0 \
		    -s builtin:echo -w 1
	) || fail 'see above'
}

daemon_of_one_process() {
	# shellcheck disable=SC2086 # a list, here and below
	shuttled_daemon -l 127.0.0.1:0 -s builtin:echo -w 0 $as_root
	assert_eq "status ($(cat "$T/start.out"))" 0 "$STATUS"
	serves || fail 'it does not serve'
	daemon_stop
	# shellcheck disable=SC2086 # a list, here and below
	shuttled_daemon -l 127.0.0.1:0 -s builtin:echo -w 0 $as_root
	daemon_stop TERM
}

daemon_of_one_process_that_cannot_start() {
	(
		# shellcheck disable=SC3045 # dash and bash have it
		ulimit -n 14
		# shellcheck disable=SC2086 # a list
		daemon_fails 71 '.' -l 127.0.0.1:0 -s builtin:echo -w 0 \
		    $as_root
	) || fail 'see above'
}

# One process that has given up root may not remove files of root.
as_root=
[ "$(id -u)" -ne 0 ] || as_root='-u root'

run_cases second_is_refused_by_the_pidfile second_is_refused_by_the_port \
    second_is_refused_by_a_socket \
    second_gives_back_what_it_has second_while_the_first_drains \
    stale_pidfile_is_taken_over only_one_of_many files_that_cannot_be_made \
    daemon_serves_when_the_command_returns daemon_reports_a_port_in_use \
    daemon_reports_files_that_cannot_be_made daemon_reports_a_wrong_option \
    daemon_is_refused_by_the_pidfile daemon_can_be_started_again_at_once \
    daemon_of_one_process
# A wrapper keeps descriptors, and needs some.
if [ -z "$SHUTTLED_WRAP" ]; then
	run_cases daemon_leaves_the_terminal it_closes_what_it_was_given \
	    daemon_without_standard_descriptors \
	    daemon_reports_a_worker_that_cannot_start \
	    daemon_of_one_process_that_cannot_start
fi
