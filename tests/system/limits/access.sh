#!/bin/sh
# SPDX-License-Identifier: ISC
# Copyright (c) 2026 The shuttled authors
#
# access.sh: who may come in by allow and deny, from the configuration and from
# files, before and after a reload; and what the others see, as told by refuse.
. "$(dirname "$0")/../lib.sh"

# conf LINE...: a server that echoes behind a listener with these directives.
conf() {
	echo_start
	{
		printf 'listen: { main: {\n'
		printf '%s\n' "$@"
		printf '} }\npool: { main: { server: { a: {\n'
		printf 'address: "%s" } } } }\n' "$SERVER"
	} >"$T/conf"
}

# start LINE...: the same on both families of loopback and a unix socket. Where
# there is no IPv6 nobody asks the second, which is then another unix socket.
start() {
	conf 'address: ["127.0.0.1:0", "'"$second"'", "unix:'"$T"'/sock"],' "$@"
	rm -f "$T/sock" "$T/second"
	shuttled_start -c "$T/conf" -w 3
}

# comes N, stays_out N [END]: the client of listener N, by its end.
comes() {
	[ "$1:$second" != "2:unix:$T/second" ] || return 0
	try_peer "connect $(listener "$1"); exchange 99 99 seed 1 seed 1;
	    half-close; expect-eof" || fail "listener $1: not let in"
}

stays_out() {
	[ "$1:$second" != "2:unix:$T/second" ] || return 0
	ends=$(log_count 'end=proxy.denied')
	peer "connect $(listener "$1"); ${2:-expect-eof}"
	wait_for 5 log_reaches $((ends + 1)) 'servers_tried=- .*end=proxy.denied'
}

denies() {
	start 'deny: ["127.0.0.0/8", "unix:"],'
	stays_out 1
	comes 2
	stays_out 3
	shuttled_stop
	start 'deny: ["!127.0.0.1", "127.0.0.0/8", "::/0"],'
	comes 1
	stays_out 2
	comes 3
}

allows() {
	start 'allow: ["::1", "127.0.0.0/8"],' 'deny: "127.0.0.1",'
	stays_out 1
	comes 2
	stays_out 3
	shuttled_stop
	start 'allow: ["all", "!::1"],'
	comes 1
	stays_out 2
	comes 3
}

# The top is for those who say nothing themselves.
the_top_is_a_default() {
	start
	cat >>"$T/conf" <<-END
		deny: all
	END
	reload
	stays_out 1
	shuttled_stop
	start 'deny: "none",'
	cat >>"$T/conf" <<-END
		deny: all
	END
	reload
	comes 1
}

# Names of files begin beside the configuration; nothing is opened by workers.
files_and_reloads() {
	printf '# nobody\n\n' >"$T/net"
	start 'deny: "file:net",'
	comes 1
	printf '10.0.0.0/8\n127.0.0.1	# us\n' >"$T/net"
	comes 1
	reload
	stays_out 1
	comes 2
	printf '::1\n127.0.0.300\n' >"$T/net"
	signal HUP
	assert_log "conf:3:[0-9]*: deny \"file:$T/net\": $T/net:2: an IPv4 network"
	assert_log 'reload: .*the configuration has errors'
	stays_out 1
	comes 2
}

# Before the workers give up what they may read.
only_root_may_read_it() {
	can_change_user || return 0
	printf '127.0.0.1\n' >"$T/net"
	chmod 600 "$T/net"
	start 'deny: "file:net",'
	stays_out 1
}

mistakes() {
	conf 'address: "127.0.0.1:0",' 'allow: ["10.0.0.1/8",' '"/etc/hosts"],'
	shuttled_fails 78 -t -c "$T/conf"
	try_said \
	    'conf:3:[0-9]*: allow "10.0.0.1/8": an address with a prefix: write'
	try_said 'conf:4:[0-9]*: allow "/etc/hosts": .*file:NAME'
	conf 'address: "127.0.0.1:0",' 'deny: "file:none",'
	shuttled_try -t -c "$T/conf"
	try_said "conf:3:[0-9]*: deny .*: $T/none: No such file"
	conf 'address: "127.0.0.1:0",' 'reject_with: "drop",'
	shuttled_try -t -c "$T/conf"
	try_said 'conf:3:[0-9]*: reject_with has no effect without'
}

# As -T prints it, it means the same.
told_again() {
	printf '127.0.0.1\n' >"$T/net"
	conf 'address: "127.0.0.1:0",' 'deny: ["!::1", "file:net"],' \
	    'reject_with: "reset",'
	shuttled_does -T -c "$T/conf"
	mkdir "$T/elsewhere"
	cp "$T/try.out" "$T/elsewhere/conf"
	shuttled_start -c "$T/elsewhere/conf" -w 2
	stays_out 1 expect-reset
}

# Whoever is refused has sent something, or has not yet.
what_is_seen() {
	start 'deny: "all",'
	stays_out 1 'send 9; expect-eof'
	stays_out 1 'send 200000; expect-eof'
	shuttled_stop
	start 'deny: "all", reject_with: "reset",'
	stays_out 1 expect-reset
	stays_out 3 'expect-end'
}

# --- drop: a client, a router and shuttled, each in a network of its own ------

# inside NAME COMMAND...
inside() {
	eval "net=\$net_$1"
	shift
	# shellcheck disable=SC2154 # set by eval
	nsenter -t "$net" -n "$@"
}

# network NAME: until the process that holds it ends.
network() {
	unshare -n sleep 120 </dev/null >"$T/unshare.out" 2>&1 &
	eval "net_$1=$!"
	started="$started $!"
	wait_for 5 has_network "$!"
	inside "$1" ip link set lo up
}

has_network() {
	there=$(readlink "/proc/$1/ns/net") &&
	    [ "$there" != "$(readlink /proc/self/ns/net)" ]
}

# link A B IPV4 IPV6: .1 and ::1 for A, .2 and ::2 for B.
link() {
	eval "other=\$net_$2"
	# shellcheck disable=SC2154 # set by eval
	inside "$1" ip link add "to_$2" type veth peer name "to_$1" \
	    netns "$other"
	for end in "$1 $2 1" "$2 $1 2"; do
		# shellcheck disable=SC2086 # three words
		set -- "$1" "$2" "$3" "$4" $end
		inside "$5" ip addr add "$3.$7/24" dev "to_$6"
		inside "$5" ip addr add "$4::$7/64" dev "to_$6" nodad
		inside "$5" ip link set "to_$6" up
	done
}

# segments: how many the client's system has had.
segments() {
	# shellcheck disable=SC2016 # fields of awk
	inside client awk '/^Tcp: R/ { for (i = 1; $i != "InSegs"; i++); next }
	    /^Tcp:/ { print $i }' /proc/net/snmp
}

# nothing_comes ADDRESS: to a client that is dropped, whatever it does.
nothing_comes() {
	rm -f "$T"/client.*
	denied=$(log_count 'end=proxy.denied')
	inside client "$PEER" -t 20000 -c "connect $1; send 1000;
	    touch $T/client.in; wait-file $T/client.go; send 1000;
	    expect-silence 200; half-close; expect-silence 200;
	    touch $T/client.still; wait-file $T/client.end; reset" \
	    >"$T/client.out" 2>&1 &
	client=$!
	started="$started $client"
	wait_for 5 test -e "$T/client.in"
	wait_for 5 log_reaches $((denied + 1)) 'end=proxy.denied'
	before=$(segments)
	: >"$T/client.go"
	wait_for 5 test -e "$T/client.still"
	assert_eq 'segments that came' "$before" "$(segments)"
	: >"$T/client.end"
	reap "$client" 5
	assert_eq 'status of the client' 0 "$STATUS"
}

drops() {
	if [ "$(id -u)" -ne 0 ] || ! command -v ip >/dev/null ||
	    ! unshare -n true 2>/dev/null; then
		say 'left out: no networks of our own'
		return 0
	fi
	echo_start
	network client
	network router
	network server
	link client router 10.99.1 fd99:1
	link router server 10.99.2 fd99:2
	inside client ip route add default via 10.99.1.2
	inside client ip route add default via fd99:1::2
	inside server ip route add default via 10.99.2.1
	inside server ip route add default via fd99:2::1
	inside router sh -c 'echo 1 >/proc/sys/net/ipv4/ip_forward
	    echo 1 >/proc/sys/net/ipv6/conf/all/forwarding'
	conf 'address: "*:7",' 'deny: "all", reject_with: "drop",'
	eval "net=\$net_server"
	with_wrap "nsenter -t $net -n" shuttled_start -c "$T/conf" -w 2
	nothing_comes 10.99.2.2:7
	nothing_comes '[fd99:2::2]:7'
}

second='[::1]:0'
have_ipv6 || second=unix:$T/second
run_cases denies allows the_top_is_a_default files_and_reloads \
    only_root_may_read_it mistakes told_again what_is_seen drops
