#!/bin/sh
# SPDX-License-Identifier: ISC
# Copyright (c) 2026 The shuttled authors
#
# openrc.sh: contrib/openrc/shuttled, with stand-ins for what OpenRC gives it: it
# says that the service has stopped when there is no process any more.
. "$(dirname "$0")/../lib.sh"

script=$(dirname "$0")/../../../contrib/openrc/shuttled
[ -r "$script" ] || skip "no $script"
[ -z "$SHUTTLED_WRAP" ] || skip 'the script takes no wrapper'

# stop STATUS [WAIT]: the script's, of the process in $T/pid.
stop() {
	status=0
	# shellcheck disable=SC2016 # for the other shell
	timeout $((60 * TEST_SLOW)) env RC_SVCNAME=shuttled SHUTTLED_OPTIONS= \
	    SHUTTLED_STOP_WAIT="${2:-30}" SCRIPT="$script" T="$T" sh -uc '
		ebegin() { echo "$*"; }
		eend() { return "$1"; }
		. "$SCRIPT"
		pidfile=$T/pid
		stop' >"$T/stop.out" 2>&1 </dev/null || status=$?
	assert_eq "status of stop ($(cat "$T/stop.out"))" "$1" "$status"
}

# stubborn ACTION: a process in $PID that acts so on QUIT. It takes its file with
# it first, as shuttled does.
stubborn() {
	mkdir -p "$T/bin"
	cat >"$T/bin/shuttled" <<-END
		trap 'rm "$T/pid"; $1' QUIT
		echo \$\$ >"$T/pid"
		while :; do sleep 0.1; done
	END
	sh "$T/bin/shuttled" &
	PID=$!
	also_end "$PID"
	wait_for 5 test -s "$T/pid"
}

stopped() {
	gone "$PID" || fail "process $PID still runs"
	forget "$PID"
}

stop_waits_for_the_process() {
	stubborn 'sleep 1; exit 0'
	stop 0
	stopped
	# As on a machine that crashed, and where there is nothing.
	echo "$PID" >"$T/pid"
	stop 0
	rm "$T/pid"
	stop 0
	# Another program has got its number.
	echo $$ >"$T/pid"
	stop 0
	rm "$T/pid"
}

stop_ends_sessions_in_the_end() {
	echo_start
	shuttled_daemon -l 127.0.0.1:0 -s "$SERVER" -w 1
	assert_eq 'status of the start' 0 "$STATUS"
	load_keep kept 2 -x
	stop 0 1
	stopped
	assert_log 'stopping: terminated'
	check_log
	load_end kept
	PID=
}

# A program that does not run says nothing of the configuration.
checkconfig_names_the_cause() {
	mkdir -p "$T/bin"
	for case in '0/' '78/the configuration is wrong' \
	    '73/a start would fail (exit status 73)' \
	    "3/$T/bin/shuttled does not run (exit status 3)"; do
		printf '#!/bin/sh\nexit %s\n' "${case%%/*}" >"$T/bin/shuttled"
		chmod +x "$T/bin/shuttled"
		status=0
		# shellcheck disable=SC2016 # for the other shell
		RC_SVCNAME=shuttled SHUTTLED_OPTIONS='' SCRIPT=$script T=$T \
		    sh -uc '
			eerror() { echo "$*"; }
			. "$SCRIPT"
			command=$T/bin/shuttled
			checkconfig' >"$T/check.out" 2>&1 </dev/null || status=$?
		assert_eq "status of $case" "${case%%/*}" "$status"
		assert_eq "words of $case" "${case#*/}" "$(cat "$T/check.out")"
	done
}

run_cases stop_waits_for_the_process stop_ends_sessions_in_the_end \
    checkconfig_names_the_cause
