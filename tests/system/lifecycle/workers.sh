#!/bin/sh
# SPDX-License-Identifier: ISC
# Copyright (c) 2026 The shuttled authors
#
# workers.sh: as many workers as one asks for: TTIN, TTOU, WINCH, many signals
# at once, and what the processes are called.
. "$(dirname "$0")/../lib.sh"

# The count in the log is what is wanted, living_workers what there is.
one_more_one_fewer() {
	shuttled_start -l 127.0.0.1:0 -s builtin:echo -w 2
	signal TTIN
	wait_for 5 workers_are 3
	assert_log 'workers: 3 (+1)'
	assert_log 'worker 3\[[0-9]*\] info: ready'
	signal TTIN
	wait_for 5 workers_are 4
	signal TTOU
	wait_for 5 workers_are 3
	assert_log 'workers: 3 (-1)'
	serves || fail 'it does not serve'
	signal TTIN
	wait_for 5 log_reaches 2 'worker 4\[[0-9]*\] info: ready'
	workers_are 4 || fail "there are $(living_workers) workers"
}

# The worker that goes takes no new sessions and finishes those it has.
sessions_of_the_removed_worker() {
	echo_behind -w 2 -v
	load_keep kept 60 -b 10000
	leaving=$(worker 2)
	held=$(log_count "worker 2.$leaving. debug: session start")
	signal TTOU
	assert_log 'worker 2\[[0-9]*\] notice: draining'
	load_start busy -c 4 -n 100
	load_ended busy
	load_all_ok busy 0
	assert_eq 'sessions begun by the worker that leaves' "$held" \
	    "$(log_count "worker 2.$leaving. debug: session start")"
	if [ "$held" -gt 0 ]; then
		alive "$leaving" || fail "it left $held sessions"
	fi
	load_end_ok kept 60
	wait_for 5 workers_are 1
	assert_log "worker 2 pid $leaving ended: exit code 0,.* 0 sessions lost"
}

never_below_one() {
	shuttled_start -l 127.0.0.1:0 -s builtin:echo -w 2
	signal TTOU
	wait_for 5 workers_are 1
	for i in 1 2 3; do
		signal TTOU
		wait_for 5 log_reaches $i 'the last worker is not drained'
	done
	workers_are 1 || fail "there are $(living_workers) workers"
	serves || fail 'it does not serve'
}

# balanced N: as many as the log says, after N at the start; and no signal is
# left that could change that.
balanced() {
	grep -q '^ShdPnd:[[:space:]]*0*$' "/proc/$PID/status" || return 1
	wanted=$(($1 + $(log_count 'workers: [0-9]* (+1)') - \
	    $(log_count 'workers: [0-9]* (-1)')))
	workers_are "$wanted"
}

# Signals of one kind that come close together may be one: at least one counts.
a_burst() {
	shuttled_start -l 127.0.0.1:0 -s builtin:echo -w 1
	for i in 1 2 3 4 5 6 7 8 9 10; do
		signal TTIN
	done
	assert_log 'workers: [0-9]* (+1)'
	wait_for 5 balanced 1
	say "up to $wanted workers"
	for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
		signal TTOU
	done
	assert_log 'workers: [0-9]* (-1)'
	wait_for 5 balanced 1
	say "down to $wanted workers"
	serves || fail 'it does not serve'
}

# Connections wait in the queue for the worker to come.
winch_and_back() {
	echo_behind -w 3
	load_keep old 30
	signal WINCH
	assert_log 'draining all workers'
	wait_for 5 log_reaches 3 'worker .*notice: draining'
	load_start new -k 20
	wait_for 5 load_is new connected
	load_end_ok old 30
	wait_for 5 workers_are 0
	alive "$PID" || fail 'the master is gone'
	signal TTOU
	assert_log 'no worker to drain'
	! load_is new ready || fail 'who served them?'
	signal TTIN
	load_wait new
	load_end_ok new 20
	workers_are 1 || fail "there are $(living_workers) workers"
	signal TTIN
	wait_for 5 workers_are 2
}

winch_and_term() {
	shuttled_start -l 127.0.0.1:0 -s builtin:echo -w 3
	signal WINCH
	wait_for 5 workers_are 0
	signal TERM
	shuttled_ended 0 3
}

# QUIT promises to serve the queue, though nobody is left who could.
winch_and_quit() {
	echo_behind -w 3
	signal WINCH
	wait_for 5 workers_are 0
	load_start kept -k 20
	wait_for 5 load_is kept connected
	signal QUIT
	load_end kept
	say "queued connections: $(grep '^kept' "$T/kept.out")"
	shuttled_ended 0 5
}

process_titles() {
	echo_behind -w 2
	wait_for 5 titles_are 'shuttled: master' \
	    'shuttled: worker 1, generation 1' \
	    'shuttled: worker 2, generation 1'
	load_keep kept 40
	signal TTIN
	wait_for 5 titles_are 'shuttled: master' \
	    'shuttled: worker 1, generation 1' \
	    'shuttled: worker 2, generation 1' \
	    'shuttled: worker 3, generation 1'
	signal TTOU
	wait_for 5 titles_are 'shuttled: master' \
	    'shuttled: worker 1, generation 1' \
	    'shuttled: worker 2, generation 1'
	frozen=$(worker_pids)
	# Workers without sessions would be gone too soon to be seen.
	signal QUIT
	for pid in $frozen; do
		try_for 1 drains "$pid" || gone "$pid" ||
			fail "title: $(title "$pid")"
	done
	wait_for 5 log_reaches 3 'draining: asked to'
	load_end_ok kept 40
	shuttled_ended 0 5
}

drains() {
	case $(title "$1") in
	'shuttled: worker '[12]', generation 1, draining') return 0 ;;
	*) return 1 ;;
	esac
}

# Everything at once while clients come and go; then it is all in order.
storm() {
	echo_behind -w 3
	load_start busy -c 20 -p 2
	load_keep kept 30
	i=0
	while [ $i -lt "$(rounds 400)" ]; do
		case $((i * 7 % 10)) in
		0 | 4) kill -s USR1 "$PID" ;;
		1 | 5 | 8) kill -s TTIN "$PID" ;;
		2 | 6 | 9) kill -s TTOU "$PID" ;;
		3) kill -s CHLD "$PID" ;;
		7) kill -s HUP "$PID" ;;
		esac
		i=$((i + 1))
	done
	load_end busy
	load_end kept
	load_all_ok busy 0
	load_all_ok kept 30
	say "$(log_count 'workers: [0-9]* (+1)') more," \
	    "$(log_count 'workers: [0-9]* (-1)') fewer," \
	    "$(log_count 'reloaded: gen') reloads;" \
	    "$(load_count busy loop ok) connections"
	# A reload begins with as many workers as the options say.
	i=$(log_count 'reloaded: generation')
	signal HUP
	wait_for 10 log_reaches $((i + 1)) 'reloaded: generation'
	wait_for 10 workers_are 3
	assert_not_log 'handing over'
	assert_not_log 'respawned [ai]'
	serves || fail 'it does not serve'
}

# There is an end to it, and it is said.
as_many_as_there_can_be() {
	command -v prlimit >/dev/null || return 0
	# The board is a file of a size that leaves room for 32 of them.
	with_wrap 'prlimit --fsize=209715200:209715200' shuttled_start \
	    -l 127.0.0.1:0 -s builtin:echo -w 4 --buffers 1
	i=0
	while [ "$(log_count 'info: ready')" -gt "$i" ]; do
		i=$(log_count 'info: ready')
		signal TTIN
		try_for 1 more_than_before "$i" || :
	done
	say "$i workers"
	assert_eq workers 32 "$i"
	assert_log 'warning: workers: 32 is the maximum; none added$'
	serves || fail 'it does not serve'
	signal TERM
	shuttled_ended 0 10
}

more_than_before() {
	[ "$(log_count 'info: ready')" -gt "$1" ]
}

run_cases one_more_one_fewer sessions_of_the_removed_worker never_below_one \
    a_burst winch_and_back winch_and_term winch_and_quit
# With a wrapper the name and the arguments are those of the wrapper.
[ -n "$SHUTTLED_WRAP" ] || run_cases process_titles
run_cases storm
# Hundreds of processes are too many where each is large or slow.
instrumented || run_cases as_many_as_there_can_be
