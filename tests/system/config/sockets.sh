#!/bin/sh
# SPDX-License-Identifier: ISC
# Copyright (c) 2026 The shuttled authors
#
# sockets.sh: the kinds of addresses on both sides, and listeners that
# cannot be had.
# shellcheck source-path=SCRIPTDIR disable=SC1091
KEEPALIVE=1s
. "$(dirname "$0")/../lib.sh"

# unix_server NAME SCRIPT
unix_server() {
	rm -f "$T/$1.sock"
	peer_start "$1" "listen unix:$T/$1.sock; port-file $T/$1; \
	    serve any { $2 }"
}

unix_on_both_sides() {
	unix_server b 'echo'
	shuttled_start -l "unix:$T/l.sock" -s "unix:$T/b.sock" -w "$workers"
	assert_eq 'line of the ports file' "unix:$T/l.sock" "$LISTEN"
	peer -p 20 "connect unix:$T/l.sock; \
	    exchange 500k 500k seed 1 seed 1 chunks random; half-close; \
	    expect-eof"
	peer_stop b
	wait_for 5 log_reaches 20 'end=client.close'
}

unix_half_close() {
	unix_server b 'expect 10k seed 1; expect-eof; send 300k seed 2'
	shuttled_start -l "unix:$T/l.sock" -s "unix:$T/b.sock" -w "$workers"
	peer "connect unix:$T/l.sock; send 10k seed 1; half-close; \
	    expect 300k seed 2; expect-eof"
}

unix_to_inet_and_back() {
	peer_serve b 'echo'
	unix_server c 'echo'
	shuttled_start -l "unix:$T/l.sock" -l 127.0.0.1:0 \
	    -s "unix:$T/c.sock" -s "$(address b)" -w "$workers"
	for to in "$(listener 1)" "$(listener 2)"; do
		peer -p 4 "connect $to; exchange 100k 100k seed 1 seed 1; \
		    half-close; expect-eof"
	done
}

unix_backend_that_is_not_there() {
	unix_server c 'send-text "c\n"'
	shuttled_start -l 127.0.0.1:0 -s "unix:$T/nobody.sock" \
	    -s "unix:$T/c.sock" -w "$workers"
	peer -p 4 "connect $LISTEN; expect-text \"c\\n\"; expect-eof"
}

# More come than its queue takes, while nobody accepts: they wait, and it is not
# said to have failed.
unix_queue_is_full() {
	rm -f "$T/b.sock"
	peer_start b "listen unix:$T/b.sock 2; port-file $T/b; \
	    wait-file $T/go; serve any { send-text \"b\n\" }"
	rm -f "$T/go"
	shuttled_start -l 127.0.0.1:0 -s "unix:$T/b.sock" -w "$workers"
	peer -p 40 "connect $LISTEN; expect-text \"b\\n\"; expect-eof" &
	clients=$!
	started="$started $clients"
	wait_for 5 log_has 'connect: queue full'
	touch "$T/go"
	wait "$clients" || fail 'not all were served'
	forget "$clients"
	wait_for 5 log_reaches 40 'end=server.close'
	assert_eq 'lines about it' 1 "$(log_count 'connect: queue full')"
	assert_not_log 'ejected\|answers again'
}

# Its owner was killed; nobody answers there.
unix_path_left_over() {
	rm -f "$T/l.sock"
	peer_start x "listen unix:$T/l.sock; port-file $T/x"
	peer_wait x
	[ -S "$T/l.sock" ] || fail 'no socket was left'
	shuttled_start -l "unix:$T/l.sock" -s builtin:echo -w "$workers"
	peer "connect unix:$T/l.sock; send 9 seed 1; expect 9 seed 1; \
	    half-close; expect-eof"
}

unix_path_in_use() {
	shuttled_start -l "unix:$T/l.sock" -s builtin:echo -w "$workers"
	shuttled_fails 69 -l "unix:$T/l.sock" -s builtin:echo -w "$workers"
	peer "connect unix:$T/l.sock; send 9 seed 1; expect 9 seed 1; \
	    half-close; expect-eof"
}

# Only sockets are taken away.
unix_path_of_a_file() {
	rm -f "$T/precious"
	echo content >"$T/precious"
	shuttled_fails 69 -l "unix:$T/precious" -s builtin:echo -w "$workers"
	assert_eq 'the file' content "$(cat "$T/precious")"
}

port_in_use() {
	peer_serve b 'echo'
	shuttled_fails 69 -l "$(address b)" -s builtin:echo -w "$workers"
	grep -q "$(address b)" "$T/try.out" ||
		fail "the address is not named: $(cat "$T/try.out")"
}

ipv6_on_both_sides() {
	peer_start b "listen [::1]:0; port-file $T/b; serve any { echo }"
	shuttled_start -l '[::1]:0' -s "$(address b)" -w "$workers"
	peer -p 20 "connect $LISTEN; exchange 100k 100k seed 1 seed 1; \
	    half-close; expect-eof"
	wait_for 5 log_reaches 20 'client=\[::1\]:[0-9]* listener=\[::1\]:'
}

both_families_on_one_port() {
	shuttled_start -l ':0' -s builtin:echo -w "$workers"
	port=${LISTEN##*:}
	for host in 127.0.0.1 '[::1]'; do
		peer "connect $host:$port; send 9 seed 1; expect 9 seed 1; \
		    half-close; expect-eof"
	done
	assert_log 'client=127.0.0.1:'
}

several_listeners() {
	shuttled_start -l 127.0.0.1:0 -l "unix:$T/l.sock" -l 127.0.0.1:0 \
	    -s builtin:echo -w "$workers"
	assert_eq 'lines of the ports file' 3 "$(grep -c . "$T/ports")"
	for i in 1 2 3; do
		peer "connect $(listener $i); send 9 seed 1; \
		    expect 9 seed 1; half-close; expect-eof"
	done
}

for workers in 2 0; do
	say "with -w $workers"
	run_cases unix_on_both_sides unix_half_close unix_to_inet_and_back \
	    unix_queue_is_full unix_backend_that_is_not_there unix_path_left_over \
	    unix_path_in_use unix_path_of_a_file port_in_use several_listeners
	if have_ipv6; then
		run_cases ipv6_on_both_sides both_families_on_one_port
	else
		say 'no IPv6 here: two cases are left out'
	fi
done
