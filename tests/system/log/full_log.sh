#!/bin/sh
# SPDX-License-Identifier: ISC
# Copyright (c) 2026 The shuttled authors
#
# full_log.sh: logs that cannot be written: never at the start, which is an error,
# or for a while: a full disk, a pipe that nobody reads. Sessions do not notice,
# and in the end every line is there or was counted.
. "$(dirname "$0")/../lib.sh"

# refused_at_start TEXT TARGET ARGS...: one line that says what is wrong.
refused_at_start() {
	text=$1
	target=$2
	shift 2
	shuttled_fails 73 -L "$target" -l 127.0.0.1:0 -s builtin:echo -w 2 \
	    "$@"
	assert_eq "what it says of $target" "shuttled: log $target: $text" \
	    "$(cat "$T/try.out")"
}

unwritable_at_start() {
	refused_at_start 'No such file or directory' "$T/none/log"
	refused_at_start 'Is a directory' "$T"
	refused_at_start 'Not a directory' "$T/try.out/log"
	if [ "$(id -u)" -ne 0 ]; then
		mkdir -m 500 "$T/locked"
		refused_at_start 'Permission denied' "$T/locked/log"
	fi
	"$PEER" -c "listen unix:$T/s; wait-file $T/done" &
	started="$started $!"
	wait_for 5 test -S "$T/s"
	refused_at_start 'No such device or address' "$T/s"
	: >"$T/done"
}

# It may come later: a warning, and the service goes on.
no_logger_yet() {
	if [ -e /dev/log ]; then
		say 'not here: there is a logger'
		return 0
	fi
	warning='shuttled: log syslog:user: no logger at /dev/log: '
	shuttled_does -t -L syslog:user -l 127.0.0.1:0 -s builtin:echo
	grep -q "^$warning" "$T/try.out" || fail 'no warning of -t'
	shuttled_daemon -L syslog:user -l 127.0.0.1:0 -s builtin:echo -w 1
	assert_eq 'status of a start' 0 "$STATUS"
	grep -q "^$warning" "$T/start.out" || fail 'no warning at the start'
	serves || fail 'it does not serve'
	: >"$T/log"
}

# sessions N: so many, all of which must go well.
sessions() {
	load_start some -c 10 -n "$1"
	load_ended some
	load_all_ok some 0
	assert_eq sessions "$1" "$(load_count some loop ok)"
}

# account FILE...: the session lines in them, and those that were lost.
account() {
	awk '/session end .* end=client.close$/ { n++ }
	    / log: [0-9]+ lines? lost$/ { n += $(NF - 2) }
	    END { print n + 0 }' "$@"
}

accounts_are() {
	expected=$1
	shift
	[ "$(account "$@")" -ge "$expected" ]
}

# all_accounted N FILE...: of so many sessions. A worker that has lost lines says
# so behind the next that it writes: give both some.
all_accounted() {
	total=$1
	most=$(($1 + 200))
	shift
	until try_for 1 accounts_are "$total" "$@"; do
		[ "$total" -lt $most ] ||
			fail "$(account "$@") of $total sessions"
		sessions 20
		total=$((total + 20))
	done
	assert_eq 'sessions in the log and lost' "$total" "$(account "$@")"
}

# Whole lines only, but for what was cut by the end of the disk.
assert_whole() {
	cut=$(cat "$@" | grep -cvE \
	    '^([-0-9]{10}T[:.0-9]{12}Z (conf )?[^ ]+( [0-9]+)?\[[0-9]+\] (error|warning|notice|info|debug): .*|)$' || :)
	assert_between 'lines that were cut' 0 2 "$cut"
	assert_eq 'lines that begin in others' '' \
	    "$(grep -hE '.[-0-9]{10}T[:.0-9]{12}Z ' "$@" || :)"
}

always_full() {
	echo_behind -w 2 -L /dev/full
	: >"$T/log"
	sessions 2000
}

# with_a_disk ARGS...: shuttled_start with a disk of 64 KiB at $T/disk, for it
# alone, which is nearly full; for us it is at $disk. 1: not here.
with_a_disk() {
	if [ "$(id -u)" -ne 0 ] || ! unshare -m true 2>/dev/null; then
		say 'not here: it takes root, and a mount'
		return 1
	fi
	saved_wrap=$SHUTTLED_WRAP
	mkdir -p "$T/disk"
	cat >"$T/mount" <<-END
		#!/bin/sh
		mount -t tmpfs -o size=64k shuttled "$T/disk" || exit 1
		head -c 40000 /dev/zero >"$T/disk/filler"
		exec "\$@"
	END
	chmod +x "$T/mount"
	SHUTTLED_WRAP="unshare -m $T/mount $SHUTTLED_WRAP"
	shuttled_start "$@"
	SHUTTLED_WRAP=$saved_wrap
	disk=/proc/$PID/root$T/disk
}

# It grows: then every line of 2000 sessions is in this log, or was counted.
disk_grows() {
	rm "$disk/filler"
	mount -o remount,size=4m "$disk" 2>/dev/null ||
		nsenter -t "$PID" -m mount -o remount,size=4m "$T/disk" ||
		fail 'the disk does not grow'
	all_accounted 2000 "$1"
	grep -q 'lines\{0,1\} lost' "$1" || fail 'nothing was lost'
	assert_whole "$1"
}

# It fills up, and is emptied. The log was opened again before: workers write to
# what the master handed them.
full_disk() {
	echo_start
	with_a_disk -l 127.0.0.1:0 -s "$SERVER" -w 2 -L "$T/disk/log" ||
		return 0
	: >"$T/log"
	signal USR1
	wait_for 5 grep -q 'log reopened' "$disk/log"
	sessions 2000
	disk_grows "$disk/log"
}

# The status file cannot be written: the log says why.
full_disk_of_the_status_file() {
	with_a_disk -l 127.0.0.1:0 -s builtin:echo -p "$T/disk/pid" || return 0
	cat /dev/zero >"$disk/more" 2>/dev/null || :
	signal HUP
	wait_for 10 log_has 'reloaded: '
	assert_log "status file $T/disk/pid.status: No space left on device"
	rm "$disk/more"
}

pidfile_is() {
	[ "$(cat "$disk/pid" 2>/dev/null)" = "$1" ]
}

# An upgrade that finds no room fails, and leaves the pidfile as it was; or, where
# that is gone, it is there again once there is room.
upgrade_on_a_full_disk() {
	echo_start
	with_a_disk -l 127.0.0.1:0 -s "$SERVER" -w 1 -p "$T/disk/pid" ||
		return 0
	pidfile_is "$PID" || fail "the pidfile has $(cat "$disk/pid")"
	! head -c 100000 /dev/zero >"$disk/more" 2>/dev/null ||
		fail 'there is room for more'
	DEATHS=wanted
	# Its room is not for the next one, as long as we have it open.
	exec 9<"$disk/pid"
	signal USR2
	wait_for 15 log_has 'upgrade: process .* this one continues'
	grep -q "pidfile $T/disk/pid: .*No space left" "$T/stderr" ||
		fail "it does not say why: $(cat "$T/stderr")"
	assert_log 'status file .*: No space left'
	pidfile_is "$PID" || fail "the pidfile has '$(cat "$disk/pid")'"
	rm "$disk/pid"
	signal USR2
	wait_for 15 log_has "upgrade: pidfile .*No space left.* trying again"
	exec 9<&-
	rm "$disk/filler" "$disk/more"
	wait_for 15 pidfile_is "$PID"
	assert_log 'upgrade: pidfile and ports file were restored'
	serves || fail 'it does not serve'
	shuttled_stop
	DEATHS=
}

# listeners TARGET: two, of which the first has this log.
listeners() {
	cat >"$T/conf" <<-CONF
		workers: 2
		listen: {
			a: { address: "127.0.0.1:0", log: "$1" },
			b: { address: "127.0.0.1:0" }
		}
		pool: { p: { server: { s: { address: "$SERVER" } } } }
	CONF
}

# ends_are N LISTENER, for wait_for: session lines of it in the log of the whole.
ends_are() {
	[ "$(grep -c "session end .* listener=$2 " "$T/log")" -eq "$1" ]
}

# A disk that is full for the log of one listener: no other line is lost.
full_disk_of_a_listener() {
	echo_start
	listeners "$T/disk/log"
	with_a_disk -c "$T/conf" || return 0
	signal USR1
	wait_for 5 log_has 'log reopened'
	sessions 2000
	LISTEN=$(listener 2)
	sessions 200
	wait_for 5 ends_are 200 b
	LISTEN=$(listener 1)
	disk_grows "$disk/log"
	assert_eq 'its lines in the log of the whole' 0 \
	    "$(log_count 'listener=a ')"
	assert_not_log 'lines* lost'
}

always_full_of_a_listener() {
	echo_start
	listeners /dev/full
	shuttled_start -c "$T/conf"
	sessions 2000
	LISTEN=$(listener 2)
	sessions 200
	wait_for 5 ends_are 200 b
}

# Nobody reads it at first; who comes then gets what was kept.
fifo_without_reader() {
	echo_start
	mkfifo -m 600 "$T/fifo"
	shuttled_start -l 127.0.0.1:0 -s "$SERVER" -w 2 -L "$T/fifo"
	: >"$T/log"
	sessions 2000
	cat "$T/fifo" >"$T/read" &
	reader=$!
	started="$started $!"
	all_accounted 2000 "$T/read"
	grep -q 'lines\{0,1\} lost' "$T/read" || fail 'nothing was lost'
	# It goes, and another comes.
	kill "$reader"
	wait_for 5 gone "$reader"
	sessions 100
	cat "$T/fifo" >"$T/more" &
	started="$started $!"
	all_accounted $((total + 100)) "$T/read" "$T/more"
	assert_whole "$T/read" "$T/more"
}

# As `shuttled -F 2>&1 | less`: the pipe is not ours to change.
stderr_without_reader() {
	echo_start
	mkfifo -m 600 "$T/pipe"
	exec 9<>"$T/pipe"
	saved_wrap=$SHUTTLED_WRAP
	cat >"$T/piped" <<-'END'
		#!/bin/sh
		exec "$@" 2>&9 9>&-
	END
	chmod +x "$T/piped"
	SHUTTLED_WRAP="$T/piped $SHUTTLED_WRAP"
	shuttled_start -l 127.0.0.1:0 -s "$SERVER" -w 2 -L stderr
	SHUTTLED_WRAP=$saved_wrap
	: >"$T/log"
	sessions 2000
	cat <&9 >"$T/read.err" &
	reader=$!
	started="$started $!"
	all_accounted 2000 "$T/read.err"
	assert_whole "$T/read.err"
	shuttled_stop
	kill "$reader"
	exec 9>&-
}

run_cases unwritable_at_start no_logger_yet always_full full_disk \
    full_disk_of_the_status_file always_full_of_a_listener full_disk_of_a_listener \
    upgrade_on_a_full_disk \
    fifo_without_reader stderr_without_reader
