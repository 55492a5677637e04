#!/bin/sh
# SPDX-License-Identifier: ISC
# Copyright (c) 2026 The shuttled authors
#
# upgrade.sh: USR2. Another program, here a copy of ours, takes over the sockets,
# the board and the pidfile; if it cannot, nothing has changed.
. "$(dirname "$0")/../lib.sh"

[ -z "$SHUTTLED_WRAP" ] || skip 'a wrapper would not be started again'

# What is to be replaced while it runs.
mkdir -p "$T/bin"
cp "$SHUTTLED" "$T/bin/shuttled"
SHUTTLED=$T/bin/shuttled

# replace FILE: as a package manager does.
replace() {
	cp "$1" "$T/bin/new"
	chmod 755 "$T/bin/new"
	mv "$T/bin/new" "$T/bin/shuttled"
}

# pid_is_not PID: the pidfile has another one; it is empty for a moment in between.
pid_is_not() {
	PID=$(cat "$T/pid") && [ -n "$PID" ] && [ "$PID" != "$1" ]
}

pid_is() {
	[ "$(cat "$T/pid")" = "$1" ]
}

# upgraded: have it done, and go on with the new master.
upgraded() {
	before=$PID
	signal USR2
	wait_for 15 pid_is_not "$before"
	also_end "$PID"
	wait_for 15 log_has "process $PID serves"
}

# refused: have it tried in vain.
refused() {
	signal USR2
	wait_for 15 log_has 'upgrade: process .* this one continues'
	assert_eq pidfile "$PID" "$(cat "$T/pid")"
	serves || fail 'it does not serve'
}

sessions_outlive_it() {
	echo_start
	shuttled_daemon -l 127.0.0.1:0 -l "unix:$T/sock" -s "$SERVER" -w 2
	[ "$STATUS" -eq 0 ] || fail "$(cat "$T/start.out")"
	first=$PID
	ports=$(cat "$T/ports")
	load_keep kept 8
	upgraded
	second=$PID
	assert_eq title "shuttled: master, replaced by $second" \
	    "$(title "$first")"
	load_keep more 8
	upgraded
	upgraded
	assert_eq addresses "$ports" "$(cat "$T/ports")"
	[ -S "$T/sock" ] || fail 'the unix socket is gone'
	serves || fail 'it does not serve'
	load_end_ok kept 8
	wait_for 5 gone "$first"
	alive "$second" || fail 'the second master left its sessions'
	load_end_ok more 8
	wait_for 5 gone "$second"
	assert_eq 'sessions lost' 0 "$(log_count ' [1-9][0-9]* sessions* lost')"
	daemon_stop QUIT
	[ ! -e "$T/sock" ] || fail 'the unix socket was left'
}

# Sessions outlive it for as long as they like, until the new one is told to quit.
drain_timeout() {
	echo_start
	shuttled_daemon -l 127.0.0.1:0 -s "$SERVER" -w 1 --drain-timeout 300ms
	first=$PID
	load_keep kept 3 -x
	upgraded
	sleep 1
	alive "$first" || fail 'an upgrade has ended sessions'
	load_is kept ready || fail 'an upgrade has ended sessions'
	daemon_stop QUIT
	wait_for 5 gone "$first"
	assert_eq 'sessions that were ended' 3 "$(log_count 'end=proxy.drain')"
	load_end kept
}

# TERM reaches the sessions of all masters before the one that is told, and a worker
# that does not turn as well.
stopping() {
	echo_start
	shuttled_daemon -l 127.0.0.1:0 -s "$SERVER" -w 2
	masters=
	for i in 1 2; do
		masters="$masters $PID"
		load_keep "kept$i" 4
		upgraded
	done
	DEATHS=wanted
	stuck=$(worker 1)
	kill -STOP "$stuck"
	load_keep kept3 4
	daemon_stop TERM
	for pid in $masters "$stuck"; do
		wait_for 12 gone "$pid"
	done
	for i in 1 2 3; do
		load_ended "kept$i"
		assert_eq "sessions $i that were ended" 4 \
		    "$(load_count "kept$i" kept reset cut)"
	done
	DEATHS=
}

# An upgrade makes one generation more, and those of masters that were replaced count.
max_generations() {
	echo_start
	cat >"$T/conf" <<-CONF
		workers: 1
		max_generations: 2
		listen: { a: { address: "127.0.0.1:0" } }
		pool: { p: { server: { s: { address: "$SERVER" } } } }
	CONF
	shuttled_daemon -c "$T/conf"
	first=$PID
	load_keep kept1 1 -x
	upgraded
	wait_for 5 log_has \
	    'max_generations: 2 of at most 2 .* generation 1, .* next reload'
	load_keep kept2 1 -x
	upgraded
	load_keep kept3 1 -x
	signal HUP
	for i in 1 2; do
		wait_for 10 log_has "max_generations: 3 .* generation $i, .*within"
		wait_for 15 log_reaches "$i" 'end=proxy.drain'
		load_end "kept$i"
		assert_eq "sessions $i that were ended" 1 \
		    "$(load_count "kept$i" kept reset cut)"
	done
	wait_for 5 gone "$first"
	load_is kept3 ready || fail 'one generation too many has ended'
	assert_eq 'sessions that were ended' 2 "$(log_count 'end=proxy.drain')"
	daemon_stop TERM
	load_end kept3
}

under_load() {
	echo_start
	shuttled_daemon -l 127.0.0.1:0 -s "$SERVER" -w 3
	load_start busy -c 20
	upgraded
	signal HUP
	upgraded
	signal HUP
	signal HUP
	upgraded
	load_end_ok busy 0
	say "$(grep '^loop' "$T/busy.out")"
	wait_for 5 workers_are 3
	daemon_stop QUIT
}

# ends_are N, for wait_for: session lines in the log of the listener.
ends_are() {
	[ "$(grep -c 'session end .* listener=a ' "$T/own.log")" -eq "$1" ]
}

# The log of a listener goes on in the same file: every session of both masters
# has its line there, and none elsewhere.
own_log_goes_on() {
	echo_start
	cat >"$T/conf" <<-CONF
		workers: 3
		listen: { a: { address: "127.0.0.1:0", log: "$T/own.log" } }
		pool: { p: { server: { s: { address: "$SERVER" } } } }
	CONF
	shuttled_daemon -c "$T/conf"
	[ "$STATUS" -eq 0 ] || fail "$(cat "$T/start.out")"
	file=$(stat -c %i "$T/own.log")
	load_keep kept 6
	load_start busy -c 10
	upgraded
	wait_for 10 log_has 'upgrade: .* serves; 3 workers to drain'
	load_end_ok busy 0
	load_end_ok kept 6
	wait_for 5 gone "$before"
	wait_for 5 ends_are $(($(load_count busy loop ok) + 6))
	assert_eq 'the file' "$file" "$(stat -c %i "$T/own.log")"
	assert_eq 'lines that are none of a session' '' \
	    "$(grep -vE '^[-0-9]{10}T[:.0-9]{12}Z conf worker [0-9]+\[[0-9]+\] info: session end ' "$T/own.log" || :)"
	assert_not_log 'listener=a '
	daemon_stop QUIT
}

# Its place in the sequence, and who is in doubt, are on the board.
board_goes_along() {
	shuttled_daemon -l 127.0.0.1:0 -s builtin:hello,name=a \
	    -s builtin:hello,name=b -s builtin:hello,name=c -w 1
	peer "connect $LISTEN; read-until-eof"
	peer "connect $LISTEN; read-until-eof"
	upgraded
	peer "connect $LISTEN; read-until-eof"
	wait_for 5 log_reaches 3 'session end'
	assert_eq 'servers in turn' 'a b c' "$(grep -o 'servers_tried=[a-c]' \
	    "$T/log" | cut -d = -f 2 | tr '\n' ' ' | sed 's/ $//')"
	daemon_stop QUIT
}

program_is_broken() {
	echo_start
	shuttled_daemon -l 127.0.0.1:0 -l "unix:$T/sock" -s "$SERVER" -w 2
	load_start busy -c 5 -p 5
	DEATHS=wanted
	# It leaves the beginning of a pidfile, and so does another process.
	printf '#!/bin/sh\n: >"%s/.shuttled-$$-1"\n' "$T" >"$T/broken"
	printf 'echo "no such luck" >&2\nexit 3\n' >>"$T/broken"
	: >"$T/.shuttled-1-1"
	replace "$T/broken"
	refused
	assert_eq 'drafts that are left' "$T/.shuttled-1-1" \
	    "$(find "$T" -name '.shuttled-*')"
	rm "$T/.shuttled-1-1"
	assert_log 'upgrade: no such luck'
	assert_log 'does not serve: it ended: exit code 3'
	[ -S "$T/sock" ] || fail 'the unix socket is gone'
	printf 'neither program nor script' >"$T/bin/shuttled"
	signal USR2
	wait_for 15 log_reaches 2 'upgrade: process .* this one continues'
	rm "$T/bin/shuttled"
	signal USR2
	wait_for 15 log_has 'upgrade: .*No such file'
	workers_are 2 || fail "there are $(living_workers) workers"
	replace "$original"
	upgraded
	load_end_ok busy 0
	serves || fail 'it does not serve'
	daemon_stop QUIT
	DEATHS=
}

# It starts, and can then not do what it has to.
it_cannot_start() {
	echo_start
	shuttled_daemon -l 127.0.0.1:0 -l "unix:$T/sock" -s "$SERVER" -w 2
	cat >"$T/other" <<EOF
#!/bin/sh
exec "$original" -w 2 -l 127.0.0.1:0 -l "unix:$T/sock" -s "$SERVER" \\
    -p "$T/no/such/directory/pid" -L "$T/log"
EOF
	replace "$T/other"
	DEATHS=wanted
	load_start busy -c 16
	refused
	signal USR2
	wait_for 15 log_reaches 2 'upgrade: process .* this one continues'
	load_end_ok busy 0
	[ -S "$T/sock" ] || fail 'the unix socket is gone'
	workers_are 2 || fail "there are $(living_workers) workers"
	# Sessions of the master that goes on are not for it to count.
	assert_log 'the master before this one was not replaced'
	assert_not_log 'bye$'
	replace "$original"
	upgraded
	serves || fail 'it does not serve'
	daemon_stop QUIT
	DEATHS=
}

# It says that it serves, gets the pidfile, and is never heard of again.
it_hangs_with_the_pidfile() {
	command -v bash >/dev/null && command -v flock >/dev/null || return 0
	echo_start
	shuttled_daemon -l 127.0.0.1:0 -s "$SERVER" -w 2
	load_keep kept 4
	cat >"$T/other" <<EOF
#!$(command -v bash)
channel=\$(sed -n 's/^channel \([0-9]*\).*/\1/p' <<<"\$SHUTTLED_INHERIT")
printf R >&"\$channel"
exec 99>>"$T/pid"
flock 99
echo \$\$ >"$T/has"
exec sleep 60
EOF
	replace "$T/other"
	signal USR2
	wait_for 5 test -s "$T/has"
	also_end "$(cat "$T/has")"
	wait_for 15 log_has 'does not serve: it was too slow; this one continues'
	gone "$(cat "$T/has")" || fail 'it was left'
	assert_not_log 'another instance'
	wait_for 5 pid_is "$PID"
	replace "$original"
	shuttled_fails 75 -l 127.0.0.1:0 -s builtin:echo -p "$T/pid"
	serves || fail 'it does not serve'
	load_end_ok kept 4
	upgraded
	daemon_stop QUIT
}

# instead TEXT...: the program from now on, a script. It has $channel to the master
# before, and says with each word of $T/said how far it has come.
instead() {
	{
		say "#!$(command -v bash)"
		# shellcheck disable=SC2016 # for the script to expand
		say 'channel=$(sed -n "s/^channel \([0-9]*\).*/\1/p"' \
		    '<<<"$SHUTTLED_INHERIT")'
		say "said=$T/said"
		printf '%s\n' "$@"
	} >"$T/other"
	rm -f "$T/said"
	replace "$T/other"
}

# has_said WORD N: for wait_for.
has_said() {
	[ -e "$T/said" ] && [ "$(grep -c "^$1" "$T/said" || :)" -ge "$2" ]
}

# all_ended: whatever the script has started.
all_ended() {
	[ -e "$T/said" ] || return 0
	# shellcheck disable=SC2013 # words are what we want
	for pid in $(sed -n 's/^pid //p' "$T/said"); do
		gone "$pid" || return 1
	done
}

# These never serve, and never end by themselves. Meanwhile the master is not deaf,
# and at the end nothing is left of them.
it_is_stubborn() {
	command -v bash >/dev/null || return 0
	echo_start
	DEATHS=wanted
	# shellcheck disable=SC2016 # as above
	for line in 'sleep 1' 'eval "exec $channel>&-"' \
	    'for i in 1 2 3; do printf S >&"$channel"; done'; do
		say "$line"
		shuttled_daemon -l 127.0.0.1:0 -s "$SERVER" -w 2
		instead "$line" 'sleep 60 &' 'echo pid $! >>"$said"' \
		    'echo pid $$ >>"$said"' 'wait'
		signal USR2
		wait_for 5 has_said pid 2
		# shellcheck disable=SC2046 # a list
		also_end $(sed -n 's/^pid //p' "$T/said")
		dead=$(worker 1)
		kill -KILL "$dead"
		wait_for 5 log_reaches 2 'worker 1\[[0-9]*\] info: ready'
		serves || fail 'it does not serve'
		began=$(now_ms)
		signal TERM
		wait_for 10 gone "$PID"
		took=$(($(now_ms) - began))
		[ "$took" -lt $((2000 * TEST_SLOW)) ] ||
			fail "the end took $took ms"
		wait_for 5 all_ended
		[ ! -e "$T/pid" ] || fail 'the pidfile was left'
		! log_has 'this one continues' || log_has 'closed the channel' ||
			fail 'it says that it goes on'
		replace "$original"
	done
	PID=
	DEATHS=
}

# candidate_says_ready: an upgrade comes to where the new master has said that it
# serves, and the one before, which is stopped, has not heard it. Its pid in $new.
candidate_says_ready() {
	# shellcheck disable=SC2016 # as above
	instead 'echo "pid $$" >>"$said"' \
	    'until [ -e "$said.go" ]; do sleep 0.05; done' \
	    "exec $original \"\$@\""
	rm -f "$T/said.go"
	signal USR2
	wait_for 5 has_said pid 1
	new=$(sed -n 's/^pid //p' "$T/said")
	also_end "$new"
	kill -STOP "$PID"
	# Counted before it may go on: they can be quick.
	ready=$(($(log_count 'info: ready: uid') + $1))
	: >"$T/said.go"
	wait_for 10 log_reaches "$ready" 'info: ready: uid'
	# What comes before it has said so ends as well.
	sleep 0.3
}

# new_workers: those of the new master.
new_workers() {
	cat "/proc/$new/task/$new/children"
}

# TERM and QUIT until then end the new one, and the one before goes on.
it_is_ended_when_it_is_ready() {
	command -v bash >/dev/null || return 0
	echo_start
	DEATHS=wanted
	shuttled_daemon -l 127.0.0.1:0 -s "$SERVER" -w 2
	load_keep kept 4
	n=0
	for name in TERM QUIT; do
		n=$((n + 1))
		candidate_says_ready 2
		# They keep it from ending before it hears of the other.
		# shellcheck disable=SC2046 # a list
		kill -STOP $(new_workers)
		kill -s "$name" "$new"
		wait_for 5 log_has "master.$new.* stopping: "
		kill -CONT "$PID"
		wait_for 15 log_reaches $n 'upgrade: process .* this one continues'
		wait_for 10 gone "$new"
		pid_is "$PID" || fail "the pidfile has $(cat "$T/pid")"
		wait_for 5 grep -q '^result failed' "$T/pid.status"
		serves || fail 'it does not serve'
	done
	assert_not_log 'workers*, 1 server: ready.*upgrade'
	load_end_ok kept 4
	replace "$original"
	upgraded
	daemon_stop QUIT
	DEATHS=
}

# From then on it serves, and ends the service as one that serves.
it_is_ended_when_it_serves() {
	command -v bash >/dev/null && command -v flock >/dev/null || return 0
	echo_start
	for how in TERM QUIT 'TERM late' 'QUIT late'; do
		name=${how% late}
		shuttled_daemon -l 127.0.0.1:0 -s "$SERVER" -w 2
		old=$PID
		candidate_says_ready 2
		kill -STOP "$new"
		kill -CONT "$old"
		# The pidfile is free, and the new one is told so.
		wait_for 5 flock -n "$T/pid" true
		kill -STOP "$old"
		kill -CONT "$new"
		wait_for 5 pid_is "$new"
		kill -s "$name" "$new"
		wait_for 5 log_has "master.$new.* \(stopp\|quitt\)ing: "
		# The old one finds that its time for an answer is over, and who
		# should have answered has ended.
		[ "$name" = "$how" ] || {
			wait_for 20 log_has "master.$new.* all workers have ended"
			sleep 6
		}
		kill -CONT "$old"
		wait_for 10 gone "$new"
		wait_for 10 gone "$old"
		forget "$old"
		[ "$(log_time "master.$new.*server: ready")" -le \
		    "$(log_time "master.$new.* \(stopp\|quitt\)ing: ")" ] ||
			fail 'it says that it is ready when it has ended'
		for file in pid pid.status ports; do
			[ ! -e "$T/$file" ] || fail "left: $(cat "$T/$file")"
		done
		replace "$original"
	done
	PID=
}

# However it fails, what it has started in sessions of their own ends as well, at any
# depth; and a worker that dies meanwhile is replaced.
it_leaves_others_behind() {
	command -v bash >/dev/null && command -v setsid >/dev/null || return 0
	[ -e "/proc/$$/task/$$/children" ] || return 0
	echo_start
	DEATHS=wanted
	shuttled_daemon -l 127.0.0.1:0 -s "$SERVER" -w 2
	n=0
	# shellcheck disable=SC2016 # as above
	for end in 'exit 3' 'printf X >&"$channel"; sleep 60' 'exec 9>>"$pidfile";
	    printf R >&"$channel"; flock 9; setsid sleep 61 & exit 4'; do
		n=$((n + 1))
		# shellcheck disable=SC2016 # as above
		instead "pidfile=$T/pid" \
		    'setsid sh -c "echo pid \$\$; setsid sleep 62 & echo pid \$!;
		    sleep 63" >>"$said" &' \
		    'until [ "$(grep -c ^pid "$said")" -eq 2 ]; do sleep 0.05; done' \
		    "$end"
		signal USR2
		wait_for 15 log_reaches $n 'upgrade: process .* this one continues'
		all_ended || fail "left: $(cat "$T/said")"
		[ $n -ne 1 ] || kill -KILL "$(worker 1)"
		wait_for 5 workers_are 2
		pid_is "$PID" || fail "the pidfile has $(cat "$T/pid")"
		serves || fail 'it does not serve'
	done
	replace "$original"
	upgraded
	daemon_stop QUIT
	DEATHS=
}

# What says nothing sensible is ended long before its time is over.
it_makes_no_sense() {
	command -v bash >/dev/null || return 0
	echo_start
	shuttled_daemon -l 127.0.0.1:0 -s "$SERVER" -w 2
	n=0
	# shellcheck disable=SC2016 # as above
	for line in 'eval "exec $channel>&-"' 'printf X >&"$channel"' \
	    'printf SSS >&"$channel"' \
	    'yes junk | head -c 1000000 >&2; printf X >&"$channel"'; do
		n=$((n + 1))
		instead "$line" 'sleep 60 &' 'echo pid $! >>"$said"' \
		    'echo pid $$ >>"$said"' 'wait'
		signal USR2
		wait_for 8 log_reaches $n 'upgrade: .* does not serve: it'
		all_ended || fail 'something was left'
		serves || fail 'it does not serve'
	done
	assert_between 'lines of what it had to say' 1 100 \
	    "$(log_count 'upgrade: junk')"
	replace "$original"
	upgraded
	daemon_stop QUIT
}

# A reload that is asked for meanwhile is done by whoever serves then.
reload_meanwhile() {
	command -v bash >/dev/null || return 0
	echo_start
	DEATHS=wanted
	shuttled_daemon -l 127.0.0.1:0 -s "$SERVER" -w 1
	# shellcheck disable=SC2016 # as above
	instead 'echo begun >>"$said"' \
	    'until [ -e "$said.go" ]; do sleep 0.05; done' 'exit 1'
	signal USR2
	wait_for 5 has_said begun 1
	signal HUP
	: >"$T/said.go"
	wait_for 10 log_has "master.$PID.* reloaded: generation"
	log_has 'this one continues' || fail 'a reload beside the upgrade'
	rm "$T/said.go"
	# shellcheck disable=SC2016 # as above
	instead 'echo begun >>"$said"' \
	    'until [ -e "$said.go" ]; do sleep 0.05; done' \
	    "exec $original \"\$@\""
	before=$PID
	signal USR2
	wait_for 5 has_said begun 1
	signal HUP
	: >"$T/said.go"
	wait_for 15 pid_is_not "$before"
	also_end "$PID"
	wait_for 10 log_has "master.$PID.* reloaded: generation"
	rm "$T/said.go"
	replace "$original"
	daemon_stop QUIT
	DEATHS=
}

# The master before dies while its workers drain: they finish, and their places
# are taken again.
old_master_dies() {
	echo_start
	shuttled_daemon -l 127.0.0.1:0 -s "$SERVER" -w 2
	first=$PID
	load_keep kept 4
	upgraded
	kill -KILL "$first"
	wait_for 5 gone "$first"
	load_end_ok kept 4
	signal HUP
	wait_for 15 log_has 'reloaded: generation'
	serves || fail 'it does not serve'
	daemon_stop QUIT
}

# conf TEXT...: what is listened on from now on.
conf() {
	{
		say "workers: 2"
		say "listen: { $* }"
		say 'pool: { p: { server: { s: { address: "builtin:hello" } } } }'
	} >"$T/conf.new"
	mv "$T/conf.new" "$T/conf"
}

# The program after has another configuration: what it does not want is closed,
# what it sets otherwise is set.
configuration_changes() {
	conf 'a: { address: "127.0.0.1:0", defer_accept: "30s" },' \
	    "b: { address: [\"127.0.0.1:0\", \"unix:$T/b\"] }"
	shuttled_daemon -c "$T/conf"
	[ "$STATUS" -eq 0 ] || fail "$(cat "$T/start.out")"
	goes=$(listener 2)
	first=$PID
	conf 'a: { address: "127.0.0.1:0" }'
	upgraded
	wait_for 5 gone "$first"
	assert_eq ports "$LISTEN" "$(cat "$T/ports")"
	try_peer "connect-refused $goes" || fail "somebody is at $goes"
	[ ! -e "$T/b" ] || fail 'the path of b was left'
	# It says nothing, and is served all the same.
	peer "connect $LISTEN; read-until-eof"
	daemon_stop QUIT
}

original=${SHUTTLED%/*}/original
cp "$SHUTTLED" "$original"
run_cases sessions_outlive_it drain_timeout stopping max_generations \
    under_load own_log_goes_on \
    board_goes_along program_is_broken it_cannot_start it_hangs_with_the_pidfile it_is_stubborn \
    it_leaves_others_behind it_is_ended_when_it_is_ready it_is_ended_when_it_serves \
    it_makes_no_sense reload_meanwhile old_master_dies configuration_changes
