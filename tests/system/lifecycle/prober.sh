#!/bin/sh
# SPDX-License-Identifier: ISC
# Copyright (c) 2026 The shuttled authors
#
# prober.sh: the process that looks after the servers. It is there when the
# configuration needs it, is replaced when it dies or the configuration does,
# and ends with its master.
. "$(dirname "$0")/../lib.sh"

# conf CHECK [POOL]: a pool that is checked so.
conf() {
	cat >"$T/conf.new" <<-EOF
	workers: 2
	listen: { a: { address: "127.0.0.1:0" } }
	pool: { p: { check: "$1", ${2:-}
	    server: { s: { address: "$SERVER" } } } }
	EOF
	mv "$T/conf.new" "$T/conf"
}

start() {
	echo_start
	conf "$@"
	shuttled_start -v -c "$T/conf"
}

comes_and_goes() {
	start tcp
	wait_for 5 probers 1
	first=$(prober)
	assert_eq title 'shuttled: conf: prober, generation 1' "$(title "$first")"
	[ "$(id -u)" -ne 0 ] ||
	    assert_not_root "$(status_of "$first" Uid | cut -d ' ' -f 1)"
	conf off
	reload
	wait_for 5 gone "$first"
	wait_for 5 workers_are 2
	conf tcp
	reload
	wait_for 5 probers 2
	second=$(prober)
	shuttled_stop
	gone "$second" || fail 'the prober was left'
}

assert_not_root() {
	[ "$1" -ne 0 ] || fail 'the prober runs as root'
}

is_respawned() {
	start tcp
	wait_for 5 probers 1
	DEATHS=wanted
	first=$(prober)
	kill -KILL "$first"
	wait_for 5 probers 2
	assert_log "prober pid $first ended: killed by signal 9 .*; respawned at"
	shuttled_stop
	DEATHS=
}

# A reload takes the new configuration to a new one.
is_replaced() {
	start tcp
	wait_for 5 probers 1
	first=$(prober)
	reload
	wait_for 5 probers 2
	gone "$first" || fail 'there are two'
}

# What is no longer checked is forgotten, also if the one that is to end was slow
# to hear of it and put right what had changed behind its back.
forgets_although_it_was_slow() {
	start tcp
	assert_log 'p/s: up: .* (first check)'
	slow_one=$(prober)
	DEATHS=wanted
	kill -STOP "$slow_one"
	wait_for 5 log_has "prober pid $slow_one is stopped"
	conf off
	reload
	# It looks over the board once in a second.
	sleep 1.2
	kill -CONT "$slow_one"
	wait_for 5 log_has "prober pid $slow_one ended"
	conf tcp
	reload
	wait_for 5 log_reaches 2 'p/s: up: .* (first check)'
	shuttled_stop
	DEATHS=
}

# One that hangs holds up neither a stop nor the ports.
hangs() {
	start tcp
	wait_for 5 probers 1
	stopped=$(prober)
	kill -STOP "$stopped"
	signal QUIT
	wait_for 5 refuses
	kill -CONT "$stopped"
	shuttled_ended 0
}

# Nor does it keep another one from coming.
hangs_for_good() {
	start tcp
	wait_for 5 probers 1
	DEATHS=wanted
	stopped=$(prober)
	kill -STOP "$stopped"
	wait_for 5 log_has "prober pid $stopped is stopped"
	reload
	wait_for 15 log_has "prober pid $stopped does not end: killing it"
	wait_for 5 probers 2
	shuttled_stop
	DEATHS=
}

# Who waits while all the others have gone still learns what is found. That is
# where a file says so, which the first check is the first to look for.
stays_until_all_have_ended() {
	cat >"$T/program" <<-EOF
	#!/bin/sh
	until [ -e "$T/found" ]; do sleep 0.05; done
	EOF
	chmod 755 "$T/program"
	start exec "check_command: \"$T/program\", check_timeout: \"20s\",
	    queue_timeout: \"10s\","
	wait_for 5 probers 1
	stays=$(prober)
	peer_start waits "connect $LISTEN; exchange 1000 1000 seed 1 seed 1; \
	    half-close; expect-eof"
	wait_for 5 log_has 'session start'
	signal QUIT
	wait_for 5 log_has 'draining: .* 1 session$'
	touch "$T/found"
	peer_wait waits
	shuttled_ended 0
	gone "$stays" || fail 'the prober was left'
}

# One that cannot start is tried again, until it can. Here there is no process for
# the programs of checks; root has as many as it likes, the prober has not.
cannot_start() {
	can_change_user && command -v prlimit >/dev/null || return 0
	# What looks for leaks would lack the process as well.
	! instrumented || return 0
	start exec 'check_command: "/bin/true",'
	wait_for 5 probers 1
	DEATHS=wanted
	most=$(prlimit --pid "$PID" --nproc --output HARD --noheadings)
	prlimit --pid "$PID" --nproc=1:
	kill -KILL "$(prober)"
	assert_log 'prober.* error: cannot start: checks: '
	prlimit --pid "$PID" --nproc="$most":
	wait_for 15 probers 2
	shuttled_stop
	DEATHS=
}

# A reload that comes to nothing is no reason to forget what was found.
stays_over_failed_reloads() {
	command -v prlimit >/dev/null || return 0
	start tcp 'interval: "60s", queue_timeout: "1s",'
	assert_log 'p/s: up'
	DEATHS=wanted
	# Enough for the log and one worker, not for the second.
	limit=$(($(find "/proc/$PID/fd" -type l -name '?' -o -type l \
	    -name '??' | wc -l) + 3))
	prlimit --pid "$PID" --nofile=$limit:$limit
	conf off
	signal HUP
	wait_for 15 log_has 'reload: worker [0-9]*[: ].*; the .* stays in use'
	serves || fail 'what was known is forgotten'
	shuttled_stop
	DEATHS=
}

# A server of the same name at another address is another server.
moves() {
	start tcp 'interval: "60s",'
	assert_log 'p/s: up'
	peer_refusing elsewhere
	here=$SERVER
	SERVER=$(address elsewhere)
	conf tcp 'interval: "60s",'
	SERVER=$here
	reload
	assert_log 'p/s: down: connect: .* (first check)'
	peer "connect $LISTEN; expect-eof"
	assert_log 'servers_tried=- .*end=proxy.no_server'
}

ends_with_its_master() {
	start tcp
	wait_for 5 probers 1
	left=$(prober)
	DEATHS=wanted
	kill -KILL "$PID"
	wait_for 5 gone "$left"
	forget "$PID"
	DEATHS=
}

run_cases comes_and_goes is_respawned is_replaced \
    forgets_although_it_was_slow hangs hangs_for_good \
    cannot_start stays_until_all_have_ended stays_over_failed_reloads \
    moves ends_with_its_master
