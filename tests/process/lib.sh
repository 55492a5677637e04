# shellcheck shell=sh disable=SC2034 # some variables are for the tests
# SPDX-License-Identifier: ISC
# Copyright (c) 2026 The shuttled authors
#
# lib.sh: what the process tests share beyond the black-box tests: daemons,
# single workers, signals, times from the log, and the load client. From the
# environment:
#   LOAD ECHO   the helpers; default: tests/process/load and …/echo
# shellcheck source=../blackbox/lib.sh
. "$(dirname "$0")/../blackbox/lib.sh"

LOAD=${LOAD:-$(dirname "$PEER")/../process/load}
ECHO=${ECHO:-$(dirname "$PEER")/../process/echo}
for program in "$LOAD" "$ECHO"; do
	if [ ! -x "$program" ]; then
		echo "$0: no $program (set LOAD and ECHO)" >&2
		exit 99
	fi
done
# Hardly anybody resets here, and the options are what is looked at.
NO_KEEPALIVE=yes
# Nobody reads on (as in `stop.sh | head`): no reason to leave processes.
trap 'trap - EXIT PIPE; cleanup; exit 1' PIPE
# Deaths are wanted here, core files are not.
# shellcheck disable=SC3045 # where there are none, it may fail
ulimit -c 0 2>/dev/null || :

# slow: time is not what it is on bare metal, do not measure it.
slow() {
	[ "$TEST_SLOW" -gt 1 ]
}

# instrumented: a wrapper or a sanitizer makes processes large.
instrumented() {
	[ -n "$SHUTTLED_WRAP" ] || grep -q __asan_init "$SHUTTLED"
}

# rounds N: so many, fewer where each takes long.
rounds() {
	if slow; then
		say $((($1 + 4) / 5))
	else
		say "$1"
	fi
}

# --- processes ------------------------------------------------------------

# signal NAME: to the master.
signal() {
	kill -s "$1" "$PID" || fail "no shuttled to send $1 to"
}

# signal_group NAME PGID: to each process of the group. Shells differ in whether
# they take a -- before it.
signal_group() {
	kill -s "$1" -- "-$2" 2>/dev/null || kill -s "$1" "-$2" ||
		fail "no group $2 to send $1 to"
}

# reload [TIMES]: have it done, and wait until it is. The log may tell of
# earlier ones already.
reload() {
	for _ in $(seq "${1:-1}"); do
		reloads=$(log_count 'reloaded: generation')
		signal HUP
		wait_for 15 log_reaches $((reloads + 1)) 'reloaded: generation'
	done
}

# probers N, for wait_for: so many have been started.
probers() {
	log_reaches "$1" 'prober.* info: ready'
}

# worker N: the pid of the latest worker in this place that was ready.
worker() {
	sed -n "s/.* worker $1\\[\\([0-9]*\\)\\] info: ready.*/\\1/p" \
	    "$T/log" | tail -n 1
}

# prober: the pid of the one that was started last.
prober() {
	sed -n 's/.* prober\[\([0-9]*\)\] info: ready.*/\1/p' "$T/log" |
	    tail -n 1
}

# status_of PID FIELD: from /proc, blanks made one.
status_of() {
	sed -n "s/^$2:[[:space:]]*//p" "/proc/$1/status" | tr -s '\t ' ' ' |
	    sed 's/ *$//'
}

# living_workers: how many children the master has.
living_workers() {
	n=0
	# shellcheck disable=SC2013 # words are what we want
	for pid in $(cat "/proc/$PID/task/$PID/children" 2>/dev/null); do
		! alive "$pid" || n=$((n + 1))
	done
	say $n
}

# workers_are N, for wait_for.
workers_are() {
	[ "$(living_workers)" -eq "$1" ]
}

# title PID: up to the first zero byte. One as long as the command line was gets
# a blank from libbsd.
title() {
	tr '\0' '\n' 2>/dev/null <"/proc/$1/cmdline" | sed 's/ $//;q'
}

# titles: of the master and its workers, one a line, sorted.
titles() {
	for pid in "$PID" $(cat "/proc/$PID/task/$PID/children"); do
		title "$pid"
	done | sort
}

# titles_are LINE...: for wait_for.
titles_are() {
	[ "$(titles)" = "$(printf '%s\n' "$@" | sort)" ]
}

# group PGID: the processes of a group, zombies left out.
group() {
	for stat in /proc/[0-9]*/stat; do
		IFS= read -r line 2>/dev/null <"$stat" || continue
		# shellcheck disable=SC2086 # fields after the name
		set -- "$1" ${line##*) }
		[ "$4" != "$1" ] || [ "$2" = Z ] || say "${line%% *}"
	done
}

group_is_empty() {
	[ -z "$(group "$1")" ]
}

# cpu_ticks PID...: user and system time, in ticks of 10 ms.
cpu_ticks() {
	sum=0
	for pid in "$@"; do
		sum=$((sum + $(sed 's/.*) //' "/proc/$pid/stat" |
		    awk '{ print $12 + $13 }')))
	done
	say $sum
}

# also_end PID...: processes that are not our children, for the clean-up.
also_end() {
	started="$started $*"
}

# --- users -----------------------------------------------------------------

# Start it as somebody who has no rights; for with_wrap, and for root only.
AS_USER='setpriv --reuid 1 --regid 1 --clear-groups'

can_change_user() {
	[ "$(id -u)" -eq 0 ] && command -v setpriv >/dev/null
}

# with_wrap TEXT COMMAND...: TEXT stands before shuttled.
with_wrap() {
	saved_wrap=$SHUTTLED_WRAP
	SHUTTLED_WRAP="$1 $SHUTTLED_WRAP"
	shift
	"$@"
	SHUTTLED_WRAP=$saved_wrap
}

# --- starting -------------------------------------------------------------

# shuttled_start_group ARGS...: shuttled_start in a process group of its own,
# whose number is $PID.
shuttled_start_group() {
	saved_wrap=$SHUTTLED_WRAP
	SHUTTLED_WRAP="setsid $SHUTTLED_WRAP"
	shuttled_start "$@"
	SHUTTLED_WRAP=$saved_wrap
}

# shuttled_daemon ARGS...: as a daemon with $T/pid and $T/log; the status of
# the starting command in $STATUS, what it said in $T/start.out. Sets PID.
shuttled_daemon() {
	STATUS=0
	rm -f "$T/log"
	# shellcheck disable=SC2086 # these are lists
	timeout $((30 * TEST_SLOW)) $SHUTTLED_WRAP "$SHUTTLED" -L "$T/log" \
	    -p "$T/pid" --ports-file "$T/ports" "$@" $SHUTTLED_ARGS \
	    >"$T/start.out" 2>&1 </dev/null || STATUS=$?
	PID=
	[ "$STATUS" -eq 0 ] || return 0
	PID=$(cat "$T/pid")
	LISTEN=$(listener 1)
	also_end "$PID"
}

# daemon_stop [SIGNAL]: end it; it takes its files with it.
daemon_stop() {
	signal "${1:-QUIT}"
	wait_for 15 gone "$PID"
	forget "$PID"
	check_log
	[ ! -e "$T/pid" ] || fail 'the pidfile was left'
	[ ! -e "$T/ports" ] || fail 'the ports file was left'
	PID=
}

# shuttled_ended STATUS [SECONDS]: it ends by itself, or has been told to.
shuttled_ended() {
	wait_for "${2:-15}" gone "$PID"
	status=0
	wait "$PID" || status=$?
	forget "$PID"
	check_log
	assert_eq 'status of shuttled' "$1" "$status"
	[ ! -e "$T/ports" ] || fail 'the ports file was left'
	PID=
}

# serves: an echo comes back.
serves() {
	try_peer "connect $LISTEN; exchange 1000 1000 seed 1 seed 1; \
	    half-close; expect-eof"
}

refuses() {
	try_peer "connect-refused $LISTEN"
}

# silent_names: from here on names without dots that no other source has are not
# answered. The libc looks for aliases in a file then, and waits until that is
# written to. 1: not here.
silent_names() {
	command -v getent >/dev/null || return 1
	HOSTALIASES=$T/aliases
	export HOSTALIASES
	[ -p "$HOSTALIASES" ] || mkfifo "$HOSTALIASES"
	silence=0
	timeout 0.5 getent ahosts shuttled-test-silent >/dev/null 2>&1 ||
		silence=$?
	[ "$silence" -eq 124 ]
}

# --- time -----------------------------------------------------------------

now_ms() {
	date +%s%3N
}

# log_time PATTERN: of the last line that fits, in ms since 1970.
log_time() {
	stamp=$(grep -e "$1" "$T/log" | tail -n 1 | cut -d ' ' -f 1)
	[ -n "$stamp" ] || fail "the log has no line '$1'"
	date -d "$stamp" +%s%3N
}

# ms_between FROM TO: from the first line of the log that fits to the last one that
# fits the other pattern.
ms_between() {
	from=$(grep -m 1 -e "$1" "$T/log" | cut -d ' ' -f 1)
	to=$(grep -e "$2" "$T/log" | tail -n 1 | cut -d ' ' -f 1)
	[ -n "$from" ] || fail "the log has no line '$1'"
	[ -n "$to" ] || fail "the log has no line '$2'"
	say $(($(date -d "$to" +%s%3N) - $(date -d "$from" +%s%3N)))
}

# late_begin, late_end: how much later than it should anything runs on this machine
# in between: LATE is the most by which a sleep of 0.1 s was too long, in ms, and
# four times that, for as many steps one after the other. What is to come after a
# time has come half a second and LATE after it.
late_begin() {
	rm -f "$T/late.end"
	say 0 >"$T/late"
	late_watch &
	late_pid=$!
	started="$started $late_pid"
}

late_watch() {
	trap - EXIT
	most=0
	until [ -e "$T/late.end" ]; do
		before=$(now_ms)
		sleep 0.1
		late=$(($(now_ms) - before - 100))
		[ "$late" -gt "$most" ] || continue
		most=$late
		say "$most" >"$T/late"
	done
}

late_end() {
	: >"$T/late.end"
	wait_for 15 gone "$late_pid"
	wait "$late_pid" || :
	forget "$late_pid"
	LATE=$((4 * $(cat "$T/late")))
	say "late by up to $((LATE / 4)) ms"
}

# --- load -----------------------------------------------------------------

# echo_start: a server that echoes, one for all cases of a test; its address
# in $SERVER.
ECHO_PID=
echo_start() {
	if [ -n "$ECHO_PID" ] && alive "$ECHO_PID"; then
		SERVER=$(cat "$T/echo")
		return 0
	fi
	"$ECHO" >"$T/echo" 2>"$T/echo.out" </dev/null &
	ECHO_PID=$!
	started="$started $!"
	wait_for 10 test -s "$T/echo"
	SERVER=$(cat "$T/echo")
}

# load_start NAME ARGS...: a load client on $LISTEN; see load.c.
load_start() {
	name=$1
	shift
	: >"$T/$name.report"
	"$LOAD" -T $((20000 * TEST_SLOW)) -s "$T/$name.report" "$@" "$LISTEN" \
	    >"$T/$name.out" 2>&1 </dev/null &
	eval "load_$name=$!"
	started="$started $!"
	# From then on TERM means to finish, and not to die.
	wait_for 5 load_is "$name" started
}

# load_is NAME WORD [COUNT]: its report says "started", "connected", "ready" or
# "eof".
load_is() {
	[ "$(grep -c -e "^$2\$" "$T/$1.report" 2>/dev/null || :)" \
	    -ge "${3:-1}" ]
}

load_wait() {
	wait_for 20 load_is "$1" ready
}

# load_end NAME [SIGNAL]: finish what it has open, and wait for its account.
load_end() {
	eval "pid=\$load_$1"
	kill -s "${2:-TERM}" "$pid" 2>/dev/null || :
	load_ended "$1"
}

# load_ended NAME: it comes to its end by itself.
load_ended() {
	eval "pid=\$load_$1"
	wait_for 60 gone "$pid"
	status=0
	wait "$pid" || status=$?
	forget "$pid"
	assert_eq "status of load $1" 0 "$status"
}

# load_count NAME kept|loop RESULT...: the sum of these.
load_count() {
	file=$T/$1.out
	which=$2
	shift 2
	sum=0
	for result in "$@"; do
		n=$(sed -n "s/^$which .*\\<$result=\\([0-9]*\\).*/\\1/p" \
		    "$file")
		sum=$((sum + ${n:-0}))
	done
	say $sum
}

# load_all_ok NAME KEPT: all kept connections and all loops went well.
load_all_ok() {
	for which in kept loop; do
		assert_eq "$1: $which connections that failed" 0 \
		    "$(load_count "$1" $which refused reset cut timeout \
		    wrong other)"
	done
	assert_eq "$1: kept connections" "$2" "$(load_count "$1" kept ok)"
}
