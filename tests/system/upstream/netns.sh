#!/bin/sh
# SPDX-License-Identifier: ISC
# Copyright (c) 2026 The shuttled authors
#
# netns.sh: three machines in a row, a client, the balancer and a server, each a
# network namespace: who the server sees with transparent, and how long a peer
# that has gone without a word is waited for. For root only.
if [ -z "${OWN_NETWORK:-}" ]; then
	if [ "$(id -u)" -ne 0 ] || ! command -v nsenter >/dev/null ||
	    ! command -v ss >/dev/null ||
	    ! unshare -n ip link add type veth 2>/dev/null; then
		echo 'SKIPPED: no network namespaces'
		exit 77
	fi
	OWN_NETWORK=yes exec unshare -n "$0"
fi
. "$(dirname "$0")/../lib.sh"
MIRROR=${MIRROR:-$TOOLS/mirror}

# machine: another one; $! is its pid, and it goes with that.
machine() {
	unshare -n sleep 600 &
	started="$started $!"
	wait_for 5 is_apart $!
}

is_apart() {
	[ "$(readlink "/proc/$1/ns/net")" != "$(readlink /proc/$$/ns/net)" ] &&
		[ "$(cat "/proc/$1/comm")" = sleep ]
}

# at PID COMMAND...: on that machine.
at() {
	machine=$1
	shift
	nsenter -t "$machine" -n "$@"
}

# link PID NUMBER NAME: a cable, with addresses 10.NUMBER.0.1 here and .2 there.
link() {
	ip link add "$3" type veth peer name eth0 netns "$1"
	ip address add "10.$2.0.1/24" dev "$3"
	ip address add "fd00:$2::1/64" dev "$3" nodad
	ip link set "$3" up
	at "$1" ip link set lo up
	at "$1" ip address add "10.$2.0.2/24" dev eth0
	at "$1" ip address add "fd00:$2::2/64" dev eth0 nodad
	at "$1" ip link set eth0 up
	at "$1" ip route add default via "10.$2.0.1"
	at "$1" ip route add default via "fd00:$2::1"
}

# The peer tool speaks from the client's machine, the mirror from the server's.
tools() {
	cat >"$T/peer" <<-END
		#!/bin/sh
		exec nsenter -t $client -n $PEER "\$@"
	END
	chmod 755 "$T/peer"
	PEER=$T/peer
	# Not by at(): its pid would be that of a shell in between.
	nsenter -t "$server" -n "$MIRROR" serve 1 10.2.0.2:80 >"$T/seen" 2>&1 &
	started="$started $!"
	nsenter -t "$server" -n "$MIRROR" serve 1 '[fd00:2::2]:80' \
	    >"$T/seen6" 2>&1 &
	started="$started $!"
	wait_for 5 test -s "$T/seen"
	wait_for 5 test -s "$T/seen6"
}

set_up() {
	ip link set lo up
	machine
	client=$!
	machine
	server=$!
	link "$client" 1 eth1
	link "$server" 2 eth2
	# What the server sends is for us, to whomever it may be.
	ip rule add iif eth2 lookup 100
	ip route add local default dev lo table 100
	ip -6 rule add iif eth2 lookup 100
	ip -6 route add local default dev lo table 100
	tools
}

# conf LISTEN SERVERS
conf() {
	cat >"$T/conf" <<-END
		{ workers: 2, $top
		listen: { l: { $1 } },
		pool: { app: { $pool server: { $2 } } } }
	END
}
top=
pool=

sees_the_client() {
	pool='check: "tcp", transparent: true,'
	conf 'address: "[::]:8080", interface: "eth1",' \
	    'a: { address: "10.2.0.2:80" },
	    b: { address: "[fd00:2::2]:80" }'
	shuttled_start -c "$T/conf"
	wait_for 10 log_has 'app/a: up'
	wait_for 10 log_has 'app/b: up'
	for _ in 1 2 3 4; do
		peer "connect 10.1.0.1:8080; half-close; cat"
		assert_eq 'the server saw' '10.1.0.2 dscp=0' "$(cat "$T/peer.out")"
		peer "connect [fd00:1::1]:8080; half-close; cat"
		assert_eq 'the server saw' 'fd00:1::2 dscp=0' \
		    "$(cat "$T/peer.out")"
	done
	# Checks come from here.
	grep -q '^10.2.0.1 ' "$T/seen" || fail 'no check was seen'
	for pid in $(worker_pids); do
		[ "$pid" != "$(prober)" ] || continue
		assert_eq 'capabilities of a worker' 0000000000002000 \
		    "$(status_of "$pid" CapPrm)"
		for set in CapInh CapAmb CapBnd; do
			assert_eq $set 0000000000000000 \
			    "$(status_of "$pid" $set)"
		done
	done
	assert_eq 'capabilities of the prober' 0000000000000000 \
	    "$(status_of "$(prober)" CapPrm)"
	shuttled_stop
	pool=
}

# Who is of another family is told apart from a server that fails.
other_family() {
	pool='transparent: true,'
	conf 'address: "[::]:8080",' 'a: { address: "10.2.0.2:80" }'
	shuttled_start -c "$T/conf"
	for _ in 1 2 3; do
		peer "connect [fd00:1::1]:8080; expect-eof"
	done
	assert_log 'app/a: transparent: Address family not supported'
	assert_log 'end=server.unreachable'
	assert_not_log 'app/a: connect'
	peer "connect 10.1.0.1:8080; half-close; cat"
	assert_eq 'the server saw' '10.1.0.2 dscp=0' "$(cat "$T/peer.out")"
	shuttled_stop
	pool=
}

# A user who has been given the one capability, as by systemd.
without_root() {
	can_change_user || return 0
	conf 'address: ":8080",' 'a: { address: "10.2.0.2:80",
	    transparent: true }'
	mkdir -m 1777 "$T/open"
	inner=$T
	T=$T/open
	with_wrap "$AS_USER --inh-caps +net_raw --ambient-caps +net_raw" \
	    shuttled_start -c "$inner/conf"
	"$inner/peer" -c 'connect 10.1.0.1:8080; half-close; cat' >"$T/peer.out"
	assert_eq 'the server saw' '10.1.0.2 dscp=0' "$(cat "$T/peer.out")"
	shuttled_stop
	T=$inner
}

# An address that nobody has, handed over by a rule as by TPROXY.
foreign_listener() {
	ip rule add iif eth1 to 10.9.9.9 lookup 100
	conf 'address: "10.9.9.9:8080", transparent: true,' \
	    'a: { address: "10.2.0.2:80", source_address: "10.2.0.1" }'
	shuttled_start -c "$T/conf"
	peer "connect 10.9.9.9:8080; half-close; cat"
	assert_eq 'the server saw' '10.2.0.1 dscp=0' "$(cat "$T/peer.out")"
	shuttled_stop
	ip rule del iif eth1 to 10.9.9.9 lookup 100
}

# Two silent sessions. One loses its client without a word: nothing that it
# sends reaches us any more. The other one is only silent.
the_dead_and_the_quiet() {
	top='keepalive: "1s", user_timeout: "3s",'
	at "$client" ip address add 10.1.0.3/24 dev eth0
	conf 'address: ":8080",' 'a: { address: "10.2.0.2:80" }'
	shuttled_start -c "$T/conf"
	peer_start quiet "connect [fd00:1::1]:8080; \
	    expect-text \"10.2.0.1 dscp=0\\n\"; wait-file $T/end; \
	    send-text hello; expect-text hello; half-close; expect-eof"
	peer_start dead "connect 10.1.0.1:8080; \
	    expect-text \"10.2.0.1 dscp=0\\n\"; wait-file $T/end"
	wait_for 5 held 2
	at "$client" ip route add blackhole 10.1.0.1/32
	from=$(now_ms)
	wait_for 10 log_has 'end=client.lost'
	took=$(($(now_ms) - from))
	slow || assert_between 'ms until the client is lost' 1500 6000 $took
	say "a dead client ended its session after $took ms"
	at "$client" ip route del blackhole 10.1.0.1/32
	assert_eq 'sessions that ended' 1 "$(log_count 'session end')"
	: >"$T/end"
	peer_wait quiet dead
	rm "$T/end"
}

# held N: so many clients are here.
held() {
	[ "$(ss -Htn state established sport :8080 | wc -l)" -ge "$1" ]
}

# Of each server's two sessions one has bytes for it when it is gone.
the_dead_server() {
	top='keepalive: "1s", user_timeout: "3s",'
	conf 'address: ":8080",' 'a: { address: "10.2.0.2:80" },
	    b: { address: "[fd00:2::2]:80" }'
	shuttled_start -c "$T/conf"
	for one in 1 2 3 4; do
		last=
		[ "$one" -le 2 ] || last='send-text x;'
		peer_start "p$one" "connect 10.1.0.1:8080; wait-file $T/go; \
		    $last wait-file $T/end"
		wait_for 5 held "$one"
	done
	# After a second they are watched.
	wait_for 5 watched
	at "$server" ip route add blackhole 10.2.0.1/32
	from=$(now_ms)
	: >"$T/go"
	wait_for 10 log_reaches 2 'end=server.lost'
	took=$(($(now_ms) - from))
	slow || assert_between 'ms until the server is lost' 1500 6000 $took
	say "a dead server ended its sessions after $took ms"
	at "$server" ip route del blackhole 10.2.0.1/32
	assert_eq 'sessions that ended' 2 "$(log_count 'session end')"
	: >"$T/end"
	peer_wait p1 p2 p3 p4
	rm "$T/end"
	shuttled_stop
	top=
}

watched() {
	[ "$(ss -Htno state established dport :80 | grep -c keepalive)" -ge 4 ]
}

set_up
run_cases sees_the_client other_family without_root foreign_listener \
    the_dead_and_the_quiet the_dead_server
