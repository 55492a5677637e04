#!/bin/sh
# SPDX-License-Identifier: ISC
# Copyright (c) 2026 The shuttled authors
#
# syslog.sh: logs that go to another machine's syslog: what arrives there, and
# what becomes of sessions and lines while nothing can.
. "$(dirname "$0")/../lib.sh"

RECEIVER=${RECEIVER:-$TOOLS/receiver}

# receiver_start udp|tcp [PORT]: its address in $SYSLOG, its lines in $T/got.
receiver_start() {
	: >"$T/got"
	"$RECEIVER" "$1" "${2:-0}" >"$T/got" 2>"$T/receiver.out" </dev/null &
	receiver=$!
	started="$started $!"
	wait_for 10 test -s "$T/got"
	SYSLOG=$(head -n 1 "$T/got")
}

receiver_end() {
	alive "$receiver" || fail 'the receiver has ended'
	kill -s "${1:-TERM}" "$receiver"
	wait_for 10 gone "$receiver"
	wait "$receiver" || :
	forget "$receiver"
}

got() {
	grep -c -e "$1" "$T/got" || :
}

# got_reaches COUNT PATTERN, for wait_for.
got_reaches() {
	[ "$(got "$2")" -ge "$1" ]
}

# datagrams N: how many of N arrive at least: all, or nine of ten where the network
# loses some. Nothing promises more of UDP.
datagrams() {
	if [ -n "${TEST_LOSSY-}" ]; then
		say $(($1 * 9 / 10))
	else
		say "$1"
	fi
}

# lost: the sum of the lines that it says were lost.
lost() {
	sed -n 's/.*log: \([0-9]*\) lines* lost$/\1/p' "$T/got" |
	    awk '{ n += $1 } END { print n + 0 }'
}

# all_told N: so many sessions have arrived or were said to be lost.
all_told() {
	[ "$(($(got 'session end') + $(lost)))" -ge "$1" ]
}

# assert_messages PRI: every line is one, by RFC 5424, section 6.
assert_messages() {
	host=$(uname -n)
	assert_eq 'lines of another form' '' "$(tail -n +2 "$T/got" |
	    grep -vE "^<[0-9]+>1 [-0-9]{10}T[:0-9]{8}\.[0-9]{3}Z $host shuttled [0-9]+ - - (master|worker [0-9]+|single|start): " || :)"
	assert_eq 'session lines with the right priority' \
	    "$(got 'session end')" "$(got "^<$1>1 .*session end")"
}

# log_to TARGET ARGS...: the log file stays empty.
log_to() {
	target=$1
	shift
	shuttled_start -l 127.0.0.1:0 -w 2 -L "$target" "$@"
	: >"$T/log"
}

# sessions N: so many, all of which must go well.
sessions() {
	load_start some -c 10 -n "$1"
	load_ended some
	load_all_ok some 0
	assert_eq sessions "$1" "$(load_count some loop ok)"
}

# Facility and level as in RFC 5424, section 6.2.1: 16 * 8 + 6, 3 * 8 + 6.
over_udp() {
	receiver_start udp
	log_to "syslog+udp://$SYSLOG/local0" -s builtin:echo
	sessions 50
	wait_for 5 got_reaches "$(datagrams 50)" 'session end'
	assert_messages 134
	# The one that the master opens anew is used as well.
	signal USR1
	try_for 20 got_reaches 1 'log reopened' || [ -n "${TEST_LOSSY-}" ] ||
		fail 'the log was not opened anew'
	sessions 50
	wait_for 5 got_reaches "$(datagrams 100)" 'session end'
	shuttled_stop
	wait_for 5 got_reaches "$(datagrams 2)" 'draining: asked to'
	receiver_end
}

over_tcp() {
	receiver_start tcp
	log_to "syslog+tcp://$SYSLOG" -s builtin:echo
	sessions 300
	wait_for 5 got_reaches 300 'session end'
	assert_eq lines 300 "$(got 'session end')"
	assert_messages 30
	signal USR1
	wait_for 5 got_reaches 1 'log reopened'
	shuttled_stop
	wait_for 5 got_reaches 2 'draining: asked to'
	wait_for 5 got_reaches 1 'all workers have ended'
	receiver_end
}

# A listener of its own, and one beside it that logs to the file as the whole
# does: only the lines of the first arrive, also from the socket that comes later.
of_a_listener() {
	for way in udp tcp; do
		receiver_start $way
		cat >"$T/conf" <<-CONF
			workers: 2
			listen: {
				a: { address: "127.0.0.1:0",
				    log: "syslog+$way://$SYSLOG/local0" },
				b: { address: "127.0.0.1:0" }
			}
			pool: { p: { server: { s: {
				address: "builtin:echo" } } } }
		CONF
		shuttled_start -c "$T/conf"
		sessions 50
		wait_for 5 got_reaches 50 'session end'
		signal USR1
		wait_for 5 log_has 'log reopened'
		sessions 50
		wait_for 5 got_reaches 100 'session end'
		LISTEN=$(listener 2)
		sessions 20
		wait_for 5 log_reaches 20 'session end .* listener=b '
		assert_eq "other lines by $way" '' "$(tail -n +2 "$T/got" |
		    grep -vE '^<134>1 .* shuttled-conf [0-9]+ - - worker [12]: session end .* listener=a ' || :)"
		assert_eq 'sessions of it in the file' 0 \
		    "$(log_count 'listener=a ')"
		shuttled_stop
		receiver_end
	done
}

# It takes nothing for a while. Sessions do not wait, lines do, as many as the
# system holds and 64 KiB for each worker; in the end the sum is right.
it_stalls() {
	echo_start
	receiver_start tcp
	log_to "syslog+tcp://$SYSLOG" -s "$SERVER" \
	    --log-format "session end %{end} $(printf '%01500d' 0)"
	sessions 20
	wait_for 5 got_reaches 20 'session end'
	kill -STOP "$receiver"
	sessions 8000
	kill -CONT "$receiver"
	# What makes a worker say that lines were lost is the next line.
	total=8020
	until all_told $total; do
		seen=$(got 'session end')
		# As long as some arrive there is nothing to do but wait.
		! try_for 1 got_reaches $((seen + 1)) 'session end' || continue
		! all_told $total || break
		[ $total -lt 8220 ] || fail "$(got 'session end') lines and" \
		    "$(lost) lost are not $total"
		sessions 20
		total=$((total + 20))
	done
	assert_eq 'sessions that arrived or were lost' $total \
	    $(($(got 'session end') + $(lost)))
	[ "$(lost)" -gt 0 ] || fail 'nothing was lost: not stalled'
	shuttled_stop
	receiver_end
}

# It dies, is away for a while, and comes again.
it_comes_again() {
	peer_refusing there
	port=$(sed 's/.*://' "$T/there")
	receiver_start tcp "$port"
	log_to "syslog+tcp://$SYSLOG" -s builtin:echo
	sessions 20
	receiver_end KILL
	sessions 100
	receiver_start tcp "$port"
	wait_for 30 got_reaches 50 'session end'
	sessions 20
	wait_for 30 got_reaches 100 'session end'
	assert_messages 30
	shuttled_stop
	receiver_end
}

# log_is TARGET: so from now on.
log_is() {
	cat >"$T/conf" <<-END
		log: "$1"
		listen: { web: { address: "127.0.0.1:0", pool: "echo" } }
		pool: { echo: { server: { a: { address: "builtin:echo" } } } }
	END
}

# A reload leads the log to a file. Workers before it go on as they were, also
# when that file is opened anew.
it_becomes_a_file() {
	receiver_start udp
	log_is "syslog+udp://$SYSLOG"
	rm -f "$T/log" "$T/ports"
	# shellcheck disable=SC2086 # these are lists
	$SHUTTLED_WRAP "$SHUTTLED" -F -c "$T/conf" -w 1 \
	    --ports-file "$T/ports" $SHUTTLED_ARGS \
	    2>"$T/stderr" </dev/null &
	PID=$!
	started="$started $PID"
	wait_for 10 ready
	wait_for 5 got_reaches "$(datagrams 1)" 'workers*, 1 server: ready'
	LISTEN=$(listener 1)
	: >"$T/log"
	load_keep kept 10
	log_is "$T/log"
	signal HUP
	wait_for 15 log_has 'reloaded: generation'
	signal USR1
	wait_for 5 log_has 'log reopened'
	load_end kept
	wait_for 5 got_reaches "$(datagrams 10)" 'session end'
	assert_eq 'lines for a syslog in the file' 0 "$(log_count '^<')"
	shuttled_stop
	receiver_end
}

# Nobody is there, from the beginning to the end.
nobody_is_there() {
	for how in udp tcp; do
		receiver_start $how
		receiver_end
		log_to "syslog+$how://$SYSLOG" -s builtin:echo
		sessions 300
		shuttled_stop
	done
}

run_cases over_udp over_tcp of_a_listener it_stalls it_comes_again it_becomes_a_file \
    nobody_is_there
