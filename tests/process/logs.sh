#!/bin/sh
# SPDX-License-Identifier: ISC
# Copyright (c) 2026 The shuttled authors
#
# logs.sh: log files that are renamed under a running service, and the signals
# that this version does not act on.
. "$(dirname "$0")/lib.sh"

# sessions_in FILE...
sessions_in() {
	cat "$@" | grep -c 'session end .*end=client.close$' || :
}

rotate() {
	mv "$T/log" "$T/log.$1"
	signal USR1
	wait_for 5 log_has 'log reopened'
}

# Not a line is lost, none is cut, and in the end all go to the new file.
rotation_under_load() {
	echo_start
	shuttled_start -l 127.0.0.1:0 -b "$BACKEND" -w 3 -v
	load_start busy -c 20
	for i in 1 2 3 4 5; do
		wait_for 5 log_reaches 100 'session end'
		rotate $i
	done
	wait_for 5 log_reaches 100 'session end'
	load_end busy
	load_all_ok busy 0
	done=$(load_count busy loop ok)
	shuttled_stop
	say "$done sessions in 6 files"
	assert_eq 'session lines' "$done" \
	    "$(sessions_in "$T"/log "$T"/log.[0-9])"
	assert_eq 'lines that are not whole' '' \
	    "$(grep -hvE '^[-0-9]{10}T[:.0-9]{12}Z [^ ]+( [0-9]+)?\[[0-9]+\] (error|warning|notice|info|debug): ' \
	    "$T"/log "$T"/log.[0-9] || :)"
}

# The workers may not open it: the master gives them the descriptor.
all_workers_write_to_the_new_file() {
	echo_start
	shuttled_start -l 127.0.0.1:0 -b "$BACKEND" -w 3
	rotate old
	chmod 600 "$T/log"
	# A worker that is born later writes there as well.
	signal TTIN
	wait_for 5 workers_are 4
	signal QUIT
	shuttled_ended 0
	for place in 1 2 3 4; do
		assert_log "worker $place\\[[0-9]*\\] notice: draining"
	done
	assert_eq 'lines in the old file after the new one began' 0 \
	    "$(grep -c 'draining' "$T/log.old" || :)"
}

# The log cannot be made anew: the old one stays in use.
the_directory_is_gone() {
	if [ "$(id -u)" -eq 0 ]; then
		mkdir "$T/dir"
	else
		mkdir -m 755 "$T/dir"
	fi
	shuttled_start -l 127.0.0.1:0 -b builtin:echo -w 2 -L "$T/dir/log"
	mv "$T/dir" "$T/dir.old"
	signal USR1
	wait_for 5 grep -q 'log: .*/dir/log: .*the old file stays' \
	    "$T/dir.old/log"
	serves || fail 'it does not serve'
	mkdir "$T/dir"
	signal USR1
	wait_for 5 test -s "$T/dir/log"
	signal QUIT
	shuttled_ended 0
	assert_eq 'workers that said goodbye in the new file' 2 \
	    "$(grep -c 'notice: draining' "$T/dir/log")"
}

# A worker that does not listen for a while must not stay behind.
rotation_while_a_worker_is_stuck() {
	shuttled_start -l 127.0.0.1:0 -b builtin:echo -w 2
	stuck=$(worker 2)
	kill -STOP "$stuck"
	i=0
	while [ $i -lt "$(rounds 20)" ]; do
		mv "$T/log" "$T/log.old"
		signal USR1
		try_for 5 log_has 'log reopened' || fail 'not reopened'
		i=$((i + 1))
	done
	kill -CONT "$stuck"
	wait_for 5 serves
	signal QUIT
	shuttled_ended 0
	assert_log 'worker 2\[[0-9]*\] notice: draining'
}

# USR1 is no matter when the log is no file.
usr1_with_stderr() {
	shuttled_start -l 127.0.0.1:0 -b builtin:echo -w 2 -L stderr
	signal USR1
	wait_for 5 grep -q 'log reopened' "$T/stderr"
	serves || fail 'it does not serve'
	signal QUIT
	shuttled_ended 0
	assert_eq 'workers that said goodbye' 2 \
	    "$(grep -c 'notice: draining' "$T/stderr")"
}

signals_to_workers() {
	shuttled_start -l 127.0.0.1:0 -b builtin:echo -w 2
	before=$(worker_pids)
	for pid in $before; do
		kill -s HUP "$pid"
		kill -s USR1 "$pid"
		kill -s USR2 "$pid"
		kill -s WINCH "$pid"
	done
	for i in 1 2 3 4 5 6; do
		serves || fail 'it does not serve'
	done
	assert_eq workers "$before" "$(worker_pids)"
	shuttled_stop
}

# QUIT to a worker alone: the master sees to it that there is another.
a_worker_told_to_go_by_others() {
	echo_start
	shuttled_start -l 127.0.0.1:0 -b "$BACKEND" -w 2
	load_start kept -k 20
	load_wait kept
	leaving=$(worker 1)
	kill -s QUIT "$leaving"
	wait_for 5 log_has 'worker 1.*notice: draining'
	load_end kept
	load_all_ok kept 20
	wait_for 5 log_reaches 2 'worker 1\[[0-9]*\] info: ready'
	wait_for 5 workers_are 2
	shuttled_stop
}

run_cases rotation_under_load all_workers_write_to_the_new_file \
    the_directory_is_gone rotation_while_a_worker_is_stuck usr1_with_stderr \
    signals_to_workers a_worker_told_to_go_by_others
