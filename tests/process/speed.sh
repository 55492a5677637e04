#!/bin/sh
# SPDX-License-Identifier: ISC
# Copyright (c) 2026 The shuttled authors
#
# speed.sh: the options that are off unless somebody asks for them. Each does
# what the man page says, also what it says against it.
. "$(dirname "$0")/lib.sh"

# One that came later, and spoke, is served before the silent one is accepted.
deferred_until_it_speaks() {
	shuttled_start -l 127.0.0.1:0 -b builtin:echo -w 1 -v \
	    --defer-accept 15s
	peer_start silent "connect $LISTEN; touch $T/came;
	    wait-file $T/speak; send 1000 seed 1; expect 1000 seed 1;
	    half-close; expect-eof"
	wait_for 5 test -e "$T/came"
	serves || fail 'it does not serve'
	assert_log 'session end'
	assert_eq 'sessions begun' 1 "$(log_count 'session start')"
	: >"$T/speak"
	peer_wait silent
	wait_for 5 log_reaches 2 'up=1000 down=1000 .*end=client.close'
	shuttled_stop
}

# Who waits for the server to speak gets there, a second late.
deferred_for_a_time() {
	shuttled_start -l 127.0.0.1:0 -b builtin:hello -w 2 \
	    --defer-accept 300ms
	begin=$(now_ms)
	peer "connect $LISTEN; cat"
	took=$(($(now_ms) - begin))
	grep -q '^Hello from ' "$T/peer.out" || fail 'no hello'
	assert_between 'ms until it was served' 900 $((9000 * TEST_SLOW)) \
	    "$took"
	shuttled_stop
}

run_cases deferred_until_it_speaks deferred_for_a_time
