#!/bin/sh
# SPDX-License-Identifier: ISC
# Copyright (c) 2026 The shuttled authors
#
# kill.sh: workers that die. Nobody but their own sessions notices, others
# take their place, soon but not at any price.
. "$(dirname "$0")/../lib.sh"
DEATHS=wanted

# clients_of PID FROM: the clients in the session starts of this worker,
# after the first FROM lines of the log.
clients_of() {
	tail -n "+$(($2 + 1))" "$T/log" |
	    sed -n "s/.*\\[$1\\] debug: session start id=[^ ]* client=\\([^ ]*\\) .*/\\1/p" |
	    sort
}

# obituary PID: how many sessions it says were lost.
obituary() {
	sed -n "s/.* pid $1 ended: .* \\([0-9]*\\) sessions* lost.*/\\1/p" \
	    "$T/log"
}

ready_again() {
	[ -n "$(worker "$1")" ] && [ "$(worker "$1")" != "$2" ]
}

# kill_worker N: with a load on all of them. Adds to $lost, lowers $best.
kill_worker() {
	from=$(wc -l <"$T/log")
	load_keep kept 60 -b 5000
	victim=$(worker "$1")
	clients_of "$victim" "$from" >"$T/expected"
	ended=$(log_count 'session end')
	load_start busy -c 12 -p 5
	wait_for 5 log_reaches $((ended + 50)) 'session end'

	killed=$(now_ms)
	kill -KILL "$victim"
	wait_for 5 ready_again "$1" "$victim"
	born=$(log_time "worker $1\\[$(worker "$1")\\] info: ready")
	[ $((born - killed)) -ge "$best" ] || best=$((born - killed))

	wait_for 5 serves
	load_end busy
	load_end kept
	sed -n 's/^lost \([^ ]*\) .*/\1/p' "$T/kept.out" | sort >"$T/lost"
	assert_eq 'kept connections that ended' "$(cat "$T/expected")" \
	    "$(cat "$T/lost")"
	kept=$(wc -l <"$T/lost")
	lost=$((lost + kept))
	busy=$(load_count busy loop cut reset)
	assert_eq 'failures other than a cut' 0 \
	    "$(load_count busy loop refused timeout wrong other)"
	assert_eq 'kept ones that failed otherwise' 0 \
	    "$(load_count kept kept refused timeout wrong other)"
	# A session whose client has its end of file may still be one; of those
	# just accepted one may have died before it was counted.
	assert_between "sessions lost in the obituary (kept $kept, busy $busy)" \
	    $((kept + (busy > 0 ? busy - 1 : 0))) $((kept + 12)) \
	    "$(obituary "$victim")"
	assert_log "worker $1 pid $victim ended: killed by signal 9"
	say "worker $1: back after $((born - killed)) ms; lost: $kept of 60" \
	    "kept, $busy of 12 busy, obituary $(obituary "$victim");" \
	    "$(load_count busy loop ok) more went well"
}

only_its_sessions_end() {
	echo_behind -w 4 -v
	best=1000000
	lost=0
	for place in 1 2 3 4; do
		kill_worker $place
	done
	[ "$lost" -gt 0 ] || fail 'no worker had a session'
	workers_are 4 || fail "there are $(living_workers) workers"
	# Four at once would be luck; each time in time is the scheduler's.
	slow || assert_between 'ms until the worker was back' 0 100 "$best"
	signal TERM
	shuttled_ended 0
}

# The slot of a server is free again: the board says so by its obituaries.
all_workers_at_once() {
	echo_behind -w 4
	load_keep kept 40
	victims=$(worker_pids)
	# shellcheck disable=SC2086 # a list
	kill -KILL $victims
	for victim in $victims; do
		assert_log "pid $victim ended: killed by signal 9"
	done
	sum=0
	for victim in $victims; do
		sum=$((sum + $(obituary "$victim")))
	done
	assert_eq 'sessions in the obituaries' 40 $sum
	wait_for 5 workers_are 4
	wait_for 5 serves
	load_end kept
	assert_eq 'connections that ended' 40 \
	    "$(load_count kept kept cut reset)"
	signal TERM
	shuttled_ended 0
}

# gap N PLACE: ms from the N-th obituary of this place to the next ready.
gap() {
	awk -v n="$1" -v place="$2" '
	function ms(t,  p) {
		split(substr(t, 12, 12), p, ":")
		return (p[1] * 3600 + p[2] * 60 + p[3]) * 1000
	}
	$0 ~ "worker " place " pid [0-9]+ ended" && ++seen == n {
		since = ms($1)
	}
	$0 ~ "worker " place "\\[[0-9]+\\] info: ready" && since {
		ms_gap = ms($1) - since
		if (ms_gap < 0)
			ms_gap += 86400000
		printf "%d\n", ms_gap
		exit
	}' "$T/log"
}

# Signals that sanitizers and valgrind do not report as an error of ours.
crash_loop_backs_off() {
	shuttled_start -l 127.0.0.1:0 -s builtin:echo -w 2
	for death in 1 2 3; do
		victim=$(worker 1)
		if [ $death = 2 ]; then
			kill -s ALRM "$victim"
		else
			kill -s KILL "$victim"
		fi
		wait_for 5 gone "$victim"
		assert_log "worker 1 pid $victim ended: "
		serves || fail 'the other worker does not serve'
		wait_for 10 ready_again 1 "$victim"
	done
	assert_log 'ended: killed by signal 14 (Alarm clock), age '
	say "respawned after $(gap 1 1), $(gap 2 1), $(gap 3 1) ms"
	assert_log 'respawned at once'
	assert_log 'respawned in 1 s'
	assert_log 'respawned in 2 s'
	assert_between 'second gap' 990 5000 "$(gap 2 1)"
	assert_between 'third gap' 1990 6000 "$(gap 3 1)"
	workers_are 2 || fail "there are $(living_workers) workers"
	# The next one waits 4 s: no reason to wait with the end.
	kill -KILL "$(worker 1)"
	assert_log 'respawned in 4 s'
}

# A new worker inherits this limit of the master and cannot serve one session.
starve() {
	prlimit --pid "$PID" --nofile=15:15
}

# And one that does not. 1: not everybody may raise a limit again.
feed() {
	prlimit --pid "$PID" --nofile=1024:1024 2>/dev/null
}

# What a worker lacks at its start may be there again: it is tried for ever, by
# and by less often, and the service goes on although none is left.
one_that_cannot_start_is_tried_again() {
	if ! command -v prlimit >/dev/null; then
		say 'left out: no prlimit'
		return 0
	fi
	echo_behind -w "$1"
	starve
	place=0
	while [ $place -lt "$1" ]; do
		place=$((place + 1))
		kill -KILL "$(worker $place)"
		wait_for 10 log_has \
		    "worker $place pid [0-9]* ended: exit code 2, .*respawned in 1 s"
	done
	load_start waiting -k 3
	wait_for 5 load_is waiting connected
	alive "$PID" || fail 'the service ended'
	if feed; then
		wait_for 15 workers_are "$1"
		load_wait waiting
		load_end_ok waiting 3
		serves || fail 'it does not serve'
	fi
	shuttled_stop
}

the_only_one_cannot_start() {
	one_that_cannot_start_is_tried_again 1
}

none_can_start() {
	one_that_cannot_start_is_tried_again 2
}

# The last worker that serves is one that is on its way out.
no_worker_left_after_a_drain() {
	command -v prlimit >/dev/null || return 0
	echo_behind -w 2
	load_keep kept 30
	signal TTOU
	assert_log 'worker 2\[[0-9]*\] notice: draining'
	starve
	kill -KILL "$(worker 1)"
	assert_log 'worker 1 pid [0-9]* ended: exit code 2'
	load_end kept
	wait_for 5 log_has 'worker 2 pid [0-9]* ended: exit code 0'
	signal QUIT
	shuttled_ended 0 5
}

# WINCH keeps the master, whatever happened to workers before.
winch_after_exit_code_2() {
	command -v prlimit >/dev/null || return 0
	echo_behind -w 2
	starve
	kill -KILL "$(worker 1)"
	assert_log 'worker 1 pid [0-9]* ended: exit code 2'
	last=$(worker 2)
	signal WINCH
	assert_log "worker 2 pid $last ended: exit code 0"
	signal USR1
	assert_log 'log reopened'
	if feed; then
		signal TTIN
		wait_for 5 workers_are 1
		wait_for 5 serves
	fi
}

cannot_start_at_all() {
	STATUS=0
	(
		# shellcheck disable=SC3045 # dash and bash have it
		ulimit -n 15
		shuttled_try -l 127.0.0.1:0 -s builtin:echo -w 2 \
		    --ports-file "$T/ports"
		exit "$STATUS"
	) || STATUS=$?
	assert_eq status 71 "$STATUS"
	grep -q 'worker [0-9]* could not start' "$T/try.out" ||
		fail "it does not say why: $(cat "$T/try.out")"
	[ ! -e "$T/ports" ] || fail 'the ports file was left'
}

run_cases only_its_sessions_end all_workers_at_once crash_loop_backs_off
# A wrapper needs descriptors of its own.
if [ -z "$SHUTTLED_WRAP" ]; then
	run_cases the_only_one_cannot_start none_can_start \
	    no_worker_left_after_a_drain winch_after_exit_code_2 \
	    cannot_start_at_all
fi
