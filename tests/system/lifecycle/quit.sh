#!/bin/sh
# SPDX-License-Identifier: ISC
# Copyright (c) 2026 The shuttled authors
#
# quit.sh: QUIT, from "nobody is cut off" to "enough is enough".
. "$(dirname "$0")/../lib.sh"
DEATHS=wanted

# stop_workers / go_on_workers: as if they were very busy.
stop_workers() {
	frozen=$(worker_pids)
	# shellcheck disable=SC2086 # a list
	kill -STOP $frozen
}

go_on_workers() {
	# shellcheck disable=SC2086
	kill -CONT $frozen
}

at_rest() {
	shuttled_start -l 127.0.0.1:0 -s builtin:echo -w 3
	signal QUIT
	shuttled_ended 0 3
	assert_eq 'workers that ended with 0' 3 "$(log_count 'exit code 0')"
}

sessions_finish() {
	echo_behind -w 3
	load_keep kept 40 -b 30000
	signal QUIT
	wait_for 5 refuses
	assert_log 'quitting: 3 workers to drain'
	# What they still send and get is the second half of these bytes.
	load_end_ok kept 40
	shuttled_ended 0 3
	assert_eq 'sessions that ended well' 40 \
	    "$(log_count 'bytes_up=60000 bytes_down=60000 .*end=client.close')"
	assert_not_log 'proxy\.'
}

# The builtin servers of all workers live until the last session ends.
sessions_of_builtins_finish() {
	shuttled_start -l 127.0.0.1:0 -s builtin:echo -w 3
	load_keep kept 40 -b 30000
	signal QUIT
	wait_for 5 refuses
	load_end_ok kept 40
	shuttled_ended 0 3
}

# Connections that the kernel has accepted, but no worker yet.
the_queue_is_served() {
	echo_start
	shuttled_start -l 127.0.0.1:0 -s "$1" -w 3
	stop_workers
	# One worker may get them all, and one that has no room does not end.
	n=$(within 150 4)
	load_start kept -k "$n"
	wait_for 10 load_is kept connected
	signal QUIT
	assert_log 'quitting'
	go_on_workers
	load_wait kept
	wait_for 5 refuses
	load_end_ok kept "$n"
	shuttled_ended 0 3
}

queue_with_a_server() {
	the_queue_is_served "$SERVER"
}

queue_with_a_builtin() {
	the_queue_is_served builtin:echo
}

# While connections pour in: each is served or refused, none is cut off.
under_load() {
	echo_behind -w 3
	load_start busy -c 50 -b 3000
	wait_for 10 log_reaches 300 'session end'
	signal QUIT
	wait_for 5 refuses
	load_end busy
	assert_eq 'connections that were cut' 0 \
	    "$(load_count busy loop cut timeout wrong other)"
	say "served $(load_count busy loop ok)," \
	    "refused $(load_count busy loop refused)," \
	    "reset in the queue $(load_count busy loop reset)"
	shuttled_ended 0 5
}

# grace TIME: said, and the service goes on.
grace() {
	echo_behind -w 2 --grace "$1"
	load_keep kept 10
	load_start busy -c 5
	signal QUIT
	assert_log 'leaving: connections are accepted for'
	wait_for 5 titles_are 'shuttled: master, leaving' \
	    'shuttled: worker 1, generation 1' \
	    'shuttled: worker 2, generation 1'
	serves || fail 'it does not serve'
	load_end_ok busy 0
}

grace_that_ends() {
	# Long enough for a request to connect that the network loses.
	late_begin
	grace 3s
	wait_for 10 refuses
	late_end
	slow || assert_between 'ms of grace' 2990 $((3500 + LATE)) \
	    "$(ms_between 'leaving' 'quitting')"
	load_end_ok kept 10
	shuttled_ended 0 3
}

# What is longer than the clock of the loop, and does not have to be waited for.
grace_cut_short() {
	grace 60000m
	signal QUIT
	wait_for 5 refuses
	assert_log 'quitting: 2 workers to drain'
	load_end_ok kept 10
	shuttled_ended 0 3
}

grace_and_term() {
	grace 1h
	signal TERM
	shuttled_ended 0 3
	load_ended kept
	assert_eq 'sessions stopped' 10 "$(log_count 'end=proxy.stop')"
}

# A worker that dies meanwhile is replaced: there is still work to do.
grace_and_death() {
	grace 1h
	kill -KILL "$(worker 1)"
	assert_log 'respawned at once'
	wait_for 5 workers_are 2
	serves || fail 'it does not serve'
	signal QUIT
	load_end kept
	shuttled_ended 0 3
}

twice() {
	echo_behind -w 2
	load_keep kept 20
	signal QUIT
	assert_log 'quitting'
	signal QUIT
	wait_for 5 refuses
	signal QUIT
	load_end_ok kept 20
	shuttled_ended 0 3
	assert_eq 'announcements' 1 "$(log_count 'quitting')"
}

# sum_of PATTERN: of the numbers that \1 stands for, over the log.
sum_of() {
	sed -n "s/.*$1.*/\\1/p" "$T/log" | awk '{ n += $1 } END { print n + 0 }'
}

# drained_in: how many seconds a drain takes. A fifth of that is between end of file
# and reset. What the network loses comes again after 200 ms, and 400 more.
drained_in() {
	if [ -n "${TEST_LOSSY-}" ]; then
		say 10
	else
		say 1
	fi
}

# Who answers the end of file is gone before the resets.
past_the_timeout_in_good_order() {
	echo_behind -w 2 --drain-timeout "$(drained_in)s"
	load_keep kept 20
	signal QUIT
	shuttled_ended 0 4
	load_ended kept
	assert_eq 'clients that saw the end' 20 "$(load_count kept kept cut)"
	assert_eq 'sessions announced' 20 \
	    "$(sum_of 'drain timeout: \([0-9]*\) sessions* left')"
	assert_eq 'sessions cut' 20 "$(log_count 'end=proxy.drain')"
	assert_not_log 'resetting [1-9]'
}

# Who does not is reset when the time is over.
past_the_timeout_against_resistance() {
	time=$(drained_in)
	echo_behind -w 2 --drain-timeout "${time}s"
	load_keep kept 20 -x
	late_begin
	signal QUIT
	wait_for 10 load_is kept eof 20
	shuttled_ended 0 4
	late_end
	load_ended kept
	assert_eq 'clients that were reset' 20 "$(load_count kept kept reset)"
	assert_eq 'sessions announced' 20 \
	    "$(sum_of 'drain timeout: \([0-9]*\) sessions* left')"
	assert_eq 'sessions reset' 20 \
	    "$(sum_of 'drain timeout: resetting \([0-9]*\) sessions')"
	assert_eq 'sessions cut' 20 "$(log_count 'end=proxy.drain')"
	slow || assert_between 'ms between end of file and reset' \
	    $((time * 200 - 50)) $((time * 200 + 500 + LATE)) \
	    "$(ms_between 'sessions* left' 'drain timeout: resetting')"
	slow || assert_between 'ms from QUIT to the end' \
	    $((time * 1000 - 10)) $((time * 1000 + 500 + LATE)) \
	    "$(ms_between 'quitting' 'drain timeout: resetting')"
}

# A server that is silent, a client that is, and a connection in the making.
past_the_timeout_half_built() {
	peer_silent b
	shuttled_start -l 127.0.0.1:0 -s "$(address b)" -w 1 \
	    --drain-timeout 1s --connect-timeout 1m
	peer_start c "connect $LISTEN; touch $T/there; expect-end"
	wait_for 5 test -e "$T/there"
	signal QUIT
	shuttled_ended 0 4
	peer_wait c
	assert_log 'drain timeout: 1 session left'
	assert_log 'end=proxy.drain'
}

no_timeout_at_all() {
	echo_behind -w 2 --drain-timeout off
	load_keep kept 20
	signal QUIT
	wait_for 5 refuses
	load_end_ok kept 20
	shuttled_ended 0 3
}

term_during_a_drain() {
	echo_behind -w 2
	load_keep kept 20
	signal QUIT
	wait_for 5 refuses
	assert_eq 'workers that drain' 2 \
	    "$(log_count 'worker .*notice: draining')"
	signal TERM
	shuttled_ended 0 3
	load_ended kept
	assert_eq 'sessions stopped' 20 "$(log_count 'end=proxy.stop')"
}

# A worker that does not turn keeps no deadline: it is killed some seconds after.
past_the_timeout_without_an_answer() {
	echo_behind -w 2 --drain-timeout 300ms
	load_keep kept 4 -x
	stuck=$(worker 1)
	kill -STOP "$stuck"
	wait_for 5 log_has "worker 1 pid $stuck is stopped"
	signal QUIT
	shuttled_ended 0 10
	gone "$stuck" || fail 'the worker was left'
	assert_log "worker 1 pid $stuck does not end: killing it"
	assert_not_log 'worker 2 pid [0-9]* does not end'
	load_end kept
}

# There is nobody to drain: the slot waits for its next worker.
during_a_back_off() {
	shuttled_start -l 127.0.0.1:0 -s builtin:echo -w 1
	kill -KILL "$(worker 1)"
	assert_log 'respawned at once'
	wait_for 5 log_reaches 2 'info: ready'
	kill -KILL "$(worker 1)"
	assert_log 'respawned in 1 s'
	signal QUIT
	shuttled_ended 0 3
}

# Who is asked to change once it is told to end says that it will not.
too_late() {
	echo_behind -w 2
	load_keep kept 4
	signal QUIT
	wait_for 5 log_has 'quitting: '
	for name in HUP USR2 TTIN TTOU WINCH; do
		signal $name
		wait_for 5 log_has "$name ignored"
	done
	load_end_ok kept 4
	shuttled_ended 0 5
}

a_worker_dies_during_the_drain() {
	echo_behind -w 2
	load_keep kept 20
	signal QUIT
	wait_for 5 refuses
	for pid in $(worker_pids); do
		kill -KILL "$pid"
	done
	shuttled_ended 0 3
	load_ended kept
	assert_not_log 'respawned [ai]'
}

echo_start
run_cases at_rest sessions_finish sessions_of_builtins_finish \
    queue_with_a_server queue_with_a_builtin under_load twice \
    past_the_timeout_in_good_order past_the_timeout_against_resistance \
    past_the_timeout_half_built past_the_timeout_without_an_answer no_timeout_at_all term_during_a_drain \
    grace_that_ends grace_cut_short grace_and_term grace_and_death \
    too_late during_a_back_off a_worker_dies_during_the_drain
