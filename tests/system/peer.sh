#!/bin/sh
# SPDX-License-Identifier: ISC
# Copyright (c) 2026 The shuttled authors
#
# peer.sh: the test tool itself: what does not hold is found and named.
# shellcheck source-path=SCRIPTDIR disable=SC1091
. "$(dirname "$0")/lib.sh"

# refuses EXPECTED SCRIPT: it fails with this line.
refuses() {
	! try_peer "$2" || fail "held, and should not: $2"
	grep -q -e "$1" "$T/peer.out" ||
		fail "expected '$1', got '$(cat "$T/peer.out")'"
}

mistakes_are_named() {
	refuses '^peer: line 1: fly: no such verb' 'fly'
	refuses '^peer: line 2: send: send N' 'pause 1; send'
	refuses '^peer: line 1: x: send N' 'send 1 x 2'
	refuses '^peer: line 1: 1z: not a number' 'send 1z'
	refuses '^peer: line 1: script: no closing quote' 'send-text "a'
	refuses '^peer: line 1: serve: serve N' 'serve 3; close'
	refuses '^peer: line 1: script: a block is not closed' 'serve 3 { close'
	refuses '^peer: line 2: }: no block' 'pause 1; }'
	refuses '^peer: line 2: send: not connected' 'pause 1; send 1'
	refuses '^peer: line 1: send-hex: not hexadecimal.*: x0' 'send-hex 41x0'
}

differences_are_found() {
	peer_serve d 'echo'
	to=$(address d)
	refuses 'line 3: expect: byte at offset 0 ' \
	    "connect $to; send 9 seed 1; expect 9 seed 2"
	refuses 'line 4: expect: byte at offset 1000 ' "connect $to; \
	    send 1000 seed 1; send 9 seed 1; expect 1009 seed 1"
	refuses 'line 4: expect: end of file after 9 of 10 bytes' \
	    "connect $to; send 9 seed 1; half-close; expect 10 seed 1"
	refuses 'line 3: expect-eof: expected end of file, got bytes' \
	    "connect $to; send 1; expect-eof"
	refuses 'line 4: expect-reset: expected a reset, got end of file' \
	    "connect $to; send 0; half-close; expect-reset"
	refuses 'line 3: expect-silence: bytes after' \
	    "connect $to; send 1; expect-silence 5000"
	refuses 'line 3: expect-text: expected "ab", got "ax"' \
	    "connect $to; send-text ax; expect-text ab"
	refuses 'line 3: expect: nothing moved for 50 ms' \
	    "timeout 50; connect $to; expect 1"
	refuses 'line 3: expect: connection 1: nothing moved' \
	    "timeout 50; parallel 2 { connect $to; expect 1 }"
	peer_end d
}

equal_bytes_pass() {
	peer_serve e 'echo chunks random'
	to=$(address e)
	peer "connect $to; exchange 5m 5m seed 1 seed 1 chunks random; \
	    half-close; expect-eof"
	peer "connect $to; send 70001 seed 3; expect 7 seed 3; \
	    expect 69994 seed 3 from 7; half-close; read-until-eof"
	peer "connect $to; send-text \"a;\\\"\\x41\\n\"; \
	    expect-text \"a;\\\"A\\n\"; expect-silence 20"
	peer "parallel 20 { connect $to; send 9 seed 1; expect 9 seed 1 }"
}

# The same seed gives each connection other bytes, and the id tells which.
connections_differ() {
	peer_serve e 'echo'
	refuses 'byte at offset' "parallel 2 { connect $(address e); \
	    send 64 seed 1; receive-id; expect 60 seed 1 from 4 }"
	peer_end e
	peer_start f "listen 127.0.0.1:0; port-file $T/f; serve 20 \
	    { receive-id; exchange 9k 5k seed 1 seed 2; expect-eof; close }"
	peer -p 20 "connect $(address f); send-id; \
	    exchange 5k 9k seed 2 seed 1; half-close; expect-eof"
}

# A reset comes after what was acknowledged before it.
resets_are_seen() {
	peer_serve r 'send 30k seed 1; flush; reset'
	peer "connect $(address r); expect 30k seed 1; expect-reset"
	refuses 'expect-eof: expected end of file, got: Connection reset' \
	    "connect $(address r); expect 30k seed 1; expect-eof"
}

listeners_may_refuse_or_say_nothing() {
	peer_refusing b
	peer "connect-refused $(address b)"
	peer_silent s
	refuses 'connect: .*: Connection timed out' \
	    "timeout 300; connect $(address s)"
}

the_blocked_are_counted() {
	peer_start w "listen 127.0.0.1:0; port-file $T/w; accept; \
	    send-until-blocked 200 seed 1; touch $T/blocked; \
	    send 5 seed 1 from last; close"
	peer "connect $(address w); wait-file $T/blocked; \
	    read-until-eof seed 1"
	peer_wait w
	assert_eq 'bytes that came' $(($(moved w send-until-blocked) + 5)) \
	    "$(moved peer read-until-eof)"
}

a_failed_connection_fails_the_server() {
	peer_serve v 'expect 4 seed 1'
	peer "connect $(address v); send 4 seed 2; expect-end"
	peer_end v
	assert_eq 'status of the server' 1 "$STATUS"
}

run_cases mistakes_are_named differences_are_found equal_bytes_pass \
    connections_differ resets_are_seen listeners_may_refuse_or_say_nothing \
    the_blocked_are_counted a_failed_connection_fails_the_server
