#!/bin/sh
# SPDX-License-Identifier: ISC
# Copyright (c) 2026 The shuttled authors
#
# timeouts.sh: the silent are cut when that is asked for, the slow are not.
# shellcheck source-path=SCRIPTDIR disable=SC1091
KEEPALIVE=1s
. "$(dirname "$0")/../lib.sh"

a_silent_session_is_cut() {
	peer_behind b 'expect-end' -w "$workers" --idle-timeout 500ms
	peer "connect $LISTEN; expect-eof"
	assert_log 'end=proxy.idle_timeout'
	assert_between total_ms 500 5000 "$(session_field total_ms)"
}

# So is one that has become silent.
a_session_that_falls_silent_is_cut() {
	peer_behind b 'echo' -w "$workers" --idle-timeout 1500ms
	peer "connect $LISTEN; send 9 seed 1; expect 9 seed 1; pause 300; \
	    send 9 seed 2; expect 9 seed 2; expect-eof"
	assert_log 'end=proxy.idle_timeout'
	assert_between total_ms 1800 $((6000 * TEST_SLOW)) \
	    "$(session_field total_ms)"
	assert_eq 'bytes down' 18 "$(session_field bytes_down)"
}

one_way_traffic_is_not_cut() {
	peer_serve b 'send 2000 seed 1 rate 1000; close'
	peer_serve c 'expect 2000 seed 1; expect-eof'
	shuttled_start -l 127.0.0.1:0 -s "$(address b)" -s "$(address c)" \
	    -w "$workers" --idle-timeout 1s
	rm -f "$T/begun"
	peer_start d "connect $LISTEN; expect 1 seed 1; touch $T/begun; \
	    expect 1999 seed 1 from 1; expect-eof"
	wait_for 5 test -e "$T/begun"
	peer "connect $LISTEN; send 2000 seed 1 rate 1000; half-close; \
	    expect-eof"
	peer_wait d
	peer_stop b c
	assert_not_log idle_timeout
}

no_limit_by_default() {
	peer_behind b 'expect-silence 1500; send-text "late\n"' -w "$workers"
	peer "connect $LISTEN; expect-text \"late\\n\"; expect-eof"
}

# The client has half-closed and the server does not care.
a_half_closed_session_is_cut() {
	rm -f "$T/cut"
	peer_behind b "expect-eof; wait-file $T/cut" -w "$workers" \
	    --fin-timeout 500ms
	peer "connect $LISTEN; half-close; expect-eof; touch $T/cut"
	assert_log 'end=proxy.fin_timeout'
	assert_between total_ms 500 5000 "$(session_field total_ms)"
}

a_half_closed_session_that_talks_is_not_cut() {
	peer_behind b 'expect-eof; send 2000 seed 1 rate 1000; close' -w \
	    "$workers" --fin-timeout 1s
	peer "connect $LISTEN; half-close; expect 2000 seed 1; expect-eof"
	assert_log 'end=client.close'
}

# A silent session costs nothing while it lasts, and its end is its own.
many_silent_sessions_are_cut() {
	peer_behind b 'expect-end' -w "$workers" --idle-timeout 700ms
	peer "parallel 60 { connect $LISTEN; expect-eof }"
	wait_for 5 log_reaches 60 'end=proxy.idle_timeout'
	assert_not_log ' total_ms=[0-6]\?[0-9]\?[0-9] '
}

for workers in 2 0; do
	say "with -w $workers"
	run_cases a_silent_session_is_cut a_session_that_falls_silent_is_cut \
	    one_way_traffic_is_not_cut no_limit_by_default \
	    a_half_closed_session_is_cut \
	    a_half_closed_session_that_talks_is_not_cut \
	    many_silent_sessions_are_cut
done
