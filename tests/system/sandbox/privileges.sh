#!/bin/sh
# SPDX-License-Identifier: ISC
# Copyright (c) 2026 The shuttled authors
#
# privileges.sh: what is left of root in a worker that root's master has started:
# nothing. For root only; others can check no more than NoNewPrivs.
. "$(dirname "$0")/../lib.sh"
DEATHS=wanted

# Root may be without the right to empty the bounding set, in a container.
can_bound() {
	[ $((0x$(status_of $$ CapEff) >> 8 & 1)) -eq 1 ]
}

# assert_powerless PID UID GID
assert_powerless() {
	assert_eq 'uids' "$2 $2 $2 $2" "$(status_of "$1" Uid)"
	assert_eq 'gids' "$3 $3 $3 $3" "$(status_of "$1" Gid)"
	# Its own group may stand in the list, nothing else.
	case $(status_of "$1" Groups) in
	'' | "$3") ;;
	*) fail "groups: $(status_of "$1" Groups)" ;;
	esac
	for set in CapInh CapPrm CapEff CapAmb; do
		assert_eq "$set" 0000000000000000 "$(status_of "$1" $set)"
	done
	! can_bound || assert_eq CapBnd 0000000000000000 \
	    "$(status_of "$1" CapBnd)"
	assert_eq NoNewPrivs 1 "$(status_of "$1" NoNewPrivs)"
	assert_eq 'directory' / "$(readlink "/proc/$1/cwd")"
}

# All workers, one that is born later, and one that takes a dead one's place.
check_all() {
	for pid in $(worker_pids); do
		assert_powerless "$pid" "$1" "$2"
	done
	[ "$workers" -gt 0 ] || return 0
	signal TTIN
	wait_for 5 workers_are $((workers + 1))
	assert_log "worker $((workers + 1))\\[[0-9]*\\] info: ready"
	assert_powerless "$(worker $((workers + 1)))" "$1" "$2"
	kill -KILL "$(worker 1)"
	wait_for 5 log_reaches 2 'worker 1\[[0-9]*\] info: ready'
	assert_powerless "$(worker 1)" "$1" "$2"
}

# Supplementary groups are what is forgotten most often.
start_with_groups() {
	saved_wrap=$SHUTTLED_WRAP
	if command -v setpriv >/dev/null; then
		SHUTTLED_WRAP="setpriv --groups 0,4,27 $SHUTTLED_WRAP"
	fi
	shuttled_start -l 127.0.0.1:0 -s builtin:echo "$@"
	SHUTTLED_WRAP=$saved_wrap
}

default_user() {
	getent passwd shuttled >/dev/null && echo shuttled || echo nobody
}

by_default() {
	workers=2
	start_with_groups -w 2
	user=$(default_user)
	check_all "$(id -u "$user")" "$(id -g "$user")"
	serves || fail 'it does not serve'
	assert_log "info: ready: uid $(id -u "$user"),"
}

another_user_and_group() {
	workers=2
	start_with_groups -w 2 -u daemon
	check_all "$(id -u daemon)" "$(id -g daemon)"
	shuttled_stop
	start_with_groups -w 2 -u daemon:mail
	check_all "$(id -u daemon)" "$(getent group mail | cut -d : -f 3)"
}

root_when_asked_for() {
	shuttled_start -l 127.0.0.1:0 -s builtin:echo -w 1 -u root
	assert_eq uids '0 0 0 0' "$(status_of "$(worker 1)" Uid)"
	assert_eq CapEff 0000000000000000 "$(status_of "$(worker 1)" CapEff)"
	assert_eq NoNewPrivs 1 "$(status_of "$(worker 1)" NoNewPrivs)"
}

# The only process gives up root, too. So it cannot remove files where root
# alone may write; the next one gets by with them.
one_process() {
	workers=0
	mkdir "$T/own"
	start_with_groups -w 0 -p "$T/own/pid"
	assert_log 'info: ready: '
	user=$(default_user)
	check_all "$(id -u "$user")" "$(id -g "$user")"
	serves || fail 'it does not serve'
	signal QUIT
	reap "$PID" 5
	assert_eq status 0 "$STATUS"
	rm -f "$T/ports"
	start_with_groups -w 0 -p "$T/own/pid"
	signal TERM
	wait_for 5 gone "$PID"
	wait "$PID" || fail "status $?"
	forget "$PID"
	rm -f "$T/ports"
}

# No descriptor of the master's comes along but what a worker needs.
descriptors() {
	echo_behind -w 3 -p "$T/pid"
	for pid in $(worker_pids); do
		for fd in "/proc/$pid/fd"/*; do
			case $(readlink "$fd") in
			"$T/pid" | */shuttled-board*)
				fail "$fd is $(readlink "$fd")"
				;;
			esac
		done
		# Its listener and its channel; not those of its siblings.
		assert_eq "sockets of $pid" 2 \
		    "$(find "/proc/$pid/fd" -lname 'socket:*' | wc -l)"
	done
}

# assert_says LINE: before it ended.
assert_says() {
	grep -qxF "shuttled: $1" "$T/try.out" ||
		fail "no line '$1' in: $(cat "$T/try.out")"
}

# As systemd does with AmbientCapabilities=.
as_somebody_with_a_capability() {
	can_change_user || return 0
	chmod 1777 "$T"
	cap=net_bind_service
	with_wrap "$AS_USER --inh-caps +$cap --ambient-caps +$cap" \
	    shuttled_start -l 127.0.0.1:0 -s builtin:echo -w 2
	assert_eq 'CapEff of the master' 0000000000000400 \
	    "$(status_of "$PID" CapEff)"
	for pid in $(worker_pids); do
		for set in CapInh CapPrm CapEff CapAmb; do
			assert_eq "$set" 0000000000000000 \
			    "$(status_of "$pid" $set)"
		done
	done
	shuttled_stop
	rm -f "$T/log"
}

# started by somebody else than root, who cannot change anything.
as_somebody_else() {
	command -v setpriv >/dev/null || return 0
	chmod 1777 "$T"
	saved_wrap=$SHUTTLED_WRAP
	SHUTTLED_WRAP="setpriv --reuid 1 --regid 1 --clear-groups $saved_wrap"
	shuttled_start -l 127.0.0.1:0 -s builtin:echo -w 2
	for pid in "$PID" $(worker_pids); do
		assert_eq uids '1 1 1 1' "$(status_of "$pid" Uid)"
	done
	serves || fail 'it does not serve'
	shuttled_stop
	shuttled_fails 64 -l 127.0.0.1:0 -s builtin:echo -w 2 -u root
	assert_says 'option -u, --user: "root": only root can change the user'
	own=$(getent passwd 1 | cut -d : -f 1)
	if [ -n "$own" ]; then
		shuttled_fails 64 -l 127.0.0.1:0 -s builtin:echo -u \
		    "$own:root"
		assert_says "option -u, --user: \"$own:root\": only root can change the group"
	fi
	shuttled_try -l 127.0.0.1:1 -s builtin:echo -w 2
	case $STATUS in
	77)
		assert_says 'listen on 127.0.0.1:1 (ports below 1024 are for root and CAP_NET_BIND_SERVICE): Permission denied'
		;;
	124) ;;		# where anybody may bind port 1 it just runs
	*) fail "status on port 1: $STATUS: $(cat "$T/try.out")" ;;
	esac
	SHUTTLED_WRAP=$saved_wrap
}

# with_caps LIST COMMAND...: as root with no more than these.
with_caps() {
	caps=$1
	shift
	with_wrap "setpriv --bounding-set -all$caps --inh-caps -all" "$@"
}

# As in a container that has dropped all: root stays root, and says so.
without_capabilities() {
	can_bound && command -v setpriv >/dev/null || return 0
	for caps in '' ',+setuid' ',+setuid,+setgid'; do
		with_caps "$caps" shuttled_start -l 127.0.0.1:0 \
		    -s builtin:echo -w 2
		assert_log 'warning: workers run as uid 0: '
		for pid in "$PID" $(worker_pids); do
			assert_eq uids '0 0 0 0' "$(status_of "$pid" Uid)"
		done
		for pid in $(worker_pids); do
			assert_eq CapEff 0000000000000000 \
			    "$(status_of "$pid" CapEff)"
		done
		serves || fail 'it does not serve'
		shuttled_stop
	done
	for test in '' -t; do
		with_caps '' shuttled_try -l 127.0.0.1:0 -s builtin:echo \
		    -u daemon $test
		assert_eq "status of -u $test" 64 "$STATUS"
		assert_says 'option -u, --user: "daemon": changing the user needs CAP_SETUID and CAP_SETGID'
		with_caps ,+setgid shuttled_try -l 127.0.0.1:0 \
		    -s builtin:echo -u daemon $test
		assert_says 'option -u, --user: "daemon": changing the user needs CAP_SETUID'
		with_caps ,+setuid,+setgid shuttled_try -l 127.0.0.1:0 \
		    -s builtin:echo -u daemon $test
		assert_says 'option -u, --user: "daemon": signals to processes of another user need CAP_KILL'
		with_caps '' shuttled_try -l 127.0.0.1:0 -s builtin:echo \
		    --chroot "$T" $test
		assert_eq "status of --chroot $test" 77 "$STATUS"
		try_said CAP_SYS_CHROOT
	done
	with_caps '' shuttled_try -t -l 127.0.0.1:0 -s builtin:echo
	assert_eq 'status of -t' 0 "$STATUS"
	grep -q 'workers run as uid 0' "$T/try.out" || fail '-t is silent'
	with_caps '' shuttled_start -l 127.0.0.1:0 -s builtin:echo -u root
	assert_not_log warning
}

# Its root is the only user that there is.
in_a_user_namespace() {
	can_change_user || return 0
	$AS_USER unshare -r true 2>/dev/null || return 0
	# In there every other owner is a stranger.
	chmod 1777 "$T"
	chown 1 "$T"
	rm -f "$T/log" "$T/ports" "$T/stderr"
	with_wrap "$AS_USER unshare -r" shuttled_start -l 127.0.0.1:0 \
	    -s builtin:echo -w 2
	assert_log 'warning: workers run as uid 0: this user namespace'
	serves || fail 'it does not serve'
	shuttled_stop
	with_wrap "$AS_USER unshare -r" shuttled_try -l 127.0.0.1:0 \
	    -s builtin:echo -u daemon
	assert_eq 'status of -u' 64 "$STATUS"
	rm -f "$T/log" "$T/stderr"
	chown 0 "$T"
}

# An image need not have accounts.
numbers_without_an_account() {
	workers=2
	start_with_groups -w 2 -u 54321:54322
	check_all 54321 54322
	serves || fail 'it does not serve'
	shuttled_stop
	shuttled_fails 64 -l 127.0.0.1:0 -s builtin:echo -u 54321
	assert_says 'option -u, --user: "54321": this number has no account: name its group too, such as 65534:65534'
	workers=2
	start_with_groups -w 2 -u "$(id -u daemon)"
	check_all "$(id -u daemon)" "$(id -g daemon)"
	shuttled_stop
	for text in 4294967295:1 4294967296:1 1:4294967295 -1:1 1x:1 : 1:; do
		shuttled_fails 64 -t -l 127.0.0.1:0 -s builtin:echo -u "$text"
	done
}

[ "$(id -u)" -eq 0 ] || skip 'not root'
[ -z "$SHUTTLED_WRAP" ] || skip 'the wrapper has descriptors of its own'
run_cases by_default another_user_and_group root_when_asked_for one_process \
    descriptors without_capabilities in_a_user_namespace \
    numbers_without_an_account as_somebody_with_a_capability as_somebody_else
