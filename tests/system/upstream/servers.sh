#!/bin/sh
# SPDX-License-Identifier: ISC
# Copyright (c) 2026 The shuttled authors
#
# servers.sh: which server gets a session, and what happens when it does
# not answer: the client sees a service, or a clean end at once.
# shellcheck source-path=SCRIPTDIR disable=SC1091
KEEPALIVE=1s
. "$(dirname "$0")/../lib.sh"

refused_goes_to_the_next() {
	peer_refusing r
	peer_serve b 'send-text "b\n"'
	shuttled_start -l 127.0.0.1:0 -s "$(address r),name=r" \
	    -s "$(address b),name=b" -w "$workers"
	for _ in 1 2 3 4 5 6 7 8; do
		peer "connect $LISTEN; expect-text \"b\\n\"; expect-eof"
	done
	wait_for 5 log_reaches 8 'end=server.close'
	assert_log 'servers_tried=r,b '
}

# Two may fail; the third is the last that is tried.
two_refused_go_to_the_third() {
	peer_refusing r
	peer_refusing s
	peer_serve b 'send-text "b\n"'
	shuttled_start -l 127.0.0.1:0 -s "$(address r)" -s "$(address s)" \
	    -s "$(address b)" -w "$workers"
	peer -p 10 "connect $LISTEN; expect-text \"b\\n\"; expect-eof"
}

unanswered_goes_to_the_next() {
	peer_silent s
	peer_serve b 'send-text "b\n"'
	shuttled_start -l 127.0.0.1:0 -s "$(address s),name=s" \
	    -s "$(address b),name=b" -w "$workers" --connect-timeout 1500ms
	for _ in 1 2 3; do
		peer "connect $LISTEN; expect-text \"b\\n\"; expect-eof"
	done
	wait_for 5 log_reaches 3 'end=server.close'
	assert_log 'servers_tried=s,b '
	connect_ms=$(sed -n 's/.*servers_tried=s,b .*connect_ms=\([0-9]*\) .*/\1/p' \
	    "$T/log" | head -n 1)
	assert_between connect_ms 1500 6000 "$connect_ms"
}

# What the client sends meanwhile waits for the server that answers.
unanswered_loses_no_byte() {
	peer_silent s
	peer_serve b 'receive-id; expect 300k seed 1; send-text "b\n"; expect-eof'
	shuttled_start -l 127.0.0.1:0 -s "$(address s),name=s" \
	    -s "$(address b),name=b" -w "$workers" --connect-timeout 1500ms
	peer "parallel 4 { connect $LISTEN; send-id; send 300k seed 1; \
	    expect-text \"b\\n\"; half-close; expect-eof }"
}

backup_only_when_needed() {
	peer_refusing first
	first=$(address first)
	peer_start a "listen $first; port-file $T/a; \
	    serve any { send-text \"a\\n\" }"
	peer_serve b 'send-text "b\n"'
	shuttled_start -l 127.0.0.1:0 -s "$(address b),backup,name=b" \
	    -s "$first,name=a" -w "$workers"
	peer -p 12 "connect $LISTEN; expect-text \"a\\n\"; expect-eof"
	peer_stop a
	peer -p 12 "connect $LISTEN; expect-text \"b\\n\"; expect-eof"
	# It comes back on the same port, and is found again.
	peer_start a "listen $first; port-file $T/a; \
	    serve any { send-text \"a\\n\" }"
	wait_for 10 try_peer \
	    "connect $LISTEN; expect-text \"a\\n\"; expect-eof"
	peer -p 12 "connect $LISTEN; expect-text \"a\\n\"; expect-eof"
}

backup_answers_the_first_that_was_refused() {
	peer_refusing r
	peer_serve b 'send-text "b\n"'
	shuttled_start -l 127.0.0.1:0 -s "$(address r)" \
	    -s "$(address b),backup" -w "$workers"
	peer -p 12 "connect $LISTEN; expect-text \"b\\n\"; expect-eof"
}

all_down_closes_at_once() {
	peer_refusing r
	peer_refusing s
	shuttled_start -l 127.0.0.1:0 -s "$(address r)" -s "$(address s)" \
	    -w "$workers"
	peer "timeout 4500; parallel 50 { connect $LISTEN; expect-eof }"
	wait_for 5 log_reaches 50 'end=server.refused'
	assert_between total_ms 0 4500 "$(session_field total_ms)"
}

# An end of file also when the client has sent something: never a reset.
all_down_closes_cleanly_with_bytes() {
	peer_refusing r
	shuttled_start -l 127.0.0.1:0 -s "$(address r)" -w "$workers"
	for _ in 1 2 3 4 5; do
		peer "parallel 50 { connect $LISTEN; send 1000; expect-eof }"
	done
}

# The bytes lie there long before the last server has not answered.
all_silent_closes_cleanly_with_bytes() {
	peer_silent s
	shuttled_start -l 127.0.0.1:0 -s "$(address s)" -w "$workers" \
	    --connect-timeout 500ms
	peer "parallel 10 { connect $LISTEN; send 1000; expect-eof }"
	shuttled_stop
	# Time enough to send all that goes, and to see that no more does.
	shuttled_start -l 127.0.0.1:0 -s "$(address s)" -w "$workers" \
	    --connect-timeout 1500ms
	peer "parallel 10 { sndbuf 4k; connect $LISTEN; \
	    send-until-blocked 200; expect-eof }"
	assert_log 'end=proxy.connect_timeout'
}

# One sequence over all workers: exact.
weights_are_exact() {
	peer_serve a 'send-text "a\n"'
	peer_serve b 'send-text "b\n"'
	shuttled_start -l 127.0.0.1:0 -s "$(address a),weight=2" \
	    -s "$(address b)" -w "$1"
	peer -p 30 "connect $LISTEN; cat"
	assert_eq 'sessions of a' 20 "$(grep -c '^a$' "$T/peer.out")"
	assert_eq 'sessions of b' 10 "$(grep -c '^b$' "$T/peer.out")"
	for _ in 1 2 3 4 5 6; do
		peer "connect $LISTEN; cat"
		cat "$T/peer.out" >>"$T/six"
	done
	assert_eq 'of six in a row, those of a' 4 "$(grep -c '^a$' "$T/six")"
	rm "$T/six"
	peer_stop a b
	shuttled_stop
}

weights_over_four_workers() {
	weights_are_exact 4
}

weights_in_one_process() {
	weights_are_exact 0
}

for workers in 2 0; do
	say "with -w $workers"
	run_cases refused_goes_to_the_next two_refused_go_to_the_third \
	    unanswered_goes_to_the_next unanswered_loses_no_byte \
	    backup_only_when_needed \
	    backup_answers_the_first_that_was_refused \
	    all_down_closes_at_once all_down_closes_cleanly_with_bytes \
	    all_silent_closes_cleanly_with_bytes
done
run_cases weights_over_four_workers weights_in_one_process
