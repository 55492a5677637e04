#!/bin/sh
# SPDX-License-Identifier: ISC
# Copyright (c) 2026 The shuttled authors
#
# spare.sh: connections that are open before the client comes: it uses them,
# loses nothing by it, and a backend that ends them is neither hammered nor
# missed.
# shellcheck source-path=SCRIPTDIR disable=SC1091
. "$(dirname "$0")/lib.sh"

# Each connection to a backend says when it comes and when it ends.
echo='print came; timeout 60000; echo; print left'

# said NAME WORD: how often that backend said so.
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

# kill_backend NAME: all its connections end, and nobody listens any more.
kill_backend() {
	eval "pid=\$peer_$1"
	server=$(tr -d ' ' <"/proc/$pid/task/$pid/children")
	children=$(cat "/proc/$server/task/$server/children")
	peer_end "$1"
	for pid in $children; do
		wait_for 5 gone "$pid"
	done
}

# backend_at ADDR NAME SCRIPT: where one was before.
backend_at() {
	peer_start "$2" "listen $1; port-file $T/$2; serve any { $3 }"
	alive "$!" || fail "backend $2 did not start"
}

opened_ahead() {
	backend b "$echo"
	shuttled_start -l 127.0.0.1:0 -b "$(address b),spare=3" -w "$workers"
	ahead 3
	wait_for 5 said_just b came $ahead
	peer "connect $LISTEN; $client"
	wait_for 5 said_just b came $((ahead + 1))
	wait_for 5 log_reaches 1 'end=client.close'
	assert_eq connect_ms 0 "$(session_field connect_ms)"
	shuttled_stop
	wait_for 5 said_just b left $((ahead + 1))
	assert_eq 'connections in all' $((ahead + 1)) "$(said b came)"
	peer_stop b
}

# After the first nobody is accepted: only that one can answer.
the_client_gets_what_is_there() {
	peer_start b "listen 127.0.0.1:0; port-file $T/b; serve 1 { $echo }"
	shuttled_start -l 127.0.0.1:0 -b "$(address b),spare=1" -w 0
	wait_for 5 said_just b came 1
	peer "connect $LISTEN; exchange 300k 300k seed 1 seed 1; half-close; \
	    expect-eof"
	peer_wait b
	shuttled_stop
}

over_unix_sockets() {
	rm -f "$T/b.sock"
	backend_at "unix:$T/b.sock" b "$echo"
	shuttled_start -l "unix:$T/l.sock" -b "unix:$T/b.sock,spare=2" \
	    -w "$workers"
	ahead 2
	wait_for 5 said_just b came $ahead
	peer -p 20 "connect unix:$T/l.sock; \
	    exchange 300k 300k seed 1 seed 1 chunks random; half-close; \
	    expect-eof"
	wait_for 5 said_just b came $((ahead + 20))
	shuttled_stop
	peer_stop b
}

# More clients at once than spares, again and again.
no_byte_is_lost() {
	backend b "$echo"
	shuttled_start -l 127.0.0.1:0 -b "$(address b),spare=5" -w "$workers"
	for _ in 1 2 3; do
		peer -p 40 "connect $LISTEN; \
		    exchange 100k 100k seed 1 seed 1 chunks random; \
		    half-close; expect-eof"
	done
	wait_for 5 log_reaches 120 'end=client.close'
	shuttled_stop
	peer_stop b
}

server_speaks_first() {
	backend b 'send-text "hello\n"; '"$echo"
	shuttled_start -l 127.0.0.1:0 -b "$(address b),spare=2" -w "$workers"
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
	backend b 'print came; send-text "b\n"'
	shuttled_start -l 127.0.0.1:0 -b "$(address b),spare=2" -w 1
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
	assert_not_log 'backend '
	shuttled_stop
	peer_stop b
}

# All are dead at once, and nobody has had the time to notice.
backend_restarted() {
	backend_refusing first
	first=$(address first)
	backend_at "$first" b "$echo"
	shuttled_start -l 127.0.0.1:0 -b "$first,spare=8" -w 1
	wait_for 5 said_just b came 8
	kill -STOP "$(worker_pids)"
	kill_backend b
	backend_at "$first" b "$echo"
	peer_start c "parallel 4 { connect $LISTEN; $client }"
	kill -CONT "$(worker_pids)"
	peer_wait c
	# And there are spares again.
	wait_for 10 said_just b came 12
	peer -p 20 "connect $LISTEN; $client"
	assert_not_log 'backend '
	shuttled_stop
	peer_stop b
	backends_release first
}

backend_gone_and_back() {
	backend_refusing first
	first=$(address first)
	backend_at "$first" b "$echo"
	shuttled_start -l 127.0.0.1:0 -b "$first,name=b,spare=2" -w "$workers"
	ahead 2
	wait_for 5 said_just b came $ahead
	kill_backend b
	assert_log 'backend b: spare connection: Connection refused;'
	peer -p 5 "connect $LISTEN; expect-eof"
	backend_at "$first" b "$echo"
	peer "connect $LISTEN; $client"
	assert_log 'backend b: answers again'
	wait_for 10 said_just b came $((ahead + 1))
	assert_eq 'lines about failures' 1 "$(log_count 'too few others')"
	shuttled_stop
	peer_stop b
	backends_release first
}

# Another backend serves; this one is asked by nobody but its sessions.
refusing_from_the_start() {
	backend_refusing r
	backend b "$echo"
	shuttled_start -l 127.0.0.1:0 -b "$(address r),name=r,spare=4" \
	    -b "$(address b),spare=1" -w "$workers"
	ahead 1
	wait_for 5 said_just b came $ahead
	peer -p 20 "connect $LISTEN; $client"
	assert_log 'backend r: spare connection: Connection refused;'
	assert_eq 'lines about failures' 1 \
	    "$(log_count 'others are tried first for 2 s')"
	shuttled_stop
	peer_stop b
	backends_release r
}

# The spares go at once, the session goes on, and no spare comes any more.
drain() {
	backend b "$echo"
	shuttled_start -l 127.0.0.1:0 -b "$(address b),spare=3" -w "$workers"
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
	wait_for 5 gone "$PID"
	status=0
	wait "$PID" || status=$?
	forget "$PID"
	check_log
	assert_eq 'status after QUIT' 0 $status
	assert_eq 'connections in all' $((ahead + 1)) "$(said b came)"
	assert_log 'end=client.close'
	rm "$T/up" "$T/go"
	peer_stop b
}

# sessions_with SPARES: what a worker has room for with 100 descriptors.
sessions_with() {
	shuttled_start -l 127.0.0.1:0 -b "127.0.0.1:9,spare=$1" -w 1
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
	assert_eq 'sessions beside 40 spares' $((without - 20)) "$most"
}

for workers in 2 0; do
	say "with -w $workers"
	run_cases opened_ahead over_unix_sockets no_byte_is_lost \
	    server_speaks_first backend_gone_and_back refusing_from_the_start \
	    drain
done
run_cases the_client_gets_what_is_there ended_at_once backend_restarted \
    descriptors_are_set_aside
