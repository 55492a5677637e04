#!/bin/sh
# SPDX-License-Identifier: ISC
# Copyright (c) 2026 The shuttled authors
#
# relay.sh: all bytes arrive, both ways, whoever speaks, sleeps or ends first.
# shellcheck source-path=SCRIPTDIR disable=SC1091
KEEPALIVE=1s
. "$(dirname "$0")/../lib.sh"

# through SERVER-SCRIPT CLIENT-SCRIPT: one session.
through() {
	peer_start b "listen 127.0.0.1:0; port-file $T/b; accept; $1; close"
	shuttled_start -l 127.0.0.1:0 -s "$(address b)" -w "$workers"
	peer "connect $LISTEN; $2; close"
	peer_wait b
	shuttled_stop
}

request_and_answer() {
	through 'expect 1000 seed 1; send 5000 seed 2; expect-eof' \
	    'send 1000 seed 1; expect 5000 seed 2'
}

server_speaks_first() {
	through 'send-text "220 hello\r\n"; expect-text "EHLO\r\n";
	    send-text "250 fine\r\n"; expect-eof' \
	    'expect-text "220 hello\r\n"; send-text "EHLO\r\n";
	    expect-text "250 fine\r\n"'
}

many_small_turns() {
	peer_behind b 'echo' -w "$workers"
	script=
	for i in 1 2 3 4 5 6 7 8 9 10; do
		script="$script send $i seed $i; expect $i seed $i;"
	done
	peer "connect $LISTEN; $script half-close; expect-eof"
}

# The reader sleeps before the first byte and again before the last ones,
# until the writer has closed.
sleeper='pause 300; expect 51m seed 1;
    wait-file CLOSED; pause 100; expect 300k seed 1 from 51m; expect-eof'
writer='send 51m seed 1; send 300k seed 1 from 51m; close; touch CLOSED'

large_to_a_sleeping_server() {
	rm -f "$T/closed"
	peer_start b "listen 127.0.0.1:0; port-file $T/b; accept;
	    $(say "$sleeper" | sed "s,CLOSED,$T/closed,")"
	shuttled_start -l 127.0.0.1:0 -s "$(address b)" -w "$workers"
	peer "connect $LISTEN; $(say "$writer" | sed "s,CLOSED,$T/closed,")"
}

large_to_a_sleeping_client() {
	rm -f "$T/closed"
	peer_start b "listen 127.0.0.1:0; port-file $T/b; accept;
	    $(say "$writer" | sed "s,CLOSED,$T/closed,")"
	shuttled_start -l 127.0.0.1:0 -s "$(address b)" -w "$workers"
	peer "connect $LISTEN; $(say "$sleeper" | sed "s,CLOSED,$T/closed,")"
}

large_both_ways_at_once() {
	through 'exchange 20m 30m seed 1 seed 2; half-close; expect-eof' \
	    'exchange 30m 20m seed 2 seed 1; half-close; expect-eof'
}

client_half_closes() {
	through 'expect 10k seed 1; expect-eof; send 300k seed 2' \
	    'send 10k seed 1; half-close; expect 300k seed 2; expect-eof'
}

server_half_closes() {
	through 'send 10k seed 1; half-close; expect 300k seed 2; expect-eof' \
	    'expect 10k seed 1; expect-eof; send 300k seed 2'
}

# Urgent bytes in streams and between small messages, on both sides.
urgent='send-urgent seed 1; pause 50; send 999 seed 1 from 1;
    send-urgent seed 1 from 1000; send 9m seed 1 from 1001;
    send-urgent seed 1 from 9438185; send 9m seed 1 from 9438186'

urgent_bytes_stay_in_line() {
	through 'expect 18875370 seed 1; send-text done' \
	    "$urgent; expect-text done"
	through "$urgent; expect-text done" \
	    'expect 18875370 seed 1; send-text done'
}

nothing_but_end_of_file() {
	through 'expect-eof' 'half-close; expect-eof'
	through 'half-close; expect-eof' 'expect-eof'
}

for workers in 2 0; do
	say "with -w $workers"
	run_cases request_and_answer server_speaks_first many_small_turns \
	    large_to_a_sleeping_server large_to_a_sleeping_client \
	    large_both_ways_at_once client_half_closes server_half_closes \
	    urgent_bytes_stay_in_line nothing_but_end_of_file
done
