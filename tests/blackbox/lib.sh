# shellcheck shell=sh disable=SC2034 # some variables are for the tests
# SPDX-License-Identifier: ISC
# Copyright (c) 2026 The shuttled authors
#
# lib.sh: what the black-box tests share; a test begins with
# `. "$(dirname "$0")/lib.sh"`. Everything started here is ended by its pid,
# and every wait has a deadline. From the environment:
#   SHUTTLED       the program; default: in this or the src directory
#   SHUTTLED_ARGS  appended to its arguments, e.g. '-e select'
#   SHUTTLED_WRAP  put before it, e.g. 'valgrind -q --vgdb=no'
#   PEER           the test tool; default: tests/blackbox/peer
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
PEER=${PEER:-tests/blackbox/peer}
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
		echo "$0: no $program (set SHUTTLED and PEER)" >&2
		exit 99
	fi
done

# The path of a unix socket has 107 bytes: a long TMPDIR is not for us.
tmp=${TMPDIR:-/tmp}
[ ${#tmp} -le 40 ] || tmp=/tmp
T=$(mktemp -d "$tmp/shuttled-test.XXXXXX")
chmod 755 "$T"		# the workers are another user
PID=
LISTEN=
case_name=
started=		# pids of all that may still run
trap 'status=$?; trap - EXIT; cleanup; exit $status' EXIT
trap 'exit 1' HUP INT TERM

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

# run_cases FUNCTION...: each is a case of its own.
run_cases() {
	for function in "$@"; do
		case " ${TEST_CASES:-$function} " in
		*" $function "*)
			case_is "$function"
			"$function"
			;;
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

ready() {
	[ -s "$T/ports" ] || ! alive "$PID"
}

# shuttled_start ARGS...: in the foreground of a process of its own, with an
# own log. Sets PID and LISTEN once it listens. A reset that the network loses
# is not sent again, so it asks each second, unless NO_KEEPALIVE is not empty or
# the test has a configuration of its own.
shuttled_start() {
	rm -f "$T/ports" "$T/log" "$T/stderr"
	case "${NO_KEEPALIVE-}$* " in
	yes* | -c\ * | *\ -c\ *) ;;
	*)
		say 'keepalive: 1s' >"$T/shuttled.yaml"
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
	wait_for 15 gone "$PID"
	status=0
	wait "$PID" || status=$?
	forget "$PID"
	check_log
	assert_eq "status of shuttled after $1" 0 "$status"
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

# --- peers ----------------------------------------------------------------

# forget PID: it has been waited for.
forget() {
	rest=
	for pid in $started; do
		[ "$pid" = "$1" ] || rest="$rest $pid"
	done
	started=$rest
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
	eval "peer_$1=$!"
	started="$started $!"
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
		eval "pid=\$peer_$name"
		wait_for 60 gone "$pid"
		status=0
		wait "$pid" || status=$?
		forget "$pid"
		assert_eq "status of peer $name" 0 "$status"
	done
}

# peer_stop NAME...: end a server; everything up to now held.
peer_stop() {
	for name in "$@"; do
		eval "pid=\$peer_$name"
		kill -TERM "$pid" || fail "peer $name has ended"
		peer_wait "$name"
	done
}

# peer_end NAME: end it, whatever it has found. Its status is in $STATUS.
peer_end() {
	eval "pid=\$peer_$1"
	kill -TERM "$pid" 2>/dev/null || :
	wait_for 10 gone "$pid"
	STATUS=0
	wait "$pid" || STATUS=$?
	forget "$pid"
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
