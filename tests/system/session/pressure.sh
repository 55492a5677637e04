#!/bin/sh
# SPDX-License-Identifier: ISC
# Copyright (c) 2026 The shuttled authors
#
# pressure.sh: who does not read blocks who sends, in bounded memory; and
# workers short of buffers are slow, but lose no byte.
# shellcheck source-path=SCRIPTDIR disable=SC1091
KEEPALIVE=1s
. "$(dirname "$0")/../lib.sh"

# One worker's resident memory may grow by a block or two and some stack. What a
# wrapper keeps of the code that it sees for the first time is its own affair.
assert_small() {
	now=$(rss_kib "$worker")
	say "worker: $before KiB at rest, $now KiB $1"
	[ -n "$SHUTTLED_WRAP" ] || assert_between "KiB of the worker $1" 0 $((before + 3072)) "$now"
}

start_one_worker() {
	shuttled_start -l 127.0.0.1:0 -s "$(address b)" -w "$workers"
	worker=$(worker_pids)
	before=$(rss_kib "$worker")
}

a_slow_client_blocks_the_server() {
	rm -f "$T/blocked" "$T/go"
	peer_start b "listen 127.0.0.1:0; port-file $T/b; accept; \
	    send-until-blocked 700 seed 1; touch $T/blocked; \
	    send 20m seed 1 from last; close"
	start_one_worker
	peer_start c "connect $LISTEN; timeout 60000; wait-file $T/go; \
	    read-until-eof seed 1"
	wait_for 15 test -e "$T/blocked"
	assert_between 'bytes until the server was blocked' 10000 60000000 \
	    "$(moved b send-until-blocked)"
	assert_small 'while the client sleeps'
	: >"$T/go"
	peer_wait b c
	assert_eq 'bytes to the client' \
	    $(($(moved b send-until-blocked) + 20 * 1024 * 1024)) \
	    "$(moved c read-until-eof)"
	assert_small 'afterwards'
}

a_slow_server_blocks_the_client() {
	rm -f "$T/blocked" "$T/go"
	peer_start b "listen 127.0.0.1:0; port-file $T/b; accept; \
	    timeout 60000; wait-file $T/go; read-until-eof seed 1"
	start_one_worker
	peer_start c "connect $LISTEN; \
	    send-until-blocked 700 seed 1; touch $T/blocked; \
	    send 20m seed 1 from last; close"
	wait_for 15 test -e "$T/blocked"
	assert_between 'bytes until the client was blocked' 10000 60000000 \
	    "$(moved c send-until-blocked)"
	assert_small 'while the server sleeps'
	: >"$T/go"
	peer_wait b c
	assert_eq 'bytes to the server' \
	    $(($(moved c send-until-blocked) + 20 * 1024 * 1024)) \
	    "$(moved b read-until-eof)"
}

# A worker that waits for one side does not spin meanwhile.
a_blocked_session_costs_no_time() {
	rm -f "$T/blocked" "$T/go"
	peer_start b "listen 127.0.0.1:0; port-file $T/b; accept; \
	    send-until-blocked 300 seed 1; touch $T/blocked; \
	    timeout 60000; wait-file $T/go; close"
	start_one_worker
	peer_start c "connect $LISTEN; timeout 60000; wait-file $T/go; \
	    read-until-eof seed 1"
	wait_for 15 test -e "$T/blocked"
	ticks_before=$(cpu_ticks "$worker")
	sleep 1
	assert_between 'ticks of 10 ms in 1 s' 0 20 \
	    $(($(cpu_ticks "$worker") - ticks_before))
	: >"$T/go"
}

# utime and stime stand behind the name, which may have blanks.
cpu_ticks() {
	sed 's/.*) //' "/proc/$1/stat" | awk '{ print $12 + $13 }'
}

# Many slow readers and hardly a block: the bytes wait in the sockets.
one_buffer_for_many_slow_clients() {
	peer_behind b 'receive-id; send 400k seed 7; half-close; expect-eof' \
	    -w "$workers" --buffers 1
	peer "rcvbuf 8k; parallel 50 { connect $LISTEN; send-id; \
	    expect 400k seed 7 chunks random rate 400k; expect-eof }"
	peer_stop b
	wait_for 5 log_reaches 50 'bytes_down=409600 .*end=server.close'
}

one_buffer_for_many_slow_servers() {
	peer_behind b 'receive-id; expect 200k seed 7 rate 200k; expect-eof' \
	    -w "$workers" --buffers 1
	peer "sndbuf 8k; parallel 50 { connect $LISTEN; send-id; \
	    send 200k seed 7 chunks random; half-close; expect-eof }"
}

one_buffer_both_ways() {
	peer_behind b 'receive-id; exchange 300k 200k seed 1 seed 2 rate 600k;
	    half-close; expect-eof' -w "$workers" --buffers 1
	peer "rcvbuf 8k; sndbuf 8k; parallel 40 { connect $LISTEN; send-id; \
	    exchange 200k 300k seed 2 seed 1 chunks random; half-close; \
	    expect-eof }"
}

# A reset finds its way although there is no block.
one_buffer_and_resets() {
	peer_behind b 'receive-id; send 300k seed 7; flush; reset' -w \
	    "$workers" --buffers 1
	peer "rcvbuf 8k; parallel 30 { connect $LISTEN; send-id; \
	    expect 300k seed 7 rate 400k; expect-reset }"
}

# A graceful end waits for the last byte.
quit_during_a_slow_transfer() {
	peer_serve b 'send 600k seed 1; half-close; expect-eof'
	start_one_worker
	rm -f "$T/begun"
	peer_start c "rcvbuf 8k; connect $LISTEN; expect 1 seed 1; \
	    touch $T/begun; expect 614399 seed 1 from 1 rate 1m; expect-eof"
	wait_for 10 test -e "$T/begun"
	shuttled_stop
	peer_wait c
	peer_stop b
	assert_log 'bytes_down=614400 .*end=server.close'
}

for workers in 1 0; do
	say "with -w $workers"
	run_cases a_slow_client_blocks_the_server \
	    a_slow_server_blocks_the_client a_blocked_session_costs_no_time \
	    one_buffer_for_many_slow_clients \
	    one_buffer_for_many_slow_servers one_buffer_both_ways \
	    one_buffer_and_resets quit_during_a_slow_transfer
done
