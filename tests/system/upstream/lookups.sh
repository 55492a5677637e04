#!/bin/sh
# SPDX-License-Identifier: ISC
# Copyright (c) 2026 The shuttled authors
#
# lookups.sh: a reload to names of hosts that nobody answers for. They are looked
# up beside the master, all at once, and it goes on with all that it has to do.
. "$(dirname "$0")/../lib.sh"

silent_names || skip 'names are not looked up as they have to be for this test'

# conf SERVER...: the configuration from now on, with these addresses.
conf() {
	{
		say 'workers: 2'
		say 'listen: { a: { address: "127.0.0.1:0"'
		say "${own_log:-} } }"
		say "${more:-}"
		say 'pool: { p: { server: {'
		n=0
		for address in "$@"; do
			n=$((n + 1))
			say "s$n: { address: \"$address\" },"
		done
		say '} } }'
	} >"$T/conf.new"
	mv "$T/conf.new" "$T/conf"
}

SILENT='silent-1:80 silent-2:80 silent-3:80 silent-4:80 silent-5:80'

# lookers N, for wait_for: so many processes look names up.
lookers() {
	n=0
	# shellcheck disable=SC2013 # words are what we want
	for pid in $(cat "/proc/$PID/task/$PID/children"); do
		! title "$pid" | grep -q 'looking names up' || n=$((n + 1))
	done
	[ $n -eq "$1" ]
}

# start: with addresses; then the configuration has names.
start() {
	echo_start
	more=
	conf "$SERVER"
	shuttled_start -c "$T/conf"
	# shellcheck disable=SC2086 # a list
	conf $SILENT "$SERVER"
}

# Everything else is done meanwhile.
master_is_not_deaf() {
	start
	signal HUP
	wait_for 5 lookers 5
	DEATHS=wanted
	kill -KILL "$(worker 1)"
	wait_for 5 log_reaches 2 'worker 1\[[0-9]*\] info: ready'
	signal TTIN
	wait_for 5 log_has 'workers: 3 (+1)'
	mv "$T/log" "$T/log.old"
	signal USR1
	wait_for 5 log_has 'log reopened'
	serves || fail 'it does not serve'
	lookers 5 || fail 'the look-ups are over'
	# These are not for the old one to keep.
	late_begin
	signal TERM
	shuttled_ended 0 5
	late_end
	took=$(ms_between 'stopping: ' ' ended: ')
	[ "$took" -lt $((1000 * TEST_SLOW + LATE)) ] ||
		fail "the end took $took ms"
	assert_log 'notice: reload: cancelled: the service ends'
	assert_not_log 'stays in use'
	DEATHS=
}

# QUIT ends no session for it.
quit_meanwhile() {
	start
	load_keep kept 4
	signal HUP
	wait_for 5 lookers 5
	signal QUIT
	wait_for 5 log_has 'quitting: 2 workers to drain'
	wait_for 5 lookers 0
	load_end_ok kept 4
	shuttled_ended 0 5
}

# One deadline for all, and then it is done: servers without an address are down.
# What comes meanwhile comes then, once each.
one_deadline() {
	start
	late_begin
	began=$(now_ms)
	signal HUP
	wait_for 5 lookers 5
	signal HUP
	signal HUP
	conf "$SERVER"
	wait_for 14 log_has 'reloaded: generation 2'
	late_end
	took=$(($(log_time 'silent-5:80": the lookup of the name timed out') - began))
	say "names without an answer: given up after $took ms"
	# The time that there is for names, once.
	[ "$took" -lt $((11000 * TEST_SLOW + LATE)) ] || fail "it took $took ms"
	# The one that was asked for meanwhile.
	wait_for 5 log_has 'reloaded: generation 3'
	serves || fail 'it does not serve'
	reload
	assert_eq 'reloads' 3 "$(log_count 'reloaded: generation')"
}

# An upgrade that is asked for meanwhile comes after it, and so does a reload that
# was asked for after that.
upgrade_meanwhile() {
	start
	signal TERM
	shuttled_ended 0
	conf "$SERVER"
	shuttled_daemon -c "$T/conf"
	# shellcheck disable=SC2086 # a list
	conf $SILENT "$SERVER"
	first=$PID
	signal HUP
	wait_for 5 lookers 5
	signal USR2
	signal HUP
	conf "$SERVER"
	assert_eq 'upgrades beside a reload' 0 "$(log_count 'upgrade: starting')"
	wait_for 14 log_has 'reloaded: generation 2'
	wait_for 10 log_has 'upgrade: process [0-9]* serves'
	assert_eq order 'reloaded reloaded upgrade' "$(grep -o \
	    -e 'reloaded' -e 'upgrade: starting' "$T/log" | head -n 3 |
	    sed 's/:.*//' | tr '\n' ' ' | sed 's/ $//')"
	PID=$(cat "$T/pid")
	also_end "$PID"
	wait_for 5 gone "$first"
	serves || fail 'it does not serve'
	daemon_stop QUIT
}

# start_silent ARGS...: one that waits for names; PID, and its look-ups in $asking.
start_silent() {
	# shellcheck disable=SC2086 # a list
	conf $SILENT "$SERVER"
	rm -f "$T/ports" "$T/log"
	# shellcheck disable=SC2086 # this is a list
	$SHUTTLED_WRAP "$SHUTTLED" "$@" -L "$T/log" --ports-file "$T/ports" \
	    -c "$T/conf" $SHUTTLED_ARGS 2>"$T/stderr" </dev/null &
	PID=$!
	also_end "$PID"
	wait_for 5 lookers 5
	asking=$(cat "/proc/$PID/task/$PID/children")
}

none_asks() {
	for pid in $asking; do
		gone "$pid" || return 1
	done
}

# What ends a service ends its start, with a word, and all that it has begun.
signals_end_the_start() {
	[ -z "$SHUTTLED_WRAP" ] || return 0
	echo_start
	more=
	for name in TERM:143 INT:130 QUIT:131; do
		for how in -F -t; do
			start_silent $how
			signal ${name%:*}
			reap "$PID" 5
			assert_eq "status after $name" ${name#*:} "$STATUS"
			grep -q 'while names are looked up: not started' \
			    "$T/stderr" || fail "$name: $(cat "$T/stderr")"
			wait_for 5 none_asks
			[ ! -e "$T/ports" ] || fail 'it was announced'
		done
	done
	# Nor are they left by one that could do nothing about it.
	start_silent -F
	kill -KILL "$PID"
	wait_for 5 none_asks
	forget "$PID"
	PID=
}

# What does not end it waits until it is done.
signals_during_the_start() {
	[ -z "$SHUTTLED_WRAP" ] || return 0
	echo_start
	more=
	start_silent -F
	for name in HUP USR1 TTIN; do
		signal $name
	done
	conf "$SERVER"
	wait_for 14 test -s "$T/ports"
	LISTEN=$(listener 1)
	wait_for 10 log_has 'reloaded: generation 2 has 2 workers'
	assert_log 'log reopened'
	assert_log 'workers: [0-9]* (+1)'
	serves || fail 'it does not serve'
}

# A start has the same deadline, and who answers is there at once.
start_with_silent_names() {
	echo_start
	more=
	# shellcheck disable=SC2086 # a list
	conf $SILENT "$SERVER"
	rm -f "$T/ports"
	began=$(now_ms)
	# shellcheck disable=SC2086 # this is a list
	$SHUTTLED_WRAP "$SHUTTLED" -F -L "$T/log" --ports-file "$T/ports" \
	    -c "$T/conf" $SHUTTLED_ARGS 2>"$T/stderr" </dev/null &
	PID=$!
	also_end "$PID"
	wait_for 14 test -s "$T/ports"
	say "names without an answer: started after $(($(now_ms) - began)) ms"
	LISTEN=$(listener 1)
	serves || fail 'it does not serve'
}

# Listeners, logs and checks cannot do without: they are asked for all the same,
# and then the reload is refused.
others_refuse() {
	start
	more='log: syslog+udp://silent-log:514/daemon'
	own_log=', log: syslog+tcp://silent-own/daemon'
	conf "$SERVER"
	signal HUP
	wait_for 5 lookers 2
	wait_for 14 log_has \
	    'reload: .*conf:4:[0-9]*: log .*silent-log.*: the lookup of the name timed out'
	assert_log 'reload: .*conf:3:[0-9]*: log .*silent-own.*: the lookup of the name timed out'
	assert_log 'reload: the configuration has errors; .* stays in use'
	own_log=
	serves || fail 'it does not serve'
}

run_cases master_is_not_deaf quit_meanwhile one_deadline upgrade_meanwhile \
    start_with_silent_names signals_end_the_start signals_during_the_start \
    others_refuse
