#!/bin/sh
# SPDX-License-Identifier: ISC
# Copyright (c) 2026 The shuttled authors
#
# files.sh: pidfile, ports file, log and unix sockets. An instance removes what
# it made and nothing else, and follows no link of others.
. "$(dirname "$0")/../lib.sh"
DEATHS=wanted

# another ARGS...: a second instance over the same ports file, its pid in OTHER.
another() {
	first=$PID
	before=$(cat "$T/ports")
	mv "$T/log" "$T/log.first"
	# shellcheck disable=SC2086 # these are lists
	$SHUTTLED_WRAP "$SHUTTLED" -F -L "$T/log" --ports-file "$T/ports" \
	    "$@" $SHUTTLED_ARGS 2>"$T/stderr.out" </dev/null &
	OTHER=$!
	also_end "$OTHER"
	wait_for 10 ports_changed
}

ports_changed() {
	[ "$(cat "$T/ports" 2>/dev/null)" != "$before" ]
}

# ended PID SIGNAL: it ends well.
ended() {
	kill -s "$2" "$1"
	wait_for 15 gone "$1"
	wait "$1" || fail "status $?"
	forget "$1"
}

# The first one of all goes last, and the paths are the second one's by then.
the_draining_one_leaves_the_files() {
	echo_start
	shuttled_start -l 127.0.0.1:0 -l "unix:$T/sock" -s "$SERVER" -w 1 \
	    -p "$T/pid"
	load_keep kept 2
	signal QUIT
	wait_for 5 refuses
	rm "$T/pid"
	another -l 127.0.0.1:0 -l "unix:$T/sock" -s "$SERVER" -w 1 \
	    -p "$T/pid"
	load_end_ok kept 2
	reap "$first"
	assert_eq pidfile "$OTHER" "$(cat "$T/pid")"
	[ -s "$T/ports" ] || fail 'the ports file of the second is gone'
	[ -S "$T/sock" ] || fail 'the socket of the second is gone'
	ended "$OTHER" QUIT
	for file in pid ports sock; do
		[ ! -e "$T/$file" ] || fail "$file was left"
	done
}

# An operator has removed them, and started another one.
stop_leaves_what_others_made() {
	for how in TERM QUIT; do
		shuttled_start -l 127.0.0.1:0 -l "unix:$T/sock" \
		    -s builtin:echo -w 1 -p "$T/pid"
		rm "$T/pid" "$T/sock"
		another -l 127.0.0.1:0 -l "unix:$T/sock" -s builtin:echo \
		    -w 1 -p "$T/pid"
		ended "$first" "$how"
		assert_eq pidfile "$OTHER" "$(cat "$T/pid")"
		[ -s "$T/ports" ] || fail 'the ports file is gone'
		[ -S "$T/sock" ] || fail 'the socket is gone'
		ended "$OTHER" "$how"
		for file in pid ports sock; do
			[ ! -e "$T/$file" ] || fail "$file was left"
		done
	done
}

conf() {
	cat >"$T/conf" <<EOF
listen: { main: { address: $1 } }
pool: { main: { server: { a: { address: "builtin:echo" } } } }
ports_file: "$2"
EOF
}

reload_leaves_what_others_made() {
	conf "[\"127.0.0.1:0\", \"unix:$T/sock\"]" "$T/ports"
	rm -f "$T/log"
	# shellcheck disable=SC2086 # these are lists
	$SHUTTLED_WRAP "$SHUTTLED" -F -L "$T/log" -c "$T/conf" -w 1 \
	    $SHUTTLED_ARGS 2>"$T/stderr" </dev/null &
	PID=$!
	also_end "$PID"
	wait_for 10 test -s "$T/ports"
	rm "$T/ports" "$T/sock"
	echo foreign >"$T/ports"
	peer_start other "listen unix:$T/sock; port-file $T/other; \
	    timeout 300000; wait-file $T/end"
	conf '"127.0.0.1:0"' "$T/ports2"
	reload
	assert_eq 'ports file of another' foreign "$(cat "$T/ports")"
	[ -S "$T/sock" ] || fail 'the socket of another is gone'
	[ -s "$T/ports2" ] || fail 'no new ports file'
	rm "$T/ports"
	peers_release other
	shuttled_stop
	[ ! -e "$T/ports2" ] || fail 'the new ports file was left'
	rm -f "$T/sock"
}

# The sockets go from one program to the next with what stands at their paths.
upgrade_leaves_what_others_made() {
	[ -z "$SHUTTLED_WRAP" ] || return 0
	shuttled_daemon -l 127.0.0.1:0 -l "unix:$T/sock" -l "unix:$T/sock2" \
	    -s builtin:echo -w 1
	rm "$T/sock"
	peer_start other "listen unix:$T/sock; port-file $T/other; \
	    timeout 300000; wait-file $T/end"
	first=$PID
	for _ in 1 2 3; do
		before=$PID
		signal USR2
		wait_for 15 pid_is_not "$before"
		also_end "$PID"
		wait_for 15 gone "$before"
	done
	[ -s "$T/ports" ] || fail 'the ports file is gone'
	daemon_stop QUIT
	[ -S "$T/sock" ] || fail 'the socket of another is gone'
	[ ! -e "$T/sock2" ] || fail 'our socket was left'
	peers_release other
	rm -f "$T/sock"
}

pid_is_not() {
	PID=$(cat "$T/pid") && [ "$PID" != "$1" ]
}

# try ARGS...: the same at a start and by -t.
try() {
	shuttled_try -t -l 127.0.0.1:0 -s builtin:echo -w 1 "$@"
	assert_eq "status of -t $*: $(cat "$T/try.out")" 73 "$STATUS"
	mv "$T/try.out" "$T/t.out"
	shuttled_fails 73 -l 127.0.0.1:0 -s builtin:echo -w 1 "$@"
}

# says TEXT: both.
says() {
	for file in try t; do
		grep -qF -e "$1" "$T/$file.out" ||
			fail "no '$1' in $file.out: $(cat "$T/$file.out")"
	done
}

links_are_not_followed() {
	echo precious >"$T/victim"
	ln -s "$T/victim" "$T/link"
	for option in -p --ports-file; do
		try $option "$T/link"
		says 'this is a symbolic link'
		assert_eq 'what the link names' precious "$(cat "$T/victim")"
		[ -L "$T/link" ] || fail 'the link is gone'
	done
	# Nor is what is no file at all replaced.
	mkfifo "$T/fifo"
	for option in -p --ports-file; do
		try $option "$T/fifo"
		says 'this is not a regular file'
		[ -p "$T/fifo" ] || fail 'the fifo is gone'
	done
	rm "$T/link" "$T/fifo"
}

exposed_directories() {
	mkdir "$T/open"
	chmod 777 "$T/open"
	for option in -p --ports-file -L; do
		try $option "$T/open/file"
		says "$T/open"
		says 'chmod +t'
		assert_eq files '' "$(ls -A "$T/open")"
	done
	# There others could put a socket of theirs in the place of ours.
	shuttled_does -t -l "unix:$T/open/sock" -s builtin:echo
	grep -qF "listen on unix:$T/open/sock: all users may replace files" \
	    "$T/try.out" || fail "$(cat "$T/try.out")"
	chmod 1777 "$T/open"
	shuttled_start -l 127.0.0.1:0 -s builtin:echo -w 1 -p "$T/open/pid"
	assert_eq pidfile "$PID" "$(cat "$T/open/pid")"
	shuttled_stop
	assert_eq 'files at the end' '' "$(ls -A "$T/open")"
	chmod 777 "$T/open"
	rmdir "$T/open"
}

# The last directory of a path is not the only one.
exposed_parents() {
	mkdir -p "$T/sub/x"
	chmod 777 "$T/sub"
	for option in -p --ports-file -L; do
		try $option "$T/sub/x/file"
		says "all users may replace files in the directory $T/sub:"
		assert_eq files '' "$(ls -A "$T/sub/x")"
	done
	chmod 755 "$T/sub"
	[ "$(id -u)" -eq 0 ] || return 0
	mkdir "$T/wide"
	chmod 1777 "$T/wide"
	ln -s "$T/sub" "$T/wide/x"
	chown -h 1:1 "$T/wide/x"
	for option in -p --ports-file -L; do
		try $option "$T/wide/x/file"
		says "$T/wide/x is a symbolic link of uid 1"
		assert_eq files x "$(ls -A "$T/sub")"
	done
	rm -r "$T/wide" "$T/sub"
}

# A log may be a link of root or of the user that starts shuttled.
log_that_is_a_link() {
	mkdir -p "$T/logs/sub"
	ln -s sub/real "$T/logs/link"
	ln -s "$T/logs/link" "$T/logs/second"
	shuttled_start -l 127.0.0.1:0 -s builtin:echo -w 1
	shuttled_stop
	shuttled_does -t -l 127.0.0.1:0 -s builtin:echo -L "$T/logs/second"
	[ ! -e "$T/logs/sub/real" ] || fail '-t made the log'
	# shellcheck disable=SC2086 # these are lists
	$SHUTTLED_WRAP "$SHUTTLED" -F -l 127.0.0.1:0 -s builtin:echo -w 1 \
	    -L "$T/logs/second" $SHUTTLED_ARGS 2>"$T/stderr" &
	PID=$!
	also_end "$PID"
	wait_for 10 grep -qs 'listening' "$T/logs/sub/real"
	ended "$PID" QUIT
	ln -s loop "$T/logs/loop"
	try -L "$T/logs/loop"
	says 'symbolic link'
	[ -e /dev/stderr ] || return 0
	# shellcheck disable=SC2086 # these are lists
	$SHUTTLED_WRAP "$SHUTTLED" -F -l 127.0.0.1:0 -s builtin:echo -w 1 \
	    -L /dev/stderr $SHUTTLED_ARGS 2>"$T/stderr" &
	PID=$!
	also_end "$PID"
	wait_for 10 grep -q 'listening' "$T/stderr"
	ended "$PID" QUIT
}

# planted FILE: another user has put it into a directory for all.
planted() {
	for option in -p --ports-file -L; do
		try $option "$T/shared/$1"
		says "$2"
	done
	assert_eq 'what others have' precious "$(cat "$T/victim")"
}

other_users_plant_files() {
	can_change_user || return 0
	mkdir "$T/shared"
	chmod 1777 "$T/shared"
	echo precious >"$T/victim"
	$AS_USER ln -s "$T/victim" "$T/shared/link"
	$AS_USER sh -c "echo 1 >'$T/shared/file'"
	planted link 'symbolic link'
	planted file 'belongs to uid 1'
	rm -r "$T/shared"
}

# A pidfile that is there is taken over in a directory that is not ours.
pidfile_where_only_the_file_is_ours() {
	can_change_user || return 0
	mkdir "$T/run"
	: >"$T/run/pid"
	chown 1:1 "$T/run/pid"
	chmod 1777 "$T"
	with_wrap "$AS_USER" shuttled_start -l 127.0.0.1:0 -s builtin:echo \
	    -w 1 -p "$T/run/pid"
	assert_eq pidfile "$PID" "$(cat "$T/run/pid")"
	shuttled_stop
	chmod 755 "$T"
	rm "$T/log" "$T/stderr"
}

# The shared memory is a file, too, as far as that limit goes.
files_are_limited() {
	for limit in 0 1; do
		# The output would be a file as well.
		out=$(sh -c 'ulimit -f '$limit'; exec "$@"' sh "$SHUTTLED" -F \
		    -l 127.0.0.1:0 -s builtin:echo -w 1 -p "$T/pid" 2>&1 | cat)
		case $out in
		*'ulimit -f'*) ;;
		*) fail "ulimit -f $limit: $out" ;;
		esac
		[ ! -e "$T/pid" ] || fail 'the pidfile was left'
		status=0
		out=$(sh -c 'ulimit -f '$limit'; exec "$@"' sh "$SHUTTLED" -t \
		    -l 127.0.0.1:0 -s builtin:echo 2>&1) || status=$?
		assert_eq "status of -t ($out)" 71 "$status"
	done
	assert_eq 'temporary files' '' "$(find "$T" -name '.shuttled-*')"
}

run_cases the_draining_one_leaves_the_files stop_leaves_what_others_made \
    reload_leaves_what_others_made upgrade_leaves_what_others_made \
    links_are_not_followed exposed_directories exposed_parents log_that_is_a_link \
    other_users_plant_files pidfile_where_only_the_file_is_ours
[ -n "$SHUTTLED_WRAP" ] || run_cases files_are_limited
