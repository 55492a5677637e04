#!/bin/sh
# SPDX-License-Identifier: ISC
# Copyright (c) 2026 The shuttled authors
#
# builtin.sh: the embedded servers; and every worker takes part.
# shellcheck source-path=SCRIPTDIR disable=SC1091
KEEPALIVE=1s
. "$(dirname "$0")/../lib.sh"

pids_so_far() {
	sort -u "$T/pids" | grep -c .
}

hello_from_every_worker() {
	shuttled_start -l 127.0.0.1:0 -s builtin:hello -w 4
	: >"$T/pids"
	i=0
	while [ "$(pids_so_far)" -lt 4 ] && [ $i -lt 100 ]; do
		i=$((i + 1))
		peer "connect $LISTEN; cat"
		sed -n 's/^Hello from \([0-9]*\), server builtin:hello$/\1/p' "$T/peer.out" \
		    >>"$T/pids"
		assert_eq 'answers' $i "$(grep -c . "$T/pids")"
	done
	say "all four after $i connections"
	worker_pids | sort >"$T/workers"
	assert_eq 'who answered' "$(cat "$T/workers")" \
	    "$(sort -u "$T/pids")"
}

hello_of_one_process() {
	shuttled_start -l 127.0.0.1:0 -s builtin:hello -w 0
	peer "connect $LISTEN; expect-text \"Hello from $PID, server builtin:hello\\n\"; expect-eof"
}

# Even when another session holds the only block.
hello_without_a_buffer() {
	shuttled_start -l 127.0.0.1:0 -s builtin:echo -s builtin:hello \
	    -w 1 --buffers 1
	rm -f "$T/blocked" "$T/go"
	peer_start c "connect $LISTEN; send-until-blocked 300; \
	    touch $T/blocked; wait-file $T/go; half-close; \
	    read-until-eof"
	wait_for 15 test -e "$T/blocked"
	peer "connect $LISTEN; expect-text \"Hello from \"; cat"
	: >"$T/go"
}

# Bytes that came with the greeting must not turn it into a reset.
hello_to_a_client_that_talks() {
	shuttled_start -l 127.0.0.1:0 -s builtin:hello -w "$workers"
	peer -p 50 "connect $LISTEN; send 500; expect-text \"Hello from \"; \
	    cat"
}

echo_50_mib() {
	shuttled_start -l 127.0.0.1:0 -s builtin:echo -w "$workers"
	peer "connect $LISTEN; exchange 50m 50m seed 1 seed 1; half-close; \
	    expect-eof"
	assert_log 'bytes_up=52428800 bytes_down=52428800 .*end=client.close'
}

echo_of_many() {
	shuttled_start -l 127.0.0.1:0 -s builtin:echo -w "$workers"
	peer -p 50 "connect $LISTEN; exchange 100k 100k seed 1 seed 1 \
	    chunks random; half-close; expect-eof"
}

# Its client does not read what it answers.
echo_to_a_sleeper() {
	shuttled_start -l 127.0.0.1:0 -s builtin:echo -w "$workers" \
	    --buffers 1
	peer "connect $LISTEN; send-until-blocked 300 seed 1; half-close; \
	    read-until-eof seed 1"
	assert_eq 'bytes back' \
	    "$(moved peer send-until-blocked)" \
	    "$(moved peer read-until-eof)"
}

discard_50_mib() {
	shuttled_start -l 127.0.0.1:0 -s builtin:discard -w "$workers"
	peer "connect $LISTEN; send 50m; half-close; expect-eof"
	assert_log 'bytes_up=52428800 bytes_down=0 .*end=client.close'
}

run_cases hello_from_every_worker hello_of_one_process \
    hello_without_a_buffer
for workers in 2 0; do
	say "with -w $workers"
	run_cases hello_to_a_client_that_talks echo_50_mib echo_of_many \
	    echo_to_a_sleeper discard_50_mib
done
