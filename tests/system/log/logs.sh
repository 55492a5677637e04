#!/bin/sh
# SPDX-License-Identifier: ISC
# Copyright (c) 2026 The shuttled authors
#
# logs.sh: log files that are renamed under a running service, and the signals
# that this version does not act on.
. "$(dirname "$0")/../lib.sh"

# sessions_in FILE...
sessions_in() {
	cat "$@" | grep -c 'session end .*end=client.close$' || :
}

rotate() {
	mv "$T/log" "$T/log.$1"
	signal USR1
	wait_for 5 log_has 'log reopened'
}

# Not a line is lost, none is cut, and in the end all go to the new file.
rotation_under_load() {
	echo_behind -w 3 -v
	load_start busy -c 20
	for i in 1 2 3 4 5; do
		wait_for 5 log_reaches 100 'session end'
		rotate $i
	done
	wait_for 5 log_reaches 100 'session end'
	load_end_ok busy 0
	done=$(load_count busy loop ok)
	shuttled_stop
	say "$done sessions in 6 files"
	assert_eq 'session lines' "$done" \
	    "$(sessions_in "$T"/log "$T"/log.[0-9])"
	assert_eq 'lines that are not whole' '' \
	    "$(grep -hvE '^[-0-9]{10}T[:.0-9]{12}Z [^ ]+( [0-9]+)?\[[0-9]+\] (error|warning|notice|info|debug): ' \
	    "$T"/log "$T"/log.[0-9] || :)"
}

# The workers may not open it: the master gives them the descriptor.
all_workers_write_to_the_new_file() {
	echo_behind -w 3
	rotate old
	chmod 600 "$T/log"
	# A worker that is born later writes there as well.
	signal TTIN
	wait_for 5 workers_are 4
	signal QUIT
	shuttled_ended 0
	for place in 1 2 3 4; do
		assert_log "worker $place\\[[0-9]*\\] notice: draining"
	done
	assert_eq 'lines in the old file after the new one began' 0 \
	    "$(grep -c 'draining' "$T/log.old" || :)"
}

# The log cannot be made anew: the old one stays in use.
the_directory_is_gone() {
	if [ "$(id -u)" -eq 0 ]; then
		mkdir "$T/dir"
	else
		mkdir -m 755 "$T/dir"
	fi
	shuttled_start -l 127.0.0.1:0 -s builtin:echo -w 2 -L "$T/dir/log"
	mv "$T/dir" "$T/dir.old"
	signal USR1
	wait_for 5 grep -q 'log: .*/dir/log: .*the old file stays' \
	    "$T/dir.old/log"
	serves || fail 'it does not serve'
	mkdir "$T/dir"
	signal USR1
	wait_for 5 test -s "$T/dir/log"
	signal QUIT
	shuttled_ended 0
	assert_eq 'workers that said goodbye in the new file' 2 \
	    "$(grep -c 'notice: draining' "$T/dir/log")"
}

# A worker that does not listen for a while must not stay behind.
rotation_while_a_worker_is_stuck() {
	shuttled_start -l 127.0.0.1:0 -s builtin:echo -w 2
	stuck=$(worker 2)
	kill -STOP "$stuck"
	i=0
	while [ $i -lt "$(rounds 20)" ]; do
		mv "$T/log" "$T/log.old"
		signal USR1
		try_for 5 log_has 'log reopened' || fail 'not reopened'
		i=$((i + 1))
	done
	kill -CONT "$stuck"
	wait_for 5 serves
	signal QUIT
	shuttled_ended 0
	assert_log 'worker 2\[[0-9]*\] notice: draining'
}

# USR1 is no matter when the log is no file.
usr1_with_stderr() {
	shuttled_start -l 127.0.0.1:0 -s builtin:echo -w 2 -L stderr
	signal USR1
	wait_for 5 grep -q 'log reopened' "$T/stderr"
	serves || fail 'it does not serve'
	signal QUIT
	shuttled_ended 0
	assert_eq 'workers that said goodbye' 2 \
	    "$(grep -c 'notice: draining' "$T/stderr")"
}

signals_to_workers() {
	shuttled_start -l 127.0.0.1:0 -s builtin:echo -w 2
	before=$(worker_pids)
	for pid in $before; do
		kill -s HUP "$pid"
		kill -s USR1 "$pid"
		kill -s USR2 "$pid"
		kill -s WINCH "$pid"
	done
	for i in 1 2 3 4 5 6; do
		serves || fail 'it does not serve'
	done
	assert_eq workers "$before" "$(worker_pids)"
}

# QUIT to a worker alone: the master sees to it that there is another.
a_worker_told_to_go_by_others() {
	echo_behind -w 2
	load_keep kept 20
	leaving=$(worker 1)
	kill -s QUIT "$leaving"
	wait_for 5 log_has 'worker 1.*notice: draining'
	load_end_ok kept 20
	wait_for 5 log_reaches 2 'worker 1\[[0-9]*\] info: ready'
	wait_for 5 workers_are 2
}

# listeners [ALPHA [BETA]]: where these log; gamma says nothing, delta is off.
# Alpha and epsilon share one.
listeners() {
	cat >"$T/conf.new" <<-CONF
		workers: ${WORKERS:-2}
		listen: {
			alpha: { address: "127.0.0.1:0", log: "$1" },
			beta: { address: "127.0.0.2:0", log: "$2" },
			gamma: { address: "127.0.0.3:0" },
			delta: { address: "127.0.0.4:0", log: "off" },
			epsilon: { address: "127.0.0.5:0", log: "$1" }
		}
		pool: { p: { server: { s: { address: "$SERVER" } } } }
	CONF
	mv "$T/conf.new" "$T/conf"
}

# visit LISTENER...: a session at each, by number.
visit() {
	for i in "$@"; do
		LISTEN=$(listener "$i")
		serves || fail "listener $i does not serve"
	done
}

# has N FILE LISTENER, for wait_for: so many sessions of it have ended there.
has() {
	[ "$(grep -c "session end .* listener=$3 " "$2")" -eq "$1" ]
}

# has_lines N LISTENER FILE: so many in this file, and none elsewhere.
has_lines() {
	wait_for 10 has "$1" "$3" "$2"
	others=
	for other in "$T"/log "$T"/[ab].log*; do
		[ "$other" = "$3" ] || ! [ -e "$other" ] || has 0 "$other" "$2" ||
			others="$others $other"
	done
	[ -z "$others" ] || fail "lines of $2 are also in$others"
}

# Descriptors of this process for this file.
descriptors_of() {
	find "/proc/$1/fd" -lname "$2" 2>/dev/null | wc -l
}

# let_go PID FILE, for wait_for: it has not got it, or is no more.
let_go() {
	! alive "$1" || [ "$(descriptors_of "$1" "$2")" -eq 0 ]
}

listeners_have_logs_of_their_own() {
	echo_start
	listeners "$T/a.log" "$T/b.log"
	shuttled_start -c "$T/conf"
	visit 1 2 2 3 3 3 4 5
	has_lines 1 alpha "$T/a.log"
	has_lines 1 epsilon "$T/a.log"
	has_lines 2 beta "$T/b.log"
	has_lines 3 gamma "$T/log"
	has_lines 0 delta "$T/log"
	assert_eq 'lines of others' 0 "$(grep -vc 'session end' "$T/a.log")"
	for pid in "$PID" $(worker_pids); do
		assert_eq "opened by $pid" 1 \
		    "$(descriptors_of "$pid" "$T/a.log")"
	done
}

# One without a master reopens all, too, where its user may.
own_logs_are_reopened() {
	echo_start
	singles=0
	[ "$(id -u)" -ne 0 ] || singles=
	for WORKERS in $singles 3; do
		rm -f "$T"/[abc].log*
		listeners "$T/a.log" "$T/b.log"
		shuttled_start -c "$T/conf"
		visit 1 2
		has_lines 1 alpha "$T/a.log"
		has_lines 1 beta "$T/b.log"
		mv "$T/a.log" "$T/a.log.old"
		mv "$T/b.log" "$T/b.log.old"
		signal USR1
		wait_for 5 test -e "$T/b.log"
		[ "$WORKERS" -eq 0 ] || wait_for 5 log_has 'log reopened'
		visit 1 1 1 1 1 1 2 2 2 2 2 2
		wait_for 10 has 6 "$T/a.log" alpha
		wait_for 10 has 6 "$T/b.log" beta
		shuttled_stop
	done
	WORKERS=
}

# kept NAME LISTENER: a session that lasts until there is $T/NAME.end.
kept() {
	LISTEN=$(listener "$2")
	peer_start "$1" "connect $LISTEN; exchange 1000 1000 seed 1 seed 1; \
	    touch $T/$1.in; wait-file $T/$1.end; half-close; expect-eof"
	wait_for 10 test -e "$T/$1.in"
}

# Those of the generation before go on where they were, and follow what stays.
own_logs_change_with_a_reload() {
	echo_start
	rm -f "$T"/[abc].log*
	listeners "$T/a.log" "$T/b.log"
	shuttled_start -c "$T/conf"
	kept alpha 1
	kept beta 2
	listeners "$T/c.log" "$T/b.log"
	reload
	visit 1 2
	wait_for 10 has 1 "$T/c.log" alpha
	wait_for 10 has 1 "$T/b.log" beta
	mv "$T/b.log" "$T/b.log.old"
	mv "$T/c.log" "$T/c.log.old"
	signal USR1
	wait_for 5 log_has 'log reopened'
	: >"$T/alpha.end"
	: >"$T/beta.end"
	wait_for 10 has 1 "$T/b.log" beta
	wait_for 10 has 1 "$T/a.log" alpha
	wait_for 10 has 0 "$T/c.log" alpha
	# No process holds what no listener has any more.
	for pid in "$PID" $(worker_pids); do
		wait_for 5 let_go "$pid" "$T/a.log"
	done
	listeners "$T/none/log" "$T/b.log"
	signal HUP
	wait_for 10 log_has "reload: $T/conf:3:[0-9]*: log \"$T/none/log\": No such \
file or directory; the old configuration stays in use"
	visit 1
	wait_for 10 has 1 "$T/c.log" alpha
}

own_logs_that_cannot_be() {
	SERVER=builtin:echo
	listeners "$T/a.log" "$T/none/log"
	for option in -t "--log=$T/log"; do
		shuttled_fails 73 -c "$T/conf" "$option"
		assert_eq "what it says with $option" "shuttled: $T/conf:4:38: \
log \"$T/none/log\": No such file or directory" "$(cat "$T/try.out")"
	done
	listeners "$T/a.log" 'b.log'
	shuttled_try -c "$T/conf" -t
	grep -q "^shuttled: $T/conf:4:[0-9]*: log \"b.log\": stderr, " \
	    "$T/try.out" || fail "it says: $(cat "$T/try.out")"
}

# set_aside: of the descriptors of a worker.
set_aside() {
	shuttled_try -c "$T/conf" -T
	sed -n 's/.* of which \([0-9]*\) are set aside$/\1/p' "$T/try.out"
}

# Each needs a descriptor, the one that two share but one.
own_logs_take_descriptors() {
	SERVER=builtin:echo
	listeners global off
	before=$(set_aside)
	listeners "$T/a.log" "$T/b.log"
	assert_eq 'set aside' $((before + 2)) "$(set_aside)"
}

# A fifo without a reader: its lines are lost, in the end, and no others.
one_log_holds_up_no_other() {
	echo_start
	rm -f "$T"/[abc].log*
	mkfifo -m 600 "$T/a.log"
	exec 8<>"$T/a.log"
	listeners "$T/a.log" "$T/b.log"
	shuttled_start -c "$T/conf"
	load_start alpha -c 10 -n 3000
	load_ended alpha
	load_all_ok alpha 0
	visit 2 2
	wait_for 5 has 2 "$T/b.log" beta
	shuttled_stop
	exec 8>&-
}

run_cases rotation_under_load all_workers_write_to_the_new_file \
    the_directory_is_gone rotation_while_a_worker_is_stuck usr1_with_stderr \
    signals_to_workers a_worker_told_to_go_by_others \
    listeners_have_logs_of_their_own own_logs_are_reopened \
    own_logs_change_with_a_reload own_logs_that_cannot_be \
    own_logs_take_descriptors \
    one_log_holds_up_no_other
