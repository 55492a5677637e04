#!/bin/sh
# SPDX-License-Identifier: ISC
# Copyright (c) 2026 The shuttled authors
#
# many.sh: 200 connections at once in chunks of random sizes, every byte
# compared both ways, none of them in another's stream.
# shellcheck source-path=SCRIPTDIR disable=SC1091
KEEPALIVE=1s
. "$(dirname "$0")/../lib.sh"

random_chunks_echoed() {
	peer_behind b 'echo chunks random' -w "$workers"
	peer -p 200 "connect $LISTEN; \
	    exchange 200k 200k seed 1 seed 1 chunks random; half-close; \
	    expect-eof"
	wait_for 5 log_reaches 200 'bytes_up=204800 bytes_down=204800 .*end=client.close'
}

# The two ways have nothing to do with each other.
random_chunks_exchanged() {
	peer_serve b 'receive-id; exchange 150k 90k seed 1 seed 2 chunks random;
	    half-close; expect-eof'
	peer_serve c 'receive-id; exchange 150k 90k seed 1 seed 2 chunks random;
	    half-close; expect-eof'
	shuttled_start -l 127.0.0.1:0 -s "$(address b)" -s "$(address c)" \
	    -w "$workers"
	peer -p 200 "connect $LISTEN; send-id; \
	    exchange 90k 150k seed 2 seed 1 chunks random; half-close; \
	    expect-eof"
}

# The descriptors of one session are those of the next.
one_after_the_other() {
	peer_behind b 'receive-id; expect 100 seed 2; send 3000 seed 1; close' \
	    -w "$workers"
	script="connect $LISTEN; send-id; send 100 seed 2; \
	    expect 3000 seed 1; expect-eof; close;"
	peer "parallel 20 { $script $script $script $script $script \
	    $script $script $script $script $script }"
	wait_for 5 log_reaches 200 'bytes_up=104 bytes_down=3000 '
}

# Each has four descriptors in one process, with the embedded echo's two.
more_than_1024_descriptors() {
	hard=$(awk '/^Max open files/ { print $5 }' /proc/self/limits)
	if [ "$hard" != unlimited ] && [ "$hard" -lt 4096 ]; then
		say "left out: $hard descriptors at most"
		return
	fi
	rm -f "$T/go"
	shuttled_start -l 127.0.0.1:0 -s builtin:echo -w "$1" -v
	peer_start c "timeout 60000; parallel 600 { connect $LISTEN; \
	    exchange 2000 2000 seed 1 seed 1; wait-file $T/go; \
	    exchange 9k 9k seed 2 seed 2; half-close; expect-eof }"
	wait_for 20 log_reaches 600 'session start'
	assert_eq 'sessions that ended early' 0 "$(log_count 'session end')"
	: >"$T/go"
	peer_wait c
	wait_for 5 log_reaches 600 'bytes_up=11216 bytes_down=11216 .*end=client.close'
	shuttled_stop
}

more_than_1024_in_a_worker() {
	more_than_1024_descriptors 1
}

more_than_1024_in_one_process() {
	more_than_1024_descriptors 0
}

for workers in 4 0; do
	say "with -w $workers"
	run_cases random_chunks_echoed random_chunks_exchanged \
	    one_after_the_other
done
run_cases more_than_1024_in_a_worker more_than_1024_in_one_process
