# shellcheck shell=sh disable=SC2034 # some variables are for the tests
# SPDX-License-Identifier: ISC
# Copyright (c) 2026 The shuttled authors
#
# lib.sh: what the system tests share; a test begins with
# `. "$(dirname "$0")/../lib.sh"`. Everything started here is ended by its pid,
# and every wait has a deadline. From the environment:
#   SHUTTLED       the program; default: in this or the src directory
#   SHUTTLED_ARGS  appended to its arguments, e.g. '-e select'
#   SHUTTLED_WRAP  put before it, e.g. 'valgrind -q --vgdb=no'
#   TOOLS          where peer, echo and load are; default: tests/system/tools
#   TEST_SLOW      factor for all deadlines; default 1, with a wrapper 5
#   TEST_CASES     names of the cases to run; default: all
#   TEST_TAIL      so many last lines of each file are shown then; default 20
#   TEST_KEEP      not empty: leave the directory of a failed test
# The functions speak of one shuttled at a time, and of peers by name:
#   T              the directory of this test
#   PID LISTEN     of shuttled: its master, and its first listener's address
set -eu
LC_ALL=C
export LC_ALL
# Workers are another user, who reaches what we make unless we say otherwise.
umask 022
# Some tests leave shuttled few descriptors: it must not inherit any of others'.
exec 3<&- 4<&- 5<&- 6<&- 7<&- 8<&- 9<&-

if [ -z "${SHUTTLED:-}" ]; then
	SHUTTLED=./shuttled
	[ -x "$SHUTTLED" ] || SHUTTLED=src/shuttled
fi
TOOLS=${TOOLS:-tests/system/tools}
PEER=$TOOLS/peer
SHUTTLED_ARGS=${SHUTTLED_ARGS:-}
SHUTTLED_WRAP=${SHUTTLED_WRAP:-}
if [ -n "$SHUTTLED_WRAP" ]; then
	TEST_SLOW=${TEST_SLOW:-5}
	# A tool around a worker opens files and more, in its name.
	SHUTTLED_ARGS="$SHUTTLED_ARGS --sandbox off"
fi
TEST_SLOW=${TEST_SLOW:-1}
for program in "$SHUTTLED" "$PEER"; do
	if [ ! -x "$program" ]; then
		echo "$0: no $program (set SHUTTLED and TOOLS)" >&2
		exit 99
	fi
done
# Deaths are wanted here, core files are not.
# shellcheck disable=SC3045 # where there are none, it may fail
ulimit -c 0 2>/dev/null || :

# The path of a unix socket has 107 bytes: a long TMPDIR is not for us.
tmp=${TMPDIR:-/tmp}
[ ${#tmp} -le 40 ] || tmp=/tmp
T=$(mktemp -d "$tmp/shuttled-test.XXXXXX")
chmod 755 "$T"		# the workers are another user
PID=
LISTEN=
case_name=
started=		# pids of all that may still run
case_peers=		# names of the peers of this case
trap 'STATUS=$?; trap - EXIT; cleanup; exit $STATUS' EXIT
trap 'exit 1' HUP INT TERM
# Nobody reads on (as in `stop.sh | head`): no reason to leave processes.
trap 'trap - EXIT PIPE; cleanup; exit 1' PIPE

# say TEXT...
say() {
	printf '%s\n' "$*"
}

# fail TEXT...: end the test, and show what there is to see.
fail() {
	trap - EXIT
	say "FAILED${case_name:+ ($case_name)}: $*"
	for file in "$T"/log "$T"/stderr "$T"/*.out; do
		[ -s "$file" ] || continue
		say "--- ${file##*/}, last lines"
		tail -n "${TEST_TAIL:-20}" "$file"
	done
	failed=yes
	cleanup
	exit 1
}

# A zombie is ended, too: it waits for us only.
alive() {
	IFS= read -r stat 2>/dev/null <"/proc/$1/stat" || return 1
	case ${stat##*)} in
	" Z"* | " X"*) return 1 ;;
	esac
}

gone() {
	! alive "$1"
}

cleanup() {
	for pid in $started; do
		kill -TERM "$pid" 2>/dev/null || :
	done
	for pid in $started; do
		try_for 3 gone "$pid" || kill -KILL "$pid" 2>/dev/null || :
		wait "$pid" 2>/dev/null || :
	done
	started=
	if [ -n "${failed:-}" ] && [ -n "${TEST_KEEP:-}" ]; then
		say "left: $T"
	else
		rm -rf "$T"
	fi
}

# forget PID: it has been waited for.
forget() {
	rest=
	for pid in $started; do
		[ "$pid" = "$1" ] || rest="$rest $pid"
	done
	started=$rest
}

# reap PID [SECONDS]: a child of ours ends by itself, or has been told to. Its
# status is in $STATUS.
reap() {
	wait_for "${2:-15}" gone "$1"
	STATUS=0
	wait "$1" || STATUS=$?
	forget "$1"
}

# try_for SECONDS COMMAND...: until it holds. 1: it did not.
try_for() {
	tries=$(($1 * TEST_SLOW * 50))
	shift
	until "$@"; do
		tries=$((tries - 1))
		[ "$tries" -gt 0 ] || return 1
		sleep 0.02
	done
}

# wait_for SECONDS COMMAND...: fail if it does not hold by then. So many are what
# an idle machine needs at most; a busy one may take four times as long.
wait_for() {
	limit=$(($1 * 4))
	shift
	try_for "$limit" "$@" ||
		fail "not within $((limit * TEST_SLOW)) s: $*"
}

# assert_eq WHAT EXPECTED SEEN
assert_eq() {
	[ "$2" = "$3" ] || fail "$1: expected '$2', got '$3'"
}

# assert_between WHAT LOW HIGH SEEN
assert_between() {
	# So that what is no number at all fails, too.
	if ! [ "$4" -ge "$2" ] || ! [ "$4" -le "$3" ]; then
		fail "$1: expected $2 to $3, got '$4'"
	fi
}

# within N EACH: N, or as many as there are descriptors for, EACH of them for
# each, in a process of a test; some are for other things.
within() {
	# shellcheck disable=SC3045 # where there is none, it may fail
	most=$(ulimit -H -n 2>/dev/null) || most=256
	[ "$most" != unlimited ] || most=1048576
	most=$(((most - 24) / $2))
	if [ "$1" -lt "$most" ]; then
		say "$1"
	else
		say "$most"
	fi
}

have_ipv6() {
	"$PEER" -c 'listen [::1]:0' >/dev/null 2>&1
}

# skip TEXT...: this test cannot run here.
skip() {
	say "SKIPPED: $*"
	exit 77
}

# case_is NAME: say which part of the test runs.
case_is() {
	case_name=$*
	say "case: $*"
}

# run_cases FUNCTION...: each is a case of its own, which ends what it started.
run_cases() {
	for function in "$@"; do
		case " ${TEST_CASES:-$function} " in
		*" $function "*)
			case_is "$function"
			case_peers=
			case_pid=$PID
			"$function"
			case_end
			;;
		esac
	done
}

# case_end: clients come to the end of their scripts, shuttled ends well, then
# its servers: all of it held. What the case has ended itself is left out.
case_end() {
	case_ends wait peer_wait
	case "$PID:$case_pid:$started " in
	:* | "$PID:$PID:"*) ;;
	*" $PID "*)
		if [ "$(status_of "$PID" PPid)" = $$ ]; then
			shuttled_stop
		else
			daemon_stop QUIT
		fi
		;;
	esac
	case_ends stop peer_stop
	case_ends release peers_release
}

# case_ends HOW COMMAND: for the peers of the case that are to end like that.
case_ends() {
	for case_peer in $case_peers; do
		eval "set -- $1 $2 \$ends_$case_peer \$peer_$case_peer"
		case "$3 $started " in
		"$1 "*" $4 "*) "$2" "$case_peer" ;;
		esac
	done
}

# --- shuttled -------------------------------------------------------------

log_has() {
	grep -q -e "$1" "$T/log" 2>/dev/null
}

log_count() {
	grep -c -e "$1" "$T/log" 2>/dev/null || :
}

# assert_log PATTERN: a line that fits comes, soon.
assert_log() {
	try_for 20 log_has "$1" || fail "the log has no line '$1'"
}

assert_not_log() {
	! log_has "$1" || fail "the log has a line '$1'"
}

# log_reaches COUNT PATTERN: the log has at least so many.
log_reaches() {
	[ "$(log_count "$2")" -ge "$1" ]
}

# session_field NAME: of the last session in the log.
session_field() {
	sed -n "s/.*session end .*[ ]$1=\\([^ ]*\\).*/\\1/p" "$T/log" |
	    tail -n 1
}

# listener N: the address of the N-th -l.
listener() {
	sed -n "$1p" "$T/ports"
}

# shuttled_try ARGS...: run it until it ends by itself; status in $STATUS.
shuttled_try() {
	STATUS=0
	# shellcheck disable=SC2086 # these are lists
	timeout $((20 * TEST_SLOW)) $SHUTTLED_WRAP "$SHUTTLED" -F "$@" \
	    $SHUTTLED_ARGS >"$T/try.out" 2>&1 </dev/null || STATUS=$?
}

# shuttled_fails STATUS ARGS...: it ends by itself with that.
shuttled_fails() {
	fails_with=$1
	shift
	shuttled_try "$@"
	[ "$STATUS" -eq "$fails_with" ] ||
		fail "status $STATUS, not $fails_with: $* ($(cat "$T/try.out"))"
}

# shuttled_does ARGS...: it ends by itself and well, as -t does.
shuttled_does() {
	shuttled_fails 0 "$@"
}

# try_said PATTERN: the last one that ended by itself.
try_said() {
	grep -q -e "$1" "$T/try.out" ||
		fail "it does not say '$1': $(cat "$T/try.out")"
}

ready() {
	[ -s "$T/ports" ] || ! alive "$PID"
}

# shuttled_start ARGS...: in the foreground of a process of its own, with an
# own log. Sets PID and LISTEN once it listens. A reset that the network loses
# is not sent again: tests with resets set KEEPALIVE to a time, which holds where
# they give no configuration of their own.
shuttled_start() {
	rm -f "$T/ports" "$T/log" "$T/stderr"
	case "${KEEPALIVE:+$* }" in
	'' | -c\ * | *\ -c\ *) ;;
	*)
		say "keepalive: $KEEPALIVE" >"$T/shuttled.yaml"
		set -- -c "$T/shuttled.yaml" "$@"
		;;
	esac
	# shellcheck disable=SC2086 # these are lists
	$SHUTTLED_WRAP "$SHUTTLED" -F -L "$T/log" --ports-file "$T/ports" \
	    "$@" $SHUTTLED_ARGS 2>"$T/stderr" </dev/null &
	PID=$!
	started="$started $PID"
	wait_for 10 ready
	alive "$PID" || fail "shuttled ended at start: $*"
	LISTEN=$(listener 1)
}

# What a sanitizer, valgrind, or an assert had to say; and that no worker died,
# unless the test has set DEATHS to something.
check_log() {
	[ -n "${DEATHS:-}" ] || ! grep -E -e "$death" "$T/log" ||
		fail "see above"
	for file in "$T/log" "$T/stderr"; do
		[ -s "$file" ] || continue
		! grep -E -e 'Sanitizer|[Aa]ssert|runtime error|^==[0-9]+==' \
		    "$file" || fail "see above"
	done
}

# gives_up_root: the process that made the files has done so, or is about to, as
# the only process has with -w 0.
gives_up_root() {
	[ "$(id -u)" -eq 0 ] || return 1
	[ "$(uid_of "$PID")" = 0 ] || return 0
	tr '\0' ' ' <"/proc/$PID/cmdline" | grep -q '^shuttled: single'
}

# shuttled_end SIGNAL: it ends with status 0 and has nothing to hide.
shuttled_end() {
	own=yes
	! gives_up_root || own=no
	kill -"$1" "$PID" || fail "shuttled has died"
	reap "$PID"
	check_log
	assert_eq "status of shuttled after $1" 0 "$STATUS"
	[ $own = no ] || [ ! -e "$T/ports" ] || fail "the ports file was left"
	PID=
}

shuttled_stop() {
	shuttled_end QUIT
}

death=' ended: (killed|exit code [1-9])'

uid_of() {
	sed -n 's/^Uid:[^0-9]*\([0-9]*\).*/\1/p' "/proc/$1/status"
}

# worker_pids: one a line; with -w 0 the only process.
worker_pids() {
	# shellcheck disable=SC2013 # words are what we want
	for pid in $(cat "/proc/$PID/task/$PID/children"); do
		say "$pid"
	done | grep . || say "$PID"
}

# rss_kib PID
rss_kib() {
	sed -n 's/^VmRSS:[^0-9]*\([0-9]*\) kB$/\1/p' "/proc/$1/status"
}

# peer [OPTIONS] SCRIPT: run it here and now, it has to hold. Its output is
# in $T/peer.out.
peer() {
	try_peer "$@" || fail "peer: the script did not hold: $*"
}

# try_peer [OPTIONS] SCRIPT: the same, but the status is the answer.
try_peer() {
	options=
	while [ $# -gt 1 ]; do
		options="$options $1"
		shift
	done
	# shellcheck disable=SC2086 # this is a list
	"$PEER" -t $((10000 * TEST_SLOW)) -l $((300 * TEST_SLOW)) $options \
	    -c "$1" >"$T/peer.out" 2>&1 </dev/null
}

# peer_start NAME SCRIPT: in the background; see peer_wait and peer_stop. If
# the script has a port-file $T/NAME it is waited for.
peer_start() {
	rm -f "$T/$1"
	"$PEER" -t $((15000 * TEST_SLOW)) -l $((300 * TEST_SLOW)) -c "$2" \
	    >"$T/$1.out" 2>&1 </dev/null &
	eval "peer_$1=$! ends_$1=wait"
	started="$started $!"
	case_peers="$case_peers $1"
	case $2 in
	*'serve any'*) eval "ends_$1=stop" ;;
	*"wait-file $T/end") eval "ends_$1=release" ;;
	esac
	case $2 in
	*"port-file $T/$1"*) wait_for 10 peer_ready "$1" "$!" ;;
	esac
}

peer_ready() {
	[ -s "$T/$1" ] || ! alive "$2"
}

# peer_wait NAME...: each comes to the end of its script, and it held.
peer_wait() {
	for name in "$@"; do
		eval "reap \$peer_$name 60"
		assert_eq "status of peer $name" 0 "$STATUS"
	done
}

# peer_stop NAME...: end a server; everything up to now held.
peer_stop() {
	for name in "$@"; do
		eval "kill -TERM \$peer_$name" || fail "peer $name has ended"
		peer_wait "$name"
	done
}

# peer_end NAME: end it, whatever it has found. Its status is in $STATUS.
peer_end() {
	eval "kill -TERM \$peer_$1" 2>/dev/null || :
	eval "reap \$peer_$1 10"
}

# moved NAME VERB: the bytes that this verb of the peer has counted.
moved() {
	sed -n "s/^$2: \([0-9]*\) bytes.*/\1/p" "$T/$1.out"
}

# address NAME: where the peer listens.
address() {
	cat "$T/$1"
}

# peer_serve NAME SCRIPT: serve every connection with it until peer_stop.
peer_serve() {
	peer_start "$1" \
	    "listen 127.0.0.1:0; port-file $T/$1; serve any { $2 }"
	alive "$!" || fail "server $1 did not start"
}

# peer_behind NAME SCRIPT ARGS...: such a server, and shuttled in front of it.
peer_behind() {
	peer_serve "$1" "$2"
	behind=$(address "$1")
	shift 2
	shuttled_start -l 127.0.0.1:0 -s "$behind" "$@"
}

# A port that refuses for as long as this test runs. A server may listen there,
# go and come again: nobody else gets it in between.
peer_refusing() {
	peer_start "$1" \
	    "bind 127.0.0.1:0; port-file $T/$1; timeout 300000; wait-file $T/end"
	alive "$!" || fail "server $1 did not start"
}

# A listener that answers nobody.
peer_silent() {
	peer_start "$1" "listen 127.0.0.1:0 0; fill; port-file $T/$1; \
	    timeout 300000; wait-file $T/end"
	alive "$!" || fail "server $1 did not start"
}

# refusing and silent ones end here.
peers_release() {
	: >"$T/end"
	peer_wait "$@"
	rm -f "$T/end"
}

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
	reap "$PID" "${2:-15}"
	check_log
	assert_eq 'status of shuttled' "$1" "$STATUS"
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

# echo_at NAME [ADDRESS]: a server that echoes to thousands; the pid is in $!. What
# it got and sent is not looked at, and it does not end with the case.
echo_at() {
	rm -f "$T/$1"
	"$PEER" -c "listen ${2:-127.0.0.1:0}; port-file $T/$1; echo-all" \
	    >"$T/$1.out" 2>&1 </dev/null &
	started="$started $!"
	wait_for 10 test -s "$T/$1"
}

# echo_start: a server that echoes, one for all cases of a test; its address
# in $SERVER.
ECHO_PID=
echo_start() {
	if [ -n "$ECHO_PID" ] && alive "$ECHO_PID"; then
		SERVER=$(cat "$T/echo")
		return 0
	fi
	echo_at echo
	ECHO_PID=$!
	SERVER=$(cat "$T/echo")
}

# echo_behind ARGS...: the echo, and shuttled in front of it.
echo_behind() {
	echo_start
	shuttled_start -l 127.0.0.1:0 -s "$SERVER" "$@"
}

# load_start NAME ARGS...: a load client on $LISTEN; see load.c.
load_start() {
	name=$1
	shift
	: >"$T/$name.report"
	"$TOOLS/load" -T $((20000 * TEST_SLOW)) -s "$T/$name.report" "$@" "$LISTEN" \
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

# load_keep NAME N ARGS...: one that keeps N connections, which have echoed once.
load_keep() {
	load_name=$1
	load_n=$2
	shift 2
	load_start "$load_name" -k "$load_n" "$@"
	load_wait "$load_name"
}

# load_end NAME [SIGNAL]: finish what it has open, and wait for its account.
load_end() {
	eval "pid=\$load_$1"
	kill -s "${2:-TERM}" "$pid" 2>/dev/null || :
	load_ended "$1"
}

# load_ended NAME: it comes to its end by itself.
load_ended() {
	eval "reap \$load_$1 60"
	assert_eq "status of load $1" 0 "$STATUS"
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

# load_end_ok NAME KEPT: it ends, and all went well.
load_end_ok() {
	load_end "$1"
	load_all_ok "$@"
}

# --- programs of others ---------------------------------------------------------

cases=0

have() {
	for tool in "$@"; do
		if ! command -v "$tool" >/dev/null; then
			say "left out: no $tool"
			return 1
		fi
	done
	cases=$((cases + 1))
}

# free_port: these programs take no port 0. Somebody else may get it first.
free_port() {
	"$PEER" -c "listen 127.0.0.1:0; port-file $T/free"
	sed 's/.*://' "$T/free"
}

# listens ADDRESS PID: somebody does, or the one who should has died.
listens() {
	try_peer "connect $1" || ! alive "$2"
}

# serve_with NAME COMMAND...: try ports until it serves; %PORT% is the port.
# The address is then in $ADDRESS.
serve_with() {
	name=$1
	shift
	for attempt in 1 2 3 4 5; do
		port=$(free_port)
		ADDRESS=127.0.0.1:$port
		"start_$name" "$port" >"$T/$name.$attempt.out" 2>&1 \
		    </dev/null &
		server=$!
		started="$started $server"
		wait_for 10 listens "$ADDRESS" "$server"
		! alive "$server" || return 0
	done
	fail "$name does not start: $(cat "$T/$name.5.out")"
}
