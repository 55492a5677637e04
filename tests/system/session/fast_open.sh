#!/bin/sh
# SPDX-License-Identifier: ISC
# Copyright (c) 2026 The shuttled authors
#
# fast_open.sh: --fast-open, whatever the system makes of it. Where we may, in a
# network of our own with each setting of it, and then the data-path tests again
# with bytes in the first segment of every connection.
if [ -z "${OWN_NETWORK:-}" ] && [ "$(id -u)" -eq 0 ] &&
    unshare -n ip link set lo up 2>/dev/null; then
	OWN_NETWORK=yes exec unshare -n "$0"
fi
. "$(dirname "$0")/../lib.sh"

setting=/proc/sys/net/ipv4/tcp_fastopen

# counted NAME: how often this has happened in this network.
counted() {
	awk -v name="$1" '$1 == "TcpExt:" && !n {
		for (n = NF; $n != name && n > 1; n--)
			;
		next
	}
	$1 == "TcpExt:" { print $n }' /proc/net/netstat
}

# The first of two: the second has fast open, too. A client is only accepted
# with its bytes, so that they can be sent along.
chain() {
	outer=$T
	T=$T/second
	mkdir "$T"
	chmod 755 "$T"
	shuttled_start -l 127.0.0.1:0 -s builtin:echo --fast-open
	second=$PID second_listens=$LISTEN
	T=$outer
	shuttled_start -l 127.0.0.1:0 -s "$second_listens" --fast-open \
	    --defer-accept 10s
	for _ in 1 2 3 4 5 6; do
		serves || fail 'it does not serve'
	done
	peer -p 20 "connect $LISTEN; exchange 300k 300k seed 1 seed 1; \
	    half-close; expect-eof"
	shuttled_stop
	T=$T/second PID=$second
	shuttled_stop
	rm -r "$T"
	T=$outer
}

server_speaks_first() {
	shuttled_start -l 127.0.0.1:0 -s builtin:hello --fast-open
	for _ in 1 2 3 4 5 6; do
		peer "connect $LISTEN; cat"
		grep -q '^Hello from ' "$T/peer.out" || fail 'no hello'
	done
}

refused_goes_to_the_next() {
	echo_start
	peer_refusing r
	shuttled_start -l 127.0.0.1:0 -s "$(address r),name=r" \
	    -s "$SERVER,name=b" --fast-open --defer-accept 10s
	for _ in 1 2 3 4 5 6; do
		serves || fail 'it does not serve'
	done
	assert_log 'servers_tried=r,b bytes_up=1000 bytes_down=1000 '
}

again_with_everything() {
	for test in relay reset ../upstream/servers many; do
		say "== $test.sh"
		SHUTTLED_ARGS="$SHUTTLED_ARGS --fast-open" \
		    "$(dirname "$0")/$test.sh" ||
			fail "$test.sh with --fast-open"
	done
}

cases='chain server_speaks_first refused_goes_to_the_next'
if [ -z "${OWN_NETWORK:-}" ] || ! ip link set lo up || ! [ -w $setting ]; then
	say "as the system has it: $(cat $setting)"
	# shellcheck disable=SC2086 # a list
	run_cases $cases
	exit 0
fi
for value in 0 1 2 3; do
	say "tcp_fastopen = $value"
	echo $value >$setting
	# shellcheck disable=SC2086
	run_cases $cases
done
for name in TCPFastOpenActive TCPFastOpenPassive; do
	assert_between $name 5 1000 "$(counted $name)"
done
# All listeners, and without a cookie first: also those of the peer tool.
echo 1543 >$setting
before=$(counted TCPFastOpenActive)
# Enough of it with a tool that slows all down.
[ -n "$SHUTTLED_WRAP" ] || run_cases again_with_everything
say "$(($(counted TCPFastOpenActive) - before)) fast opens"
