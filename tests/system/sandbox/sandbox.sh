#!/bin/sh
# SPDX-License-Identifier: ISC
# Copyright (c) 2026 The shuttled authors
#
# sandbox.sh: workers are shut in, whoever starts them, and still do all that
# they have to: every kind of session, and logs that change. What a worker
# cannot do is in tests/unit/sandbox/test_sandbox.c; that the whole service runs in there,
# all other tests show.
. "$(dirname "$0")/../lib.sh"

sandbox() {
	sed -n 's/.* ready: uid [0-9]*, sandbox \([^,]*\),.*/\1/p' "$T/log" |
	    sort -u
}

# assert_shut_in PID...: the kernel says the same as the log.
assert_shut_in() {
	filter=0
	case $(sandbox) in
	*seccomp*) filter=2 ;;
	esac
	for pid in "$@"; do
		assert_eq "Seccomp of $pid" "$filter" \
		    "$(status_of "$pid" Seccomp)"
		assert_eq "NoNewPrivs of $pid" 1 "$(status_of "$pid" NoNewPrivs)"
		for set in CapInh CapPrm CapEff CapAmb; do
			assert_eq "$set of $pid" 0000000000000000 \
			    "$(status_of "$pid" $set)"
		done
	done
}

# Sessions of all kinds, at once, while the log is renamed.
whole_life() {
	echo_start
	shuttled_start -l 127.0.0.1:0 -l "unix:$T/l.sock" -w 2 --fast-open \
	    -s "$SERVER,preconnect=2" -s builtin:echo
	say "sandbox: $(sandbox)"
	# shellcheck disable=SC2046 # a list
	assert_shut_in $(worker_pids)
	load_start busy -c 10
	load_keep kept 4 -b 2000000
	peer "connect unix:$T/l.sock; exchange 1000 1000 seed 1 seed 1; \
	    half-close; expect-eof"
	mv "$T/log" "$T/log.old"
	signal USR1
	wait_for 5 log_has 'session end'
	load_end kept
	load_end busy
	load_all_ok kept 4
	load_all_ok busy 0
}

# One that is born later, and one that takes the place of a dead one.
later_workers() {
	DEATHS=wanted
	shuttled_start -l 127.0.0.1:0 -s builtin:echo -w 1
	signal TTIN
	wait_for 5 log_has 'worker 2\[[0-9]*\] info: ready'
	assert_shut_in "$(worker 2)"
	kill -KILL "$(worker 1)"
	wait_for 5 log_reaches 2 'worker 1\[[0-9]*\] info: ready'
	assert_shut_in "$(worker 1)"
	shuttled_stop
	DEATHS=
}

switched_off() {
	shuttled_start -l 127.0.0.1:0 -s builtin:echo -w 1 --sandbox off
	assert_eq sandbox off "$(sandbox)"
	assert_eq Seccomp 0 "$(status_of "$(worker 1)" Seccomp)"
	shuttled_stop
	shuttled_start -l 127.0.0.1:0 -s builtin:echo -w 0
	assert_log 'info: ready: '
	assert_eq sandbox off "$(sandbox)"
}

started_by_a_user() {
	chmod 1777 "$T"
	with_wrap "$AS_USER" shuttled_start -l 127.0.0.1:0 -s builtin:echo -w 2
	# shellcheck disable=SC2046
	assert_shut_in $(worker_pids)
	serves || fail 'it does not serve'
}

# logger_start NAME SOCKET: what comes to SOCKET goes to $T/NAME.
logger_start() {
	rm -f "$2"
	nc -lkduU "$2" >"$T/$1" 2>&1 </dev/null &
	eval "logger_$1=$!"
	started="$started $!"
	wait_for 5 test -S "$2"
	chmod 666 "$2"
}

logger_end() {
	eval "pid=\$logger_$1"
	kill "$pid"
	wait "$pid" 2>/dev/null || :
	forget "$pid"
}

# logged NAME: a session, through syslog; the time is that of our time zone,
# though a worker cannot read its file.
logged() {
	serves || fail 'it does not serve'
	wait_for 5 grep -q 'worker [12]: session end' "$T/$1"
	now=$(date -u -d '+5 hours' '+%H')
	past=$(date -u -d '+5 hours -1 minute' '+%H')
	grep -qE "[A-Z][a-z]{2} [ 0-9]{2} ($now|$past):[^<]*session end" \
	    "$T/$1" || fail "wrong time of day: $(cat "$T/$1")"
}

# RFC 9636, section 3: five hours east, for ever.
make_zone() {
	printf 'TZif%016d' 0 | tr 0 '\000'
	printf '\000\000\000\000\000\000\000\000\000\000\000\000'
	printf '\000\000\000\000\000\000\000\001\000\000\000\004'
	printf '\000\000\106\120\000\000EST\000'
}

# Workers have a connection to the logger from the master, and make another
# when that one is restarted; below another root, only if it listens there too.
system_log() {
	mkdir -p "$T/dev" "$T/root/dev"
	make_zone >"$T/zone"
	cat >"$T/own_dev" <<-END
		#!/bin/sh
		TZ=:$T/zone
		export TZ
		mount --bind $T/dev /dev && exec "\$@"
	END
	chmod 755 "$T/own_dev"
	for root in '' "$T/root"; do
		logger_start first "$T/dev/log"
		with_wrap "unshare -m $T/own_dev" shuttled_start \
		    -l 127.0.0.1:0 -s builtin:echo -w 2 -L syslog \
		    ${root:+--chroot "$root"}
		: >"$T/log"
		# What the master opened and handed over does the same.
		signal USR1
		wait_for 5 grep -q 'log reopened' "$T/first"
		logged first
		logger_end first
		serves || fail 'it does not serve without a logger'
		logger_start second "${root:-$T}/dev/log"
		logged second
		logger_end second
		shuttled_stop
	done
}

own_mounts() {
	[ "$(id -u)" -eq 0 ] && command -v nc >/dev/null &&
	    unshare -m mount --bind "$T" /dev 2>/dev/null
}

[ -z "$SHUTTLED_WRAP" ] || skip 'a wrapper cannot work in there'
shuttled_start -l 127.0.0.1:0 -s builtin:echo -w 1
default=$(sandbox)
shuttled_stop
if [ "$default" = off ]; then
	skip 'this build has instruments, which cannot work in there'
fi
run_cases whole_life later_workers switched_off
! can_change_user || run_cases started_by_a_user
if own_mounts; then
	run_cases system_log
else
	say 'no /dev of our own: syslog is not tried'
fi
