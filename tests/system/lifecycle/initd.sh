#!/bin/sh
# SPDX-License-Identifier: ISC
# Copyright (c) 2026 The shuttled authors
#
# initd.sh: contrib/init.d/shuttled, with all its paths in the test's
# directory: start, status, stop and the rest, with the statuses of the LSB.
. "$(dirname "$0")/../lib.sh"

script=$(dirname "$0")/../../../contrib/init.d/shuttled
[ -r "$script" ] || skip "no $script"
[ -z "$SHUTTLED_WRAP" ] || skip 'the init script takes no wrapper'

DAEMON=$(cd "$(dirname "$SHUTTLED")" && pwd)/${SHUTTLED##*/}
PIDFILE=$T/run/shuttled.pid
DEFAULTS=$T/default
LOGDIR=$T/logs
STOP_WAIT=10
export DAEMON PIDFILE DEFAULTS LOGDIR STOP_WAIT

# defaults OPTIONS [WORKERS]: write the file for the administrator.
defaults() {
	cat >"$DEFAULTS" <<-END
	OPTIONS="-w ${2:-2} -L $T/log --ports-file $T/ports $SHUTTLED_ARGS $1"
	END
}

# script STATUS ACTION [NAME]: it exits with this status.
script() {
	status=0
	timeout $((60 * TEST_SLOW)) sh "$script" "$2" ${3:+"$3"} \
	    >"$T/script.out" 2>&1 </dev/null || status=$?
	assert_eq "status of $2 ($(cat "$T/script.out"))" "$1" "$status"
}

script_says() {
	grep -q -e "$1" "$T/script.out" ||
		fail "it does not say '$1': $(cat "$T/script.out")"
}

# started: what runs now is under our control.
started() {
	PID=$(cat "$PIDFILE")
	LISTEN=$(listener 1)
	also_end "$PID"
}

ended() {
	gone "$PID" || fail "process $PID still runs"
	[ ! -e "$PIDFILE" ] || fail 'the pidfile was left'
	forget "$PID"
	check_log
	rm -f "$T/log"
}

start_status_stop() {
	defaults '-l 127.0.0.1:0 -s builtin:echo' 3
	script 3 status
	script 0 start
	script_says 'started'
	started
	serves || fail 'it does not serve'
	workers_are 3 || fail "there are $(living_workers) workers"
	script 0 status
	script_says "running.*$PID"
	script 0 start
	script_says 'already running'
	script 0 stop
	ended
	script 3 status
	script 0 stop
}

restart_and_reopen() {
	defaults '-l 127.0.0.1:0 -s builtin:echo'
	script 0 restart
	started
	first=$PID
	script 0 restart
	gone "$first" || fail 'the first one still runs'
	forget "$first"
	started
	serves || fail 'it does not serve'
	mv "$T/log" "$T/log.old"
	script 0 reopen
	wait_for 5 log_has 'log reopened'
	# It is done when the script says so.
	script 0 reload
	script_says 'reload: done'
	assert_log 'reloaded: generation 2'
	before=$PID
	script 0 upgrade
	script_says 'upgrade: done'
	started
	[ "$PID" != "$before" ] || fail 'the old one is still in the pidfile'
	wait_for 10 gone "$before"
	forget "$before"
	serves || fail 'it does not serve'
	script 0 try-restart
	forget "$PID"
	started
	script 0 stop
	ended
	script 0 try-restart
	script 3 status
	script 7 reload
}

# What -t cannot see: the script says what the log says, and fails.
changes_that_fail() {
	say 'listen: { a: { address: "127.0.0.1:0" } }
pool: { p: { server: { s: { address: "builtin:echo" } } } }' \
	    >"$T/web.yaml"
	defaults "-c $T/web.yaml"
	script 0 start
	started
	assert_eq 'status file' 'last start' "$(sed -n '/^last/p' \
	    "$T/run/shuttled.status")"
	# Another one listens there.
	peer_start b "listen 127.0.0.1:0; port-file $T/b; serve any { cat }"
	sed -i "s/127.0.0.1:0/$(address b)/" "$T/web.yaml"
	script 1 reload
	script_says "reload: listen on $(address b): Address already in use"
	script_says 'reload: failed'
	script 1 upgrade
	script_says 'upgrade: .*Address already in use'
	script_says 'upgrade: failed'
	serves || fail 'it does not serve'
	peer_stop b
	script 0 reload
	LISTEN=$(listener 1)
	serves || fail 'it does not serve any more'
	script 0 stop
	DEATHS='of the one that was not to serve'
	ended
	DEATHS=
	[ ! -e "$T/run/shuttled.status" ] || fail 'the status file was left'
}

# What -t could not say: the program is to blame, not the configuration.
programs_that_fail() {
	good=$DAEMON
	mkdir -p "$T/bin"
	DAEMON=$T/bin/${good##*/}
	ln -s "$good" "$DAEMON"
	defaults '-l 127.0.0.1:0 -s builtin:echo'
	script 0 start
	started
	for broken in 'exit 3/3' 'kill -9 $$/137' 'exit 127/127'; do
		rm "$DAEMON"
		printf '#!/bin/sh\n%s\n' "${broken%/*}" >"$DAEMON"
		chmod +x "$DAEMON"
		for action in upgrade reload restart; do
			script 1 "$action"
			script_says "$DAEMON does not run (exit status ${broken#*/})"
		done
	done
	for failing in '73/1' '77/4' '64/6' '78/6'; do
		printf '#!/bin/sh\nexit %s\n' "${failing%/*}" >"$DAEMON"
		script "${failing#*/}" upgrade
	done
	script_says 'the configuration is wrong'
	rm "$DAEMON"
	ln -s "$good" "$DAEMON"
	serves || fail 'it does not serve'
	script 0 stop
	ended
	DAEMON=$good
}

# Two by name beside the one without: each has its own paths and options.
by_name() {
	saved=$PIDFILE,$DEFAULTS
	unset PIDFILE DEFAULTS
	RUNDIR=$T/run CONFDIR=$T/etc
	export RUNDIR CONFDIR
	rm -rf "$RUNDIR" "$LOGDIR"
	mkdir -p "$T/etc"
	for name in web mail; do
		say "workers: 1
log: $LOGDIR/$name.log
ports_file: $RUNDIR/$name.ports
listen: { a: { address: \"127.0.0.1:0\" } }
pool: { p: { server: { s: { address: \"builtin:echo\" } } } }" \
		    >"$T/etc/$name.yaml"
		script 0 start "$name"
		script_says "shuttled $name: started"
		also_end "$(cat "$RUNDIR/$name.pid")"
		assert_eq title "shuttled: $name: master" \
		    "$(title "$(cat "$RUNDIR/$name.pid")")"
		grep -q " $name master\[" "$LOGDIR/$name.log" ||
			fail "no $name in $LOGDIR/$name.log"
	done
	script 3 status
	script 0 status web
	script 0 reload mail
	script_says 'shuttled mail: reload: done'
	assert_eq 'reloads of web' 'changes 0' \
	    "$(grep '^changes' "$RUNDIR/web.status")"
	# logrotate's script, told of one log, has the right one open it again.
	mv "$LOGDIR/web.log" "$LOGDIR/web.old"
	sed -n "/postrotate/,/endscript/{
	    /script\\|rotate/d; s|/run/shuttled|$RUNDIR|; p; }" \
	    "$(dirname "$0")/../../../contrib/logrotate/shuttled" >"$T/postrotate"
	sh -eu "$T/postrotate" "$LOGDIR/web.log" || fail "postrotate: $?"
	wait_for 5 grep -q 'log reopened' "$LOGDIR/web.log"
	! grep 'log reopened' "$LOGDIR/mail.log" || fail 'the other one, too'
	# What is of none is for all.
	sh -eu "$T/postrotate" "$LOGDIR/none.log" || fail "postrotate: $?"
	wait_for 5 grep -q 'log reopened' "$LOGDIR/mail.log"
	web=$(cat "$RUNDIR/web.pid") mail=$(cat "$RUNDIR/mail.pid")
	script 0 stop web
	gone "$web" || fail 'web still runs'
	# A link by that name means it, too.
	cp "$script" "$T/shuttled-mail"
	sh "$T/shuttled-mail" status || fail "status of the link: $?"
	sh "$T/shuttled-mail" stop || fail "stop of the link: $?"
	gone "$mail" || fail 'mail still runs'
	forget "$web"
	forget "$mail"
	script 2 status ../web
	PIDFILE=${saved%,*} DEFAULTS=${saved#*,}
	export PIDFILE DEFAULTS
}

# Sessions have STOP_WAIT seconds to finish, then they are ended.
stop_waits_for_sessions() {
	echo_start
	defaults "-l 127.0.0.1:0 -s $SERVER"
	script 0 start
	started
	load_keep kept 10
	sh "$script" stop >"$T/stop.out" 2>&1 </dev/null &
	stopping=$!
	also_end "$stopping"
	wait_for 5 refuses
	alive "$stopping" || fail 'stop did not wait'
	load_end_ok kept 10
	wait_for 5 gone "$stopping"
	wait "$stopping" || fail "stop: status $?"
	forget "$stopping"
	ended
}

stop_does_not_wait_for_ever() {
	echo_start
	defaults "-l 127.0.0.1:0 -s $SERVER"
	script 0 start
	started
	load_keep kept 10
	STOP_WAIT=1
	script 0 stop
	STOP_WAIT=10
	script_says 'ending them'
	load_ended kept
	assert_eq 'sessions stopped' 10 "$(log_count 'end=proxy.stop')"
	ended
}

dead_but_pidfile_exists() {
	defaults '-l 127.0.0.1:0 -s builtin:echo'
	script 0 start
	started
	orphans=$(worker_pids)
	# shellcheck disable=SC2086 # a list
	also_end $orphans
	kill -KILL "$PID"
	wait_for 5 gone "$PID"
	for pid in $orphans; do
		wait_for 5 gone "$pid"
	done
	script 1 status
	script_says 'dead'
	script 0 start
	started
	serves || fail 'it does not serve'
	script 0 stop
	ended
}

# Its pid belongs to another process now: that one is not ours to stop.
a_pid_used_again() {
	defaults '-l 127.0.0.1:0 -s builtin:echo'
	mkdir -p "$T/run"
	sleep 60 &
	other=$!
	also_end $other
	echo $other >"$PIDFILE"
	script 1 status
	script 0 stop
	alive $other || fail 'it ended a stranger'
	script 0 start
	started
	script 0 stop
	ended
	kill $other
	wait $other || :
	forget $other
}

mistakes() {
	script 2 nonsense
	defaults ''
	sed -i 's/OPTIONS=.*/OPTIONS=""/' "$DEFAULTS"
	script 6 start
	defaults '-l 127.0.0.1:0 -s non:sense'
	script 6 start
	script_says 'server'
	echo 'wokers: 2' >"$T/bad.yaml"
	defaults "-c $T/bad.yaml"
	script 6 start
	script_says 'perhaps workers'
	defaults '-l 127.0.0.1:0 -s builtin:echo'
	script 0 start
	started
	# Wrong options must not take down what runs.
	defaults '-l 127.0.0.1:0 -s non:sense'
	script 6 restart
	serves || fail 'the service is down'
	script 0 stop
	ended
	peer_serve b 'echo'
	defaults "-l $(address b) -s builtin:echo"
	script 1 start
	peer_stop b
	saved=$DAEMON
	DAEMON=$T/nothing
	script 5 start
	DAEMON=$saved
}

run_cases start_status_stop restart_and_reopen stop_waits_for_sessions \
    changes_that_fail programs_that_fail by_name stop_does_not_wait_for_ever \
    dead_but_pidfile_exists a_pid_used_again mistakes
