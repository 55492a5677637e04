#!/bin/sh
# SPDX-License-Identifier: ISC
# Copyright (c) 2026 The shuttled authors
#
# reset.sh: a reset on one side becomes one on the other, after every byte
# that came before it, however slowly they are taken.
# shellcheck source-path=SCRIPTDIR disable=SC1091
KEEPALIVE=1s
. "$(dirname "$0")/../lib.sh"

# by_server BYTES [EXPECT-OPTIONS]
by_server() {
	peer_start b "listen 127.0.0.1:0; port-file $T/b; accept; \
	    send $1 seed 1; flush; reset"
	shuttled_start -l 127.0.0.1:0 -s "$(address b)" -w "$workers"
	peer "connect $LISTEN; expect $1 seed 1 ${2:-}; expect-reset"
	peer_wait b
	assert_log "end=server.reset"
	assert_eq 'bytes down' "$3" "$(session_field bytes_down)"
	shuttled_stop
}

by_client() {
	peer_start b "listen 127.0.0.1:0; port-file $T/b; accept; \
	    expect $1 seed 1 ${2:-}; expect-reset"
	shuttled_start -l 127.0.0.1:0 -s "$(address b)" -w "$workers"
	peer "connect $LISTEN; send $1 seed 1; flush; reset"
	peer_wait b
	assert_log "end=client.reset"
	assert_eq 'bytes up' "$3" "$(session_field bytes_up)"
	shuttled_stop
}

server_resets() {
	by_server 10k '' 10240
}

client_resets() {
	by_client 10k '' 10240
}

server_resets_before_a_slow_client() {
	by_server 300k 'rate 400k' 307200
}

client_resets_before_a_slow_server() {
	by_client 300k 'rate 400k' 307200
}

# Far more than the buffers on the way: most of it waits in the sender.
large_and_slow() {
	by_server 8m 'rate 8m' 8388608
	by_client 8m 'rate 8m' 8388608
}

# So soon that the worker may hear of the connection and of its reset at once.
many_servers_reset_at_once() {
	peer_behind b 'send-text "quick"; flush; reset' -w "$workers"
	for _ in 1 2 3 4 5; do
		peer "parallel 100 { connect $LISTEN; \
		    expect-text quick; expect-reset }"
	done
}

# Both were still talking.
in_the_middle_of_an_exchange() {
	peer_start b "listen 127.0.0.1:0; port-file $T/b; accept; \
	    expect 50k seed 1; send 50k seed 2; flush; reset"
	shuttled_start -l 127.0.0.1:0 -s "$(address b)" -w "$workers"
	peer "connect $LISTEN; exchange 50k 50k seed 1 seed 2; expect-reset"
}

# One way has ended in order, then the other is reset.
after_a_half_close() {
	peer_start b "listen 127.0.0.1:0; port-file $T/b; accept; \
	    expect 1k seed 1; expect-eof; send 5k seed 2; flush; reset"
	shuttled_start -l 127.0.0.1:0 -s "$(address b)" -w "$workers"
	peer "connect $LISTEN; send 1k seed 1; half-close; \
	    expect 5k seed 2; expect-reset"
	peer_wait b
	assert_log "end=server.reset"
}

# Whoever resets has bytes to read: they are lost, those it sent are not.
by_one_who_did_not_read() {
	rm -f "$T/blocked"
	peer_start b "listen 127.0.0.1:0; port-file $T/b; accept; \
	    send-until-blocked 300; touch $T/blocked; \
	    expect 50k seed 1; expect-reset"
	shuttled_start -l 127.0.0.1:0 -s "$(address b)" -w "$workers"
	peer "connect $LISTEN; wait-file $T/blocked; send 50k seed 1; \
	    flush; reset"
	peer_wait b
	assert_log "end=client.reset"
	assert_eq 'bytes up' 51200 "$(session_field bytes_up)"
}

# Both ways are full, so the server takes the last bytes only when it has got
# rid of its own, which nobody wants: it does not have to wait for ever.
when_both_ways_are_blocked() {
	rm -f "$T/blocked" "$T/reset"
	peer_start b "listen 127.0.0.1:0; port-file $T/b; accept; \
	    send-until-blocked 500; touch $T/blocked; wait-file $T/reset; \
	    timeout 45000; send-until-broken"
	shuttled_start -l 127.0.0.1:0 -s "$(address b)" -w "$workers" \
	    --fin-timeout 2s
	peer "connect $LISTEN; send-until-blocked 500; wait-file $T/blocked; \
	    reset; touch $T/reset"
	peer_wait b
	assert_log "end=client.reset"
}

# A close with bytes unread is a reset, too, behind the answer.
by_a_close_with_bytes_unread() {
	rm -f "$T/sent"
	peer_behind b \
	    "wait-file $T/sent; receive-id; send 50k seed 1; flush; close" -w \
	    "$workers"
	peer "parallel 20 { connect $LISTEN; send-id; send 10k; flush; \
	    touch $T/sent; expect 50k seed 1; expect-end }"
}

# The client has finished sending and then gives up: the server may not be
# left to send for ever.
after_the_own_half_close() {
	peer_start b "listen 127.0.0.1:0; port-file $T/b; accept; \
	    expect 1k seed 1; expect-eof; send 5k seed 2; send-until-broken"
	shuttled_start -l 127.0.0.1:0 -s "$(address b)" -w "$workers"
	peer "connect $LISTEN; send 1k seed 1; half-close; \
	    expect 5k seed 2; reset"
	peer_wait b
	assert_log "end=client.reset"
	assert_eq 'bytes up' 1024 "$(session_field bytes_up)"
}

nobody_listens_any_more() {
	peer_start b "listen 127.0.0.1:0; port-file $T/b; accept; \
	    expect-eof; send-until-broken"
	shuttled_start -l 127.0.0.1:0 -s "$(address b)" -w "$workers"
	peer "connect $LISTEN; close"
	peer_wait b
	assert_log "end=client.reset"
	shuttled_stop
	peer_start b "listen 127.0.0.1:0; port-file $T/b; accept; close"
	shuttled_start -l 127.0.0.1:0 -s "$(address b)" -w "$workers"
	peer "connect $LISTEN; expect-eof; send-until-broken"
	peer_wait b
	assert_log "end=server.reset"
}

nothing_was_sent() {
	peer_start b "listen 127.0.0.1:0; port-file $T/b; accept; \
	    touch $T/accepted; expect-reset"
	rm -f "$T/accepted"
	shuttled_start -l 127.0.0.1:0 -s "$(address b)" -w "$workers"
	peer "connect $LISTEN; wait-file $T/accepted; reset"
	peer_wait b
	assert_log "end=client.reset"
}

for workers in 2 0; do
	say "with -w $workers"
	run_cases server_resets client_resets \
	    server_resets_before_a_slow_client \
	    client_resets_before_a_slow_server \
	    large_and_slow many_servers_reset_at_once \
	    in_the_middle_of_an_exchange after_a_half_close \
	    by_one_who_did_not_read when_both_ways_are_blocked \
	    by_a_close_with_bytes_unread after_the_own_half_close \
	    nobody_listens_any_more nothing_was_sent
done
