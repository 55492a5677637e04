#!/bin/sh
# SPDX-License-Identifier: ISC
# Copyright (c) 2026 The shuttled authors
#
# notify.sh: under a service manager, which a program of ours plays: what it is
# told, the sockets that it gives, and those that it keeps.
. "$(dirname "$0")/../lib.sh"

MANAGER=${MANAGER:-$TOOLS/manager}
[ -x "$MANAGER" ] || skip "no $MANAGER"
grep -q libsystemd "$SHUTTLED" || skip 'built without libsystemd'
[ -z "$SHUTTLED_WRAP" ] || skip 'a wrapper changes who it is'

# managed OPTIONS -- ARGS...: shuttled_start below a manager, with these options;
# its pid in $manager, in $PID the one of its service.
managed() {
	rm -f "$T/notify" "$T/record"
	options=
	while [ "$1" != -- ]; do
		options="$options $1"
		shift
	done
	shift
	SHUTTLED_WRAP="$MANAGER $options $T/notify $T/record"
	shuttled_start "$@"
	SHUTTLED_WRAP=
	manager=$PID
	service_is_new 0
	wait_for 10 said 'READY=1'
}

# service_is_new PID: it is not this one any more; sets PID.
service_is_new() {
	PID=$(sed -n 's/^start //p; s/^said MAINPID=//p' "$T/record" |
	    tail -n 1)
	[ -n "$PID" ] && [ "$PID" != "$1" ]
}

# said PATTERN [COUNT]: the manager was told, so often.
said() {
	[ "$(grep -c -e "^said $1" "$T/record" || :)" -ge "${2:-1}" ]
}

assert_said() {
	try_for 10 said "$@" ||
		fail "not said: $*; but: $(cat "$T/record")"
}

# keeps N: when the service ended, the manager had so many sockets for it.
keeps() {
	assert_eq 'sockets that are kept' "$1" \
	    "$(sed -n 's/^keeps //p' "$T/record" | tail -n 1)"
}

# managed_end [SIGNAL]: it ends well, and nobody but the master has spoken.
managed_end() {
	[ $# -eq 0 ] || signal "$1"
	also_end "$manager"
	reap "$manager"
	assert_eq 'status of the service' 0 "$STATUS"
	! grep '^refused' "$T/record" || fail 'somebody else has spoken'
	check_log
	PID=
}

from_start_to_end() {
	echo_start
	managed -- -l 127.0.0.1:0 -s "$SERVER" -w 3
	assert_eq 'first words' "$(printf 'said %s\n' \
	    "FDSTORE=1|FDNAME=listen $(say "$LISTEN" | sed 's/:.*/=0/')" \
	    'READY=1|STATUS=3 workers, generation 1, 0 sessions|WATCHDOG_USEC=0')" \
	    "$(grep '^said' "$T/record")"
	serves || fail 'it does not serve'
	load_keep kept 6
	signal QUIT
	assert_said 'STOPPING=1|STATUS=draining: 3 workers, 6 sessions'
	load_end kept
	managed_end
	keeps 0
}

# A worker that dies is told at once, the rest in due course.
status_follows() {
	DEATHS=wanted
	managed -- -l 127.0.0.1:0 -s builtin:echo -w 1
	kill -KILL "$(worker 1)"
	wait_for 5 log_reaches 2 'info: ready'
	kill -KILL "$(worker 1)"
	assert_said 'STATUS=0 workers, generation 1, 0 sessions'
	assert_said 'STATUS=1 worker, generation 1, 0 sessions'
	managed_end TERM
	assert_said 'STOPPING=1|STATUS=stopping'
	DEATHS=
}

reload_that_works() {
	managed -w 8000000 -- -l 127.0.0.1:0 -s builtin:echo -w 2
	signal HUP
	assert_said 'READY=1|STATUS=2 workers, generation 2' 1
	assert_eq 'words of a reload' \
	    'said RELOADING=1|MONOTONIC_USEC=N|STATUS=reloading' \
	    "$(grep RELOADING "$T/record" | sed 's/C=[0-9]*|/C=N|/')"
	assert_said 'READY=1|.*WATCHDOG_USEC=8000000' 2
	managed_end TERM
}

# configure LISTENER...: write the file, with a listener for each address.
configure() {
	{
		say 'listen: {'
		for address in "$@"; do
			n=$((${n:-0} + 1))
			say "l$n: { address: \"$address\", pool: \"main\" },"
		done
		say '}'
		say 'pool: { main: { server: {'
		say 's: { address: "builtin:echo" } } } }'
	} >"$T/conf"
}

# For names that are not answered: meanwhile the watchdog is fed.
reload_that_waits() {
	configure 127.0.0.1:0
	silent_names || return 0
	managed -w 800000 -- -c "$T/conf" -w 1
	sed 's/server: {/server: { t: { address: "silent:80" },/' "$T/conf" \
	    >"$T/conf.new"
	mv "$T/conf.new" "$T/conf"
	signal HUP
	assert_said 'RELOADING=1'
	fed=$(grep -c WATCHDOG=1 "$T/record" || :)
	assert_said WATCHDOG=1 $((fed + 5))
	assert_eq 'words READY' 1 "$(grep -c 'said READY' "$T/record")"
	managed_end TERM
	unset HOSTALIASES
}

reload_that_fails() {
	configure 127.0.0.1:0
	managed -- -c "$T/conf" -w 1
	configure nowhere
	signal HUP
	assert_said 'READY=1|STATUS=1 worker, generation 1, .*last reload fai'
	serves || fail 'it does not serve'
	configure 127.0.0.1:0
	signal HUP
	assert_said 'READY=1|STATUS=1 worker, generation [23], 0 sessions[;|]'
	managed_end TERM
}

# What a reload takes away, the manager must not hold open.
reload_without_a_listener() {
	configure 127.0.0.1:0 "unix:$T/sock"
	managed -- -c "$T/conf" -w 1
	assert_eq 'sockets to keep' 2 "$(grep -c FDSTORE=1 "$T/record")"
	configure 127.0.0.1:0
	signal HUP
	assert_said 'READY=1|STATUS=1 worker, generation 2'
	assert_said "FDSTOREREMOVE=1|FDNAME=listen unix=$T/sock"
	DEATHS=wanted
	old=$PID
	kill -KILL "$PID"
	wait_for 10 service_is_new "$old"
	keeps 1
	wait_for 10 said READY=1 3
	managed_end TERM
	DEATHS=
}

# A worker that does not turn its loop dies alone.
watchdog() {
	managed -w 1200000 -- -l 127.0.0.1:0 -s builtin:echo -w 2
	assert_said WATCHDOG=1 3
	if command -v strace >/dev/null &&
	    strace -o /dev/null -e trace=accept4 true 2>/dev/null; then
		hold_up "$(worker 1)"
		DEATHS=wanted
		wait_for 10 log_has 'worker 1 .* is stuck: aborting it'
		kill -TERM "$tracer"
		wait "$tracer" 2>/dev/null || :
		forget "$tracer"
		assert_log 'worker 1 .* ended: killed by signal 6'
		wait_for 5 workers_are 2
		serves || fail 'it does not serve'
	fi
	assert_eq 'workers that were stuck' "${DEATHS:+1}" \
	    "$(log_count 'is stuck' | sed 's/^0$//')"
	managed_end TERM
	DEATHS=
}

# hold_up PID: it does not come back from its next sleep for a minute.
hold_up() {
	strace -p "$1" -o /dev/null -e trace=epoll_wait,epoll_pwait \
	    -e inject=epoll_wait,epoll_pwait:delay_enter=60000000 \
	    2>"$T/strace.out" &
	tracer=$!
	also_end "$tracer"
	wait_for 5 grep -q attached "$T/strace.out"
}

# All of it is killed while clients wait: the sockets that were kept have them.
killed_with_clients_in_the_queue() {
	echo_start
	DEATHS=wanted
	managed -- -l 127.0.0.1:0 -l "unix:$T/sock" -s "$SERVER" -w 2
	address=$LISTEN
	old=$PID
	workers=$(worker_pids)
	# shellcheck disable=SC2086 # a list
	kill -STOP $workers
	load_start kept -k 30
	wait_for 10 load_is kept connected
	rm -f "$T/ports"
	# shellcheck disable=SC2086
	kill -KILL "$old" $workers
	wait_for 10 service_is_new "$old"
	wait_for 10 said READY=1 2
	keeps 2
	assert_eq address "$address" "$(listener 1)"
	load_wait kept
	load_end_ok kept 30
	LISTEN=unix:$T/sock
	serves || fail 'it does not serve on the unix socket'
	managed_end QUIT
	[ ! -e "$T/sock" ] || fail 'the unix socket was left'
	keeps 0
	DEATHS=
}

# Its path is gone, and so is what it was kept for.
path_is_gone() {
	DEATHS=wanted
	managed -- -l 127.0.0.1:0 -l "unix:$T/sock" -s builtin:echo -w 1
	old=$PID
	rm "$T/sock"
	kill -KILL "$old"
	wait_for 10 service_is_new "$old"
	wait_for 10 said READY=1 2
	assert_log "warning: socket unix:$T/sock of .* is closed: its path"
	LISTEN=unix:$T/sock
	serves || fail 'it does not serve on the unix socket'
	managed_end QUIT
	keeps 0
	DEATHS=
}

# The workers that are left have the same queue, and end in good order.
master_is_killed_alone() {
	echo_start
	DEATHS=wanted
	managed -- -l 127.0.0.1:0 -s "$SERVER" -w 2
	load_keep kept 8
	load_start busy -c 8
	old=$PID
	kill -KILL "$old"
	wait_for 10 service_is_new "$old"
	wait_for 10 said READY=1 2
	load_end_ok busy 0
	load_end_ok kept 8
	managed_end QUIT
	DEATHS=
}

sockets_are_given() {
	managed -l -l -p -u "$T/sock" -- -s builtin:echo -w 2 \
	    -l 127.0.0.1:0 -l %1 -l %3
	assert_log 'warning: socket 127.* (web.socket) is closed: no listener'
	assert_eq 'sockets closed' 1 "$(log_count 'is closed')"
	grep -q 'descriptor 5 .* (odd) is closed: it is not a listening' \
	    "$T/stderr" || fail 'not a word about the pipe'
	for n in 1 2 3; do
		LISTEN=$(listener $n)
		serves || fail "it does not serve on $LISTEN"
	done
	# Those of the manager are not kept twice, nor is their path removed.
	assert_eq 'sockets to keep' 1 "$(grep -c FDSTORE=1 "$T/record")"
	managed_end QUIT
	[ -S "$T/sock" ] || fail 'the path of the manager was removed'
	rm "$T/sock"
	keeps 4
}

# With what cannot change any more. A script puts the address into the file.
sockets_are_given_as_wanted() {
	ip link show dev lo >/dev/null 2>&1 && [ "$(id -u)" -eq 0 ] || return 0
	cat >"$T/conf" <<-END
		listen: { l: {
		    address: "ADDRESS", v6only: true, interface: "lo" } }
		pool: { p: { server: { s: { address: "builtin:echo" } } } }
	END
	cat >"$T/with" <<-END
		#!/bin/sh
		sed -i "s/ADDRESS/\$6/" "$T/conf"
		exec "$SHUTTLED" "\$1" "\$2" "\$3" "\$4" "\$5" -c "$T/conf"
	END
	chmod 755 "$T/with"
	original=$SHUTTLED
	SHUTTLED=$T/with
	managed -6 -- %1
	SHUTTLED=$original
	LISTEN="[::1]:${LISTEN##*:}"
	serves || fail "it does not serve on $LISTEN"
	assert_not_log 'is closed'
	managed_end QUIT
	keeps 1
}

single_process() {
	managed -l -w 400000 -- -s builtin:echo -w 0 -l %1
	assert_said 'READY=1|STATUS=one process|WATCHDOG_USEC=0'
	serves || fail 'it does not serve'
	managed_end TERM
}

# The manager goes over to the other master, and has all its sockets still.
upgrade() {
	echo_start
	original=$SHUTTLED
	SHUTTLED=$T/shuttled
	cp "$original" "$SHUTTLED"
	managed -l -w 2000000 -- -s "$SERVER" -w 2 -l %1 -l 127.0.0.1:0
	printf '#!/bin/sh\nenv >"%s"\nexec "%s" "$@"\n' "$T/env" "$original" \
	    >"$T/new"
	chmod 755 "$T/new"
	mv "$T/new" "$SHUTTLED"
	SHUTTLED=$original
	load_keep kept 8
	old=$PID
	signal USR2
	wait_for 15 log_has 'upgrade: process .* serves'
	also_end "$(sed -n 's/.*upgrade: process \([0-9]*\) serves.*/\1/p' \
	    "$T/log")"
	wait_for 15 service_is_new "$old"
	wait_for 15 said READY=1 2
	assert_eq 'environment of the new one' \
	    "NOTIFY_SOCKET=$T/notify WATCHDOG_PID=$PID WATCHDOG_USEC=2000000 " \
	    "$(grep -e ^LISTEN -e ^NOTIFY -e ^WATCHDOG "$T/env" | sort |
		tr '\n' ' ')"
	assert_said WATCHDOG=1 "$(($(grep -c WATCHDOG=1 "$T/record") + 3))"
	load_end_ok kept 8
	wait_for 5 gone "$old"
	assert_eq 'sockets dropped' 0 "$(grep -c FDSTOREREMOVE "$T/record")"
	! said STOPPING || fail 'the old one has said that it stops'
	managed_end QUIT
	keeps 1
}

# A manager that does not say that it has heard of the other master holds up
# nothing else: the old one does what it is told.
upgrade_beside_a_slow_manager() {
	managed -b -- -s builtin:echo -w 1 -l 127.0.0.1:0
	old=$PID
	signal USR2
	assert_said 'MAINPID='
	kill -USR1 "$old"
	wait_for 15 log_has 'upgrade: process .* serves'
	new=$(sed -n 's/.*upgrade: process \([0-9]*\) serves.*/\1/p' "$T/log")
	also_end "$new"
	assert_eq 'what came first' 'log reopened' \
	    "$(grep -o -e 'log reopened' -e 'process [0-9]* serves' "$T/log" |
		head -n 1)"
	wait_for 15 service_is_new "$old"
	wait_for 15 said READY=1 2
	wait_for 5 gone "$old"
	serves || fail 'it does not serve'
	managed_end QUIT
}

grace() {
	managed -- -l 127.0.0.1:0 -s builtin:echo -w 1 --grace 1s
	signal QUIT
	assert_said 'STOPPING=1|STATUS=leaving: accepts for 1 s more; 1 worker'
	serves || fail 'it does not serve'
	assert_said 'STOPPING=1|STATUS=draining'
	managed_end
}

run_cases from_start_to_end status_follows reload_that_works \
    reload_that_waits reload_that_fails reload_without_a_listener watchdog \
    killed_with_clients_in_the_queue path_is_gone master_is_killed_alone \
    sockets_are_given sockets_are_given_as_wanted \
    single_process upgrade upgrade_beside_a_slow_manager grace
