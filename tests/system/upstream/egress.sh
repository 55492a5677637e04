#!/bin/sh
# SPDX-License-Identifier: ISC
# Copyright (c) 2026 The shuttled authors
#
# egress.sh: which address servers see, how packets are marked, and what is said
# of a configuration that cannot be. Where we may, in a network of our own with
# few ports: they are enough with more addresses.
if [ -z "${OWN_NETWORK:-}" ] && [ "$(id -u)" -eq 0 ] &&
    unshare -n ip link set lo up 2>/dev/null; then
	OWN_NETWORK=yes exec unshare -n "$0"
fi
. "$(dirname "$0")/../lib.sh"
MIRROR=${MIRROR:-$TOOLS/mirror}
[ -z "${OWN_NETWORK:-}" ] || ip link set lo up
ports=/proc/sys/net/ipv4/ip_local_port_range

# mirror_start NAME ADDRESS: its port in $PORT; what it sees in $T/NAME.
mirror_start() {
	rm -f "$T/$1"
	"$MIRROR" serve 1 "$2" >"$T/$1" 2>"$T/$1.out" </dev/null &
	mirror=$!
	started="$started $mirror"
	wait_for 10 test -s "$T/$1"
	PORT=$(head -n 1 "$T/$1")
}

mirror_stop() {
	kill "$mirror"
	wait_for 10 gone "$mirror"
	forget "$mirror"
}

# seen NAME: addresses and how often, "A:n B:n", sorted.
seen() {
	sed 1d "$T/$1" | cut -d ' ' -f 1 | sort | uniq -c |
	    awk '{ printf "%s%s:%s", n++ ? " " : "", $2, $1 }'
}

# has_seen NAME N: this many connections.
has_seen() {
	[ "$(sed 1d "$T/$1" | wc -l)" -ge "$2" ]
}

# conf TEXT: of two workers, with one listener and pool whose servers are TEXT.
conf() {
	cat >"$T/conf" <<-END
		workers: 2
		$listen
		pool: { app: { $pool server: { $1 } } }
	END
}
listen='listen: { l: { address: "127.0.0.1:0" } }'
pool=

# ask N: so many short sessions, one after the other.
ask() {
	for _ in $(seq "$1"); do
		peer "connect $LISTEN; half-close; cat"
	done
}

addresses_in_turn() {
	mirror_start m 127.0.0.1:0
	conf "a: { address: \"127.0.0.1:$PORT\",
	    source_address: [\"127.0.0.2\", \"::1\", \"127.0.0.3\", \"127.0.0.4\"] }"
	shuttled_start -c "$T/conf" -w 1
	ask 9
	assert_eq 'what the server saw' '127.0.0.2:3 127.0.0.3:3 127.0.0.4:3' \
	    "$(seen m)"
	shuttled_stop
	mirror_stop
}

# Each worker begins with another one.
with_two_workers() {
	mirror_start m 127.0.0.1:0
	pool='source_address: ["127.0.0.2", "127.0.0.3"], check: "tcp",'
	conf "a: { address: \"127.0.0.1:$PORT\" },
	    b: { address: \"127.0.0.1:$PORT\", source_address: \"127.0.0.9\" }"
	shuttled_start -c "$T/conf"
	wait_for 5 log_has 'app/a: up'
	wait_for 5 log_has 'app/b: up'
	wait_for 5 has_seen m 2
	assert_eq 'what the checks came from' '127.0.0.2:1 127.0.0.9:1' \
	    "$(seen m | tr ' ' '\n' | sed 's/:.*/:1/' | tr '\n' ' ' |
	    sed 's/ $//')"
	before=$(sed 1d "$T/m" | grep -c '127.0.0.3' || :)
	assert_eq 'checks from the second one' 0 "$before"
	ask 16
	for from in 127.0.0.2 127.0.0.3 127.0.0.9; do
		grep -q "^$from " "$T/m" || fail "nobody came from $from"
	done
	shuttled_stop
	mirror_stop
	pool=
}

ipv6() {
	[ -z "${OWN_NETWORK:-}" ] || ip address add fd00::5/128 dev lo nodad ||
		return 0
	[ -n "${OWN_NETWORK:-}" ] || return 0
	mirror_start m '[::1]:0'
	conf "a: { address: \"[::1]:$PORT\", dscp: \"af41\",
	    source_address: [\"127.0.0.2\", \"fd00::5\"] }"
	shuttled_start -c "$T/conf"
	ask 4
	assert_eq 'what the server saw' 'fd00::5:4' "$(seen m)"
	assert_eq 'marked packets' 4 "$(grep -c 'dscp=34$' "$T/m")"
	shuttled_stop
	mirror_stop
}

# What the kernel sends by: of the balancer's ends with this port.
marks() {
	ss -Htn --tos "$1" ":$2" 2>/dev/null |
	    sed -n 's/.*tos:0x\([0-9a-f]*\).*/\1/p' | sort -u
}

marked() {
	mirror_start m 127.0.0.1:0
	listen='listen: { l: { address: "127.0.0.1:0", dscp: "cs1" } }'
	pool='dscp: 46,'
	conf "a: { address: \"127.0.0.1:$PORT\" }"
	shuttled_start -c "$T/conf"
	peer_start p "connect $LISTEN; expect-text \"127.0.0.1 dscp=46\\n\"; \
	    wait-file $T/end"
	wait_for 10 grep -q 'dscp=46$' "$T/m"
	! ss --tos -H >/dev/null 2>&1 ||
		assert_eq 'class towards the client' 20 \
		    "$(marks sport "${LISTEN##*:}")"
	: >"$T/end"
	peer_wait p
	rm "$T/end"
	# A reload takes it up, on the socket that listens already.
	sed -i 's/"cs1"/"cs3"/; s/dscp: 46/dscp: "ef"/' "$T/conf"
	reload 1
	peer_start p "connect $LISTEN; expect-text \"127.0.0.1 dscp=46\\n\"; \
	    wait-file $T/end"
	wait_for 10 log_reaches 1 reloaded
	wait_for 10 test "$(grep -c 'dscp=46$' "$T/m")" -ge 1
	! ss --tos -H >/dev/null 2>&1 || wait_for 5 client_class_is 60
	: >"$T/end"
	peer_wait p
	shuttled_stop
	mirror_stop
	listen='listen: { l: { address: "127.0.0.1:0" } }'
	pool=
}

client_class_is() {
	[ "$(marks sport "${LISTEN##*:}")" = "$1" ]
}

# An interface that is not there is the way to nobody.
interfaces() {
	mirror_start m 127.0.0.1:0
	conf "a: { address: \"127.0.0.1:$PORT\", interface: \"lo\" }"
	shuttled_start -c "$T/conf"
	ask 2
	assert_eq 'what the server saw' '127.0.0.1:2' "$(seen m)"
	shuttled_stop
	conf "a: { address: \"127.0.0.1:$PORT\", interface: \"none0\" }"
	shuttled_start -c "$T/conf"
	peer "connect $LISTEN; expect-eof"
	assert_log 'app/a: connect: No such device'
	shuttled_stop
	mirror_stop
	[ "$(id -u)" -eq 0 ] || return 0
	listen='listen: { l: { address: "127.0.0.1:0", interface: "lo" } }'
	conf 'a: { address: "builtin:echo" }'
	shuttled_start -c "$T/conf"
	serves || fail 'nobody comes by lo'
	shuttled_stop
	listen='listen: { l: { address: ":0", interface: "none0" } }'
	conf 'a: { address: "builtin:echo" }'
	shuttled_fails 69 -c "$T/conf"
	try_said 'there is no interface none0'
	listen='listen: { l: { address: "127.0.0.1:0" } }'
}

# tried PATTERN [STATUS]: -t says so.
tried() {
	shuttled_try -t -c "$T/conf"
	assert_eq 'status' "${2:-78}" "$STATUS"
	try_said "$1"
}

mistakes() {
	conf 'a: { address: "127.0.0.1:1", source_address: "eth0" }'
	tried 'conf:3:[0-9]*: source_address "eth0": should be an IP address without a port'
	for no in 224.0.0.1 255.255.255.255 ff02::1; do
		conf "a: { address: \"127.0.0.1:1\", source_address: \"$no\" }"
		tried "conf:3:[0-9]*: source_address \"$no\": a multicast or broadcast address"
	done
	conf 'a: { address: "127.0.0.1:1", source_address: "127.0.0.1, 127.0.0.2" }'
	tried 'conf:3:[0-9]*: .*such as 10.0.0.5 or .*; several are a list: \['
	conf 'a: { address: "127.0.0.1:1", source_address: "::1" }'
	tried 'conf:3:[0-9]*: address "127.0.0.1:1": this is IPv4, and no source is'
	conf 'a: { address: "127.0.0.1:1", source_address: "127.0.0.2",
	    transparent: true }'
	tried 'conf:3:[0-9]*: source_address and transparent exclude each other'
	conf 'a: { address: "127.0.0.1:1", source_address: "127.0.0.2",
	    check_address: "[::1]:1" }'
	tried 'conf:4:[0-9]*: check_address: no source is of its family'
	conf 'a: { address: "127.0.0.1:1", transparent: true, preconnect: 1 }'
	tried 'conf:3:[0-9]*: server a: preconnected connections have no client yet'
	conf 'a: { address: "127.0.0.1:1", dscp: "ex" }'
	tried 'conf:3:[0-9]*: dscp "ex": should be cs0, cs1'
	conf 'a: { address: "unix:/x", source_address: "127.0.0.2" }'
	tried 'conf:3:[0-9]*: source_address has no effect without' 0
	# What the pool says gives way to the server.
	pool='source_address: "127.0.0.2",'
	conf 'a: { address: "127.0.0.1:1", source_address: "127.0.0.3" },
	    b: { address: "unix:/x" }'
	tried OK 0
	pool=
	[ -z "${AS_USER:-}" ] || ! can_change_user || {
		conf 'a: { address: "127.0.0.1:1", transparent: true }'
		chmod 644 "$T/conf"
		with_wrap "$AS_USER" tried \
		    "$T/conf:3:[0-9]*: transparent needs CAP_NET_RAW.*Amb" 77
		with_wrap "$AS_USER" shuttled_try -c "$T/conf"
		assert_eq 'status' 77 "$STATUS"
		try_said "$T/conf:3:[0-9]*: transparent needs CAP_NET_RAW"
		# Not at a unix socket, where it does nothing.
		listen='listen: { u: { address: "unix:/x", transparent: true },
		    l: { address: ":0", transparent: true } }'
		pool='
		    transparent: true,'
		conf 'a: { address: "127.0.0.1:1" }'
		with_wrap "$AS_USER" tried "$T/conf:3:[0-9]*: transparent needs" 77
		listen='listen: { l: { address: "127.0.0.1:0" } }'
		conf 'a: { address: "127.0.0.1:1" }'
		with_wrap "$AS_USER" tried "$T/conf:4:[0-9]*: transparent needs" 77
		pool=
	}
}

# What is not there now may come, or be had all the same.
absent() {
	conf 'a: { address: "127.0.0.1:1", source_address: ["127.0.0.2", "192.0.2.1"],
	    interface: "loo" }'
	tried "$T/conf:3:[0-9]*: source_address \"192.0.2.1\": this machine does not have" 0
	tried "$T/conf:4:[0-9]*: interface \"loo\": there is no such interface now, \
perhaps lo; connections by it fail" 0
	assert_eq 'lines' 3 "$(grep -c '' "$T/try.out")"
	shuttled_start -c "$T/conf"
	assert_log "start.*warning: $T/conf:3:[0-9]*: source_address \"192.0.2.1\": this"
	signal HUP
	wait_for 10 log_has "warning: reload: $T/conf:4:[0-9]*: interface"
	shuttled_stop
	pool='source_address: "192.0.2.1",'
	conf 'a: { address: "[::1]:1", source_address: "2001:db8::1" },
	    b: { address: "127.0.0.1:1" }'
	tried "$T/conf:3:[0-9]*: source_address \"192.0.2.1\": this machine does not have" 0
	tried "$T/conf:3:[0-9]*: source_address \"2001:db8::1\": this machine does" 0
	conf 'a: { address: "[fe80::2%lo]:1", source_address: "fe80::1" }'
	tried "$T/conf:3:[0-9]*: source_address \"fe80::1\": this is a link-local addr" 0
	pool=
	listen='listen: { l: { address: [ "127.0.0.1:0", "192.0.2.1:8080" ] } }'
	conf 'a: { address: "127.0.0.1:1" }'
	tried "$T/conf:2:[0-9]*: listen on 192.0.2.1:8080: this machine does not" 0
	listen='listen: { l: { address: "127.0.0.1:0" } }'
	[ -n "${OWN_NETWORK:-}" ] || return 0
	conf 'a: { address: "127.0.0.1:1", source_address: "192.0.2.1" }'
	echo 1 2>/dev/null >/proc/sys/net/ipv4/ip_nonlocal_bind || return 0
	tried '' 0
	echo 0 >/proc/sys/net/ipv4/ip_nonlocal_bind
	assert_eq 'with ip_nonlocal_bind' "shuttled: OK: $T/conf" \
	    "$(cat "$T/try.out")"
}

# An address of the list that is not ours any more is passed over.
one_is_missing() {
	mirror_start m 127.0.0.1:0
	conf "a: { address: \"127.0.0.1:$PORT\",
	    source_address: [\"192.0.2.1\", \"127.0.0.3\"] }"
	shuttled_start -c "$T/conf" -w 1
	ask 4
	assert_eq 'what the server saw' '127.0.0.3:4' "$(seen m)"
	shuttled_stop
	mirror_stop
}

v6only() {
	have_ipv6 || return 0
	# Nobody else gets that port of IPv4.
	rm -f "$T/end"
	peer_refusing taken
	port=$(sed 's/.*://' "$T/taken")
	listen="listen: { l: { address: \":$port\", v6only: true } }"
	conf 'a: { address: "builtin:echo" }'
	shuttled_start -c "$T/conf"
	LISTEN="[::1]:$port"
	serves || fail 'no IPv6'
	peer "connect-refused 127.0.0.1:$port"
	shuttled_stop
	peers_release taken
	listen="listen: { l: { address: \"[::]:$port\", v6only: true },
	    m: { address: \"0.0.0.0:$port\" } }"
	conf 'a: { address: "builtin:echo" }'
	shuttled_start -c "$T/conf"
	LISTEN=127.0.0.1:$port
	serves || fail 'no IPv4 beside it'
	reload 1
	serves || fail 'no IPv4 after a reload'
	listen="listen: { l: { address: \"[::]:$port\" } }"
	conf 'a: { address: "builtin:echo" }'
	signal HUP
	wait_for 15 log_has 'v6only and interface cannot change in a reload'
	serves || fail 'no IPv4 after a reload that failed'
	shuttled_stop
	listen="listen: { l: { address: \"[::]:$port\" },
	    m: { address: \"0.0.0.0:$port\" } }"
	conf 'a: { address: "builtin:echo" }'
	tried 'another listener has this address, or all addresses'
	listen='listen: { l: { address: ":0" } }'
	conf 'a: { address: "builtin:echo" }'
	shuttled_start -c "$T/conf"
	LISTEN=127.0.0.1:${LISTEN##*:}
	serves || fail 'no IPv4 by default'
	shuttled_stop
	listen='listen: { l: { address: "127.0.0.1:0" } }'
}

# backlog_of PORT: as the kernel has it.
backlog_of() {
	ss -Hltn sport ":$1" | awk '{ print $3 }' | head -n 1
}

backlog() {
	command -v ss >/dev/null || return 0
	most=$(cat /proc/sys/net/core/somaxconn)
	conf 'a: { address: "builtin:echo" }'
	shuttled_start -c "$T/conf"
	assert_eq 'without backlog' "$most" "$(backlog_of "${LISTEN##*:}")"
	sed -i 's/"127.0.0.1:0"/&, backlog: 7/' "$T/conf"
	reload 1
	assert_eq 'with backlog' 7 "$(backlog_of "${LISTEN##*:}")"
	shuttled_stop
	sed -i "s/backlog: 7/backlog: $((most + 1))/" "$T/conf"
	shuttled_try -T -c "$T/conf"
	try_said "# warning: .*backlog is $most, not $((most + 1)): raise"
}

# few_ports N SOURCES PORT: that many at once, with a hundred ports for each source;
# clients come by a unix socket, which needs none. Prints what became of them.
few_ports() {
	mirror_start m "127.0.0.1:$3"
	listen="listen: { l: { address: \"unix:$T/sock\" } }"
	conf "a: { address: \"127.0.0.1:$3\", source_address: [$2] }"
	shuttled_start -c "$T/conf"
	rm -f "$T/held"
	"$MIRROR" hold 2 "$1" "unix:$T/sock" >"$T/held" 2>"$T/held.out" &
	holder=$!
	started="$started $holder"
	wait_for 60 test -s "$T/held"
	kill "$holder"
	wait_for 10 gone "$holder"
	forget "$holder"
	shuttled_stop
	mirror_stop
	listen='listen: { l: { address: "127.0.0.1:0" } }'
}

enough_with_three() {
	[ -n "${OWN_NETWORK:-}" ] || return 0
	saved=$(cat "$ports")
	echo 40000 40099 >"$ports"
	few_ports 250 '"127.0.0.2", "127.0.0.3", "127.0.0.4"' 20000
	assert_eq 'with three addresses' 'answered=250 failed=0' \
	    "$(cat "$T/held")"
	assert_not_log 'Cannot assign'
	for from in 127.0.0.2 127.0.0.3 127.0.0.4; do
		assert_between "from $from" 50 100 \
		    "$(grep -c "^$from " "$T/m")"
	done
	few_ports 108 '"127.0.0.2"' 20001
	assert_eq 'with one' 100 \
	    "$(sed 's/answered=\([0-9]*\) .*/\1/' "$T/held")"
	assert_eq 'lines about it' 1 "$(log_count 'no local port: Cannot assign')"
	assert_log 'end=proxy.no_local_port'
	assert_not_log 'stopped accepting'
	assert_not_log 'app/a: connect'
	echo "$saved" >"$ports"
}

# x has no port left, y has: nobody waits for that, and nobody takes x for down.
others_have_ports() {
	[ -n "${OWN_NETWORK:-}" ] || return 0
	saved=$(cat "$ports")
	echo 40000 40099 >"$ports"
	mirror_start x 127.0.0.1:20002
	x=$mirror
	mirror_start y 127.0.0.1:20003
	listen="listen: { l: { address: \"unix:$T/sock\" } }"
	pool='balance: "first", check: "tcp", interval: "100ms",'
	conf 'x: { address: "127.0.0.1:20002" },
	    y: { address: "127.0.0.1:20003" }'
	shuttled_start -c "$T/conf"
	wait_for 5 log_has 'app/y: up'
	rm -f "$T/held"
	"$MIRROR" hold 2 160 "unix:$T/sock" >"$T/held" 2>"$T/held.out" &
	holder=$!
	started="$started $holder"
	wait_for 60 test -s "$T/held"
	assert_eq 'with y' 'answered=160 failed=0' "$(cat "$T/held")"
	wait_for 10 log_has 'app/x: check put off'
	sleep 0.5
	kill "$holder"
	wait_for 10 gone "$holder"
	forget "$holder"
	wait_for 10 log_reaches 160 'end=client'
	assert_between 'the longest wait, ms' 0 $((2000 * TEST_SLOW)) \
	    "$(sed -n 's/.* connect_ms=\([0-9]*\) .*/\1/p' "$T/log" | sort -n |
	    tail -n 1)"
	assert_eq 'lines about it' 1 "$(log_count 'no local port: Cannot assign')"
	assert_not_log 'stopped accepting\|app/x: down\|ejected for'
	shuttled_stop
	mirror_stop
	mirror=$x
	mirror_stop
	echo "$saved" >"$ports"
}

run_cases addresses_in_turn with_two_workers ipv6 marked interfaces mistakes \
    absent one_is_missing v6only backlog enough_with_three \
    others_have_ports
