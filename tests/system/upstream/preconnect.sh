#!/bin/sh
# SPDX-License-Identifier: ISC
# Copyright (c) 2026 The shuttled authors
#
# preconnect.sh: connections that are open before the client comes: it uses them,
# loses nothing by it, and a server that ends them is neither hammered nor
# missed.
# shellcheck source-path=SCRIPTDIR disable=SC1091
KEEPALIVE=1s
. "$(dirname "$0")/../lib.sh"

# Each connection to a server says when it comes and when it ends.
echo='print came; timeout 60000; echo; print left'

# said NAME WORD: how often that server said so.
said() {
	grep -c "^$2\$" "$T/$1.out" || :
}

said_just() {
	[ "$(said "$1" "$2")" -eq "$3" ]
}

said_at_least() {
	[ "$(said "$1" "$2")" -ge "$3" ]
}

# ahead N: how many that makes with N in each process. Sets $ahead.
ahead() {
	ahead=$(($1 * (workers > 0 ? workers : 1)))
}

client='send 9 seed 1; expect 9 seed 1; half-close; expect-eof'

# kill_server NAME: all its connections end, and nobody listens any more.
kill_server() {
	eval "pid=\$peer_$1"
	server=$(tr -d ' ' <"/proc/$pid/task/$pid/children")
	children=$(cat "/proc/$server/task/$server/children")
	peer_end "$1"
	for pid in $children; do
		wait_for 5 gone "$pid"
	done
}

# server_at ADDR NAME SCRIPT: where one was before.
server_at() {
	peer_start "$2" "listen $1; port-file $T/$2; serve any { $3 }"
	alive "$!" || fail "server $2 did not start"
}

opened_ahead() {
	peer_serve b "$echo"
	shuttled_start -l 127.0.0.1:0 -s "$(address b),preconnect=3" -w "$workers"
	ahead 3
	wait_for 5 said_just b came $ahead
	peer "connect $LISTEN; $client"
	wait_for 5 said_just b came $((ahead + 1))
	wait_for 5 log_reaches 1 'end=client.close'
	assert_eq connect_ms 0 "$(session_field connect_ms)"
	shuttled_stop
	wait_for 5 said_just b left $((ahead + 1))
	assert_eq 'connections in all' $((ahead + 1)) "$(said b came)"
}

# After the first nobody is accepted: only that one can answer.
the_client_gets_what_is_there() {
	peer_start b "listen 127.0.0.1:0; port-file $T/b; serve 1 { $echo }"
	shuttled_start -l 127.0.0.1:0 -s "$(address b),preconnect=1" -w 0
	wait_for 5 said_just b came 1
	peer "connect $LISTEN; exchange 300k 300k seed 1 seed 1; half-close; \
	    expect-eof"
}

over_unix_sockets() {
	rm -f "$T/b.sock"
	server_at "unix:$T/b.sock" b "$echo"
	shuttled_start -l "unix:$T/l.sock" -s "unix:$T/b.sock,preconnect=2" \
	    -w "$workers"
	ahead 2
	wait_for 5 said_just b came $ahead
	peer -p 20 "connect unix:$T/l.sock; \
	    exchange 300k 300k seed 1 seed 1 chunks random; half-close; \
	    expect-eof"
	wait_for 5 said_just b came $((ahead + 20))
}

# More clients at once than preconnected connections, again and again.
no_byte_is_lost() {
	peer_serve b "$echo"
	shuttled_start -l 127.0.0.1:0 -s "$(address b),preconnect=5" -w "$workers"
	for _ in 1 2 3; do
		peer -p 40 "connect $LISTEN; \
		    exchange 100k 100k seed 1 seed 1 chunks random; \
		    half-close; expect-eof"
	done
	wait_for 5 log_reaches 120 'end=client.close'
}

server_speaks_first() {
	peer_serve b 'send-text "hello\n"; '"$echo"
	shuttled_start -l 127.0.0.1:0 -s "$(address b),preconnect=2" -w "$workers"
	ahead 2
	for n in 0 1 2 3 4 5 6 7; do
		wait_for 5 said_at_least b came $((ahead + n))
		peer "connect $LISTEN; expect-text \"hello\\n\"; $client"
	done
	shuttled_stop
	# What was said to nobody makes the end of the others a reset.
	peer_end b
}

# Two a second at most, and the clients' own.
ended_at_once() {
	peer_serve b 'print came; send-text "b\n"'
	shuttled_start -l 127.0.0.1:0 -s "$(address b),preconnect=2" -w 1
	start=$(date +%s)
	clients=0
	until said_at_least b came $((clients + 2 * 3)); do
		peer "connect $LISTEN; expect-text \"b\\n\"; expect-eof"
		clients=$((clients + 1))
		[ $(($(date +%s) - start)) -lt $((20 * TEST_SLOW)) ] ||
			fail "only $(said b came) connections"
		sleep 0.1
	done
	came=$(said b came)
	seconds=$(($(date +%s) - start))
	assert_between "connections with $clients clients in $seconds s" \
	    "$clients" $((clients + 2 * (seconds + 2))) "$came"
	assert_not_log 'server '
}

# All are dead at once, and nobody has had the time to notice.
server_restarted() {
	peer_refusing first
	first=$(address first)
	server_at "$first" b "$echo"
	shuttled_start -l 127.0.0.1:0 -s "$first,preconnect=8" -w 1
	wait_for 5 said_just b came 8
	kill -STOP "$(worker_pids)"
	kill_server b
	server_at "$first" b "$echo"
	peer_start c "parallel 4 { connect $LISTEN; $client }"
	kill -CONT "$(worker_pids)"
	peer_wait c
	# And there are preconnected connections again.
	wait_for 10 said_just b came 12
	peer -p 20 "connect $LISTEN; $client"
	assert_not_log 'server '
}

server_gone_and_back() {
	peer_refusing first
	first=$(address first)
	server_at "$first" b "$echo"
	shuttled_start -l 127.0.0.1:0 -s "$first,name=b,preconnect=2" -w "$workers"
	ahead 2
	wait_for 5 said_just b came $ahead
	kill_server b
	assert_log 'server b: preconnected connection: Connection refused;'
	peer -p 5 "connect $LISTEN; expect-eof"
	server_at "$first" b "$echo"
	peer "connect $LISTEN; $client"
	assert_log 'server b: answers again'
	wait_for 10 said_just b came $((ahead + 1))
	assert_eq 'lines about failures' 1 "$(log_count 'too few other servers')"
}

# Another server serves; this one is asked by nobody but its sessions.
refusing_from_the_start() {
	peer_refusing r
	peer_serve b "$echo"
	shuttled_start -l 127.0.0.1:0 -s "$(address r),name=r,preconnect=4" \
	    -s "$(address b),preconnect=1" -w "$workers"
	ahead 1
	wait_for 5 said_just b came $ahead
	peer -p 20 "connect $LISTEN; $client"
	assert_log 'server r: preconnected connection: Connection refused;'
	assert_eq 'lines about failures' 1 \
	    "$(log_count 'ejected for 2 s')"
}

# The preconnected connections go at once, the session goes on, and no preconnected connection comes any more.
drain() {
	peer_serve b "$echo"
	shuttled_start -l 127.0.0.1:0 -s "$(address b),preconnect=3" -w "$workers"
	ahead 3
	wait_for 5 said_just b came $ahead
	peer_start c "connect $LISTEN; send 9; expect 9; touch $T/up; \
	    wait-file $T/go; $client"
	wait_for 5 test -e "$T/up"
	wait_for 5 said_just b came $((ahead + 1))
	kill -QUIT "$PID"
	wait_for 5 said_just b left $ahead
	alive "$PID" || fail 'the session was not waited for'
	: >"$T/go"
	peer_wait c
	reap "$PID" 5
	check_log
	assert_eq 'status after QUIT' 0 $STATUS
	assert_eq 'connections in all' $((ahead + 1)) "$(said b came)"
	assert_log 'end=client.close'
	rm "$T/up" "$T/go"
}

# sessions_with SPARES: what a worker has room for with 100 descriptors.
sessions_with() {
	shuttled_start -l 127.0.0.1:0 -s "127.0.0.1:9,preconnect=$1" -w 1
	wait_for 5 log_has 'ready: uid'
	most=$(sed -n 's/.*ready: uid.* \([0-9]*\) sessions at most/\1/p' \
	    "$T/log")
	shuttled_stop
}

descriptors_are_set_aside() {
	saved_wrap=$SHUTTLED_WRAP
	printf '%s\n' '#!/bin/sh' 'ulimit -n 100' "exec $saved_wrap \"\$@\"" \
	    >"$T/small"
	chmod 755 "$T/small"
	SHUTTLED_WRAP=$T/small
	sessions_with 0
	without=$most
	sessions_with 40
	SHUTTLED_WRAP=$saved_wrap
	assert_eq 'sessions beside 40 preconnected connections' $((without - 20)) "$most"
}

for workers in 2 0; do
	say "with -w $workers"
	run_cases opened_ahead over_unix_sockets no_byte_is_lost \
	    server_speaks_first server_gone_and_back refusing_from_the_start \
	    drain
done
run_cases the_client_gets_what_is_there ended_at_once server_restarted \
    descriptors_are_set_aside
