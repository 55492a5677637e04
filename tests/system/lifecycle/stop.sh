#!/bin/sh
# SPDX-License-Identifier: ISC
# Copyright (c) 2026 The shuttled authors
#
# stop.sh: TERM and INT end everything at once, at any moment: with sessions,
# at start-up, while a worker is born, and with a worker that does not answer.
. "$(dirname "$0")/../lib.sh"
DEATHS=wanted

# with_sessions SIGNAL
with_sessions() {
	echo_behind -w 3
	load_keep kept 30
	signal "$1"
	shuttled_ended 0 2
	load_ended kept
	assert_eq 'clients that saw the end' 30 \
	    "$(load_count kept kept cut reset)"
	assert_eq 'sessions stopped' 30 "$(log_count 'end=proxy.stop')"
	refuses || fail 'somebody still listens'
}

term() {
	with_sessions TERM
}

int() {
	with_sessions INT
}

# As the terminal does on ctrl-C: the workers get it, too.
int_to_the_whole_group() {
	echo_start
	shuttled_start_group -l 127.0.0.1:0 -s "$SERVER" -w 3
	load_keep kept 30
	signal_group INT "$PID"
	pgid=$PID
	shuttled_ended 0 2
	load_ended kept
	group_is_empty "$pgid" || fail "left: $(group "$pgid")"
	assert_eq 'sessions stopped' 30 "$(log_count 'end=proxy.stop')"
	assert_not_log 'respawned [ai]'
}

# And ctrl-\.
quit_to_the_whole_group() {
	echo_start
	shuttled_start_group -l 127.0.0.1:0 -s "$SERVER" -w 3
	load_keep kept 30
	signal_group QUIT "$PID"
	pgid=$PID
	wait_for 5 refuses
	load_end_ok kept 30
	shuttled_ended 0 3
	group_is_empty "$pgid" || fail "left: $(group "$pgid")"
	assert_not_log 'respawned [ai]'
}

# It is killed after 5 s. More signals do not make it later.
a_worker_that_does_not_answer() {
	shuttled_start -l 127.0.0.1:0 -s builtin:echo -w 2
	stuck=$(worker 2)
	kill -STOP "$stuck"
	late_begin
	signal TERM
	for delay in 1 1 1; do
		sleep $delay
		again=$(now_ms)
		signal TERM
	done
	shuttled_ended 0 8
	late_end
	took=$(ms_between 'stopping: ' 'killing what is left')
	say "killed after $took ms"
	slow || assert_between 'ms until it is killed' 4990 $((5500 + LATE)) \
	    "$took"
	# However late all that was, the last one does not count.
	took=$(($(log_time 'killing what is left') - again))
	[ "$took" -lt 4900 ] || fail "killed $took ms after the last TERM"
	gone "$stuck" || fail 'the worker was left'
	assert_log 'killing what is left: 1 worker$'
	assert_log "worker 2 pid $stuck ended: killed by signal 9"
}

# A shell has INT and QUIT ignored in what it starts with &. That makes them
# no signals at all until shuttled looks after them itself.
undo=
names=TERM
if [ -z "$SHUTTLED_WRAP" ] && env --default-signal=INT,QUIT true 2>/dev/null; then
	undo='env --default-signal=INT,QUIT'
	names='TERM QUIT INT'
fi

# start_and_signal DELAY SIGNAL ARGS...: the moments are spread over start-up.
start_and_signal() {
	delay=$1
	name=$2
	shift 2
	rm -f "$T/ports" "$T/log" "$T/stderr"
	# shellcheck disable=SC2086 # these are lists
	setsid $undo $SHUTTLED_WRAP "$SHUTTLED" -F -L "$T/log" -p "$T/pid" \
	    --ports-file "$T/ports" -l 127.0.0.1:0 -s builtin:echo "$@" \
	    $SHUTTLED_ARGS 2>"$T/stderr" </dev/null &
	PID=$!
	started="$started $PID"
	pgid=$PID
	# Those who start it may ignore signals; that is not the matter here.
	comm=
	until [ "$comm" = shuttled ] || [ -n "$SHUTTLED_WRAP" ]; do
		IFS= read -r comm 2>/dev/null <"/proc/$PID/comm" ||
			fail 'it has ended by itself'
	done
	if [ "$delay" = announced ]; then
		until [ -s "$T/ports" ]; do
			alive "$PID" || fail 'it has ended by itself'
		done
	else
		sleep "$delay"
	fi
	kill -s "$name" "$PID" || fail 'it has ended by itself'
	reap "$PID"
	group_is_empty "$pgid" || fail "left: $(group "$pgid")"
	check_log
	case $STATUS in
	0)
		graceful=$((graceful + 1))
		[ ! -e "$T/ports" ] || fail "the ports file was left: $*"
		[ ! -e "$T/pid" ] || fail "the pidfile was left: $*"
		;;
	143 | 130 | 131)
		# Before the signal was looked for. Nothing may be announced.
		early=$((early + 1))
		[ ! -e "$T/ports" ] || fail "killed when it was ready: $*"
		;;
	*)
		fail "status $STATUS after $name at $delay s: $*"
		;;
	esac
	rm -f "$T/pid"
}

any_moment() {
	graceful=0
	early=0
	ms=0
	while [ $ms -lt "$(rounds 15)" ]; do
		for name in $names; do
			start_and_signal "0.0$((ms / 10))$((ms % 10))" \
			    "$name" "$@"
		done
		ms=$((ms + 1))
	done
	say "$graceful ended in good order, $early by the signal"
	# A wrapper takes too long to begin for these moments.
	[ "$graceful" -gt 0 ] || [ -n "$SHUTTLED_WRAP" ] ||
		fail 'not one of them'
}

# Who waits for the ports file may signal from then on.
as_soon_as_it_is_announced() {
	graceful=0
	early=0
	i=0
	while [ $i -lt "$(rounds 15)" ]; do
		start_and_signal announced TERM "$@"
		i=$((i + 1))
	done
	assert_eq 'killed by the signal' 0 $early
}

announced_with_workers() {
	as_soon_as_it_is_announced -w 2
}

announced_by_one_process() {
	as_soon_as_it_is_announced -w 0 -u root
}

at_any_moment_of_the_start() {
	any_moment -w 3
}

at_any_moment_of_the_start_of_one_process() {
	any_moment -w 0 -u root
}

# during_a_respawn DELAY SIGNAL
during_a_respawn() {
	shuttled_start_group -l 127.0.0.1:0 -s builtin:echo -w 2
	pgid=$PID
	kill -KILL "$(worker 1)"
	sleep "$1"
	signal "$2"
	shuttled_ended 0 8
	group_is_empty "$pgid" || fail "left: $(group "$pgid")"
	assert_not_log 'killing'
}

at_any_moment_of_a_respawn() {
	ms=0
	while [ $ms -lt "$(rounds 10)" ]; do
		for name in TERM QUIT; do
			during_a_respawn 0.00$ms $name
		done
		ms=$((ms + 1))
	done
}

# Who starts us may ignore the end of its children; we must not inherit that.
with_chld_ignored() {
	if ! env --ignore-signal=CHLD true 2>/dev/null; then
		say 'left out: env cannot ignore signals'
		return 0
	fi
	saved_wrap=$SHUTTLED_WRAP
	SHUTTLED_WRAP="env --ignore-signal=CHLD $SHUTTLED_WRAP"
	shuttled_start -l 127.0.0.1:0 -s builtin:echo -w 2
	SHUTTLED_WRAP=$saved_wrap
	victim=$(worker 1)
	kill -KILL "$victim"
	assert_log "pid $victim ended"
	wait_for 5 workers_are 2
	signal TERM
	shuttled_ended 0 3
}

# A worker is sent off in the same moment in which it is born.
after_the_birth_of_a_worker() {
	i=0
	while [ $i -lt "$(rounds 15)" ]; do
		shuttled_start_group -l 127.0.0.1:0 -s builtin:echo -w 1
		pgid=$PID
		signal TTIN
		signal QUIT
		shuttled_ended 0 8
		group_is_empty "$pgid" || fail "left: $(group "$pgid")"
		i=$((i + 1))
	done
}

run_cases term int int_to_the_whole_group quit_to_the_whole_group \
    a_worker_that_does_not_answer at_any_moment_of_the_start \
    at_any_moment_of_a_respawn with_chld_ignored after_the_birth_of_a_worker
run_cases announced_with_workers
if [ "$(id -u)" -eq 0 ]; then
	run_cases announced_by_one_process at_any_moment_of_the_start_of_one_process
fi
