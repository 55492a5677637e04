#!/bin/sh
# SPDX-License-Identifier: ISC
# Copyright (c) 2026 The shuttled authors
#
# listeners.sh: addresses that are not as usual: abstract unix sockets, names of
# which this machine has some addresses only, addresses that come later, ranges of
# ports, and servers without a port. In a network and a table of hosts of its own.
if [ -z "${OWN_NETWORK:-}" ]; then
	own=-rnm
	[ "$(id -u)" -ne 0 ] || own=-nm
	# shellcheck disable=SC2016 # for the other shell
	unshare $own sh -c 'mount --bind /etc/passwd /etc/hosts &&
	    ip link set lo up' 2>/dev/null || {
		echo 'SKIPPED: no namespaces'
		exit 77
	}
	OWN_NETWORK=yes exec unshare $own "$0"
fi
. "$(dirname "$0")/../lib.sh"

cat >"$T/hosts" <<EOF
127.0.0.1 localhost both.test twice.test
::1 both.test
127.0.0.2 twice.test server.test
192.0.2.1 gone.test
2001:db8::1 gone.test
EOF
mount --bind "$T/hosts" /etc/hosts
ip link set lo up
without_ipv6() {
	ipv6=/proc/sys/net/ipv6/conf/all/disable_ipv6
	if [ -e $ipv6 ]; then
		echo 1 >$ipv6 2>/dev/null || return 1
	fi
}

# conf LISTEN SERVER [POOL]: the inside of these sections.
conf() {
	cat >"$T/conf" <<EOF
listen: { main: { $1 } }
pool: { main: { ${3:-} server: { a: { $2 } } } }
EOF
}

abstract_on_both_sides() {
	name="@shuttled test.$$"
	conf "address: [\"unix:$name\", \"127.0.0.1:0\"]," \
	    'address: "builtin:echo",'
	shuttled_start -c "$T/conf" -w 1
	back=$PID
	mv "$T/log" "$T/log.back"
	assert_eq 'ports file' "unix:$name" "$(listener 1)"
	rm "$T/ports"
	# shellcheck disable=SC2086 # these are lists
	shuttled_fails 69 -l "unix:$name" -s builtin:echo -w 1
	conf 'address: "127.0.0.1:0",' "address: \"unix:$name\"," \
	    'check: "tcp", interval: "50ms", fall: 1,'
	shuttled_start -c "$T/conf" -w 2
	wait_for 5 serves
	assert_log "info: ready"
	reload
	serves || fail 'not after a reload'
	# The one behind has it in the same way through a reload and an upgrade.
	front=$PID
	mv "$T/log" "$T/log.front"
	mv "$T/log.back" "$T/log"
	PID=$back
	conf "address: \"unix:$name\"," 'address: "builtin:echo",'
	reload
	serves || fail 'not after a reload of the server'
	if [ -z "$SHUTTLED_WRAP" ]; then
		signal USR2
		wait_for 15 log_has 'process [0-9]* serves'
		back=$(sed -n 's/.*process \([0-9]*\) serves.*/\1/p' "$T/log")
		also_end "$back"
		serves || fail 'not after an upgrade of the server'
	fi
	kill -QUIT "$back"
	wait_for 15 gone "$back"
	PID=$front
	mv "$T/log.front" "$T/log"
	wait_for 5 log_has 'main/a: down'
	shuttled_stop
	[ ! -e "$name" ] || fail 'a file was made'
}

some_addresses_of_a_name() {
	without_ipv6 || return 0
	shuttled_does -t -l both.test:0 -s builtin:echo
	grep -q 'listen on \[::1\]:0: .*does not have this address' \
	    "$T/try.out" || fail "-t says $(cat "$T/try.out")"
	conf 'address: "both.test:0",' 'address: "builtin:echo",'
	shuttled_start -c "$T/conf" -w 1
	assert_eq 'addresses' 1 "$(wc -l <"$T/ports")"
	assert_log 'warning: listen on \[::1\]:0'
	serves || fail 'it does not serve'
	reload
	serves || fail 'it does not serve after a reload'
	shuttled_stop
	shuttled_start -l twice.test:0 -s builtin:echo -w 1
	assert_eq 'addresses' 2 "$(wc -l <"$T/ports")"
	assert_not_log 'warning: listen'
	shuttled_stop
	for test in '' -t; do
		# shellcheck disable=SC2086 # perhaps nothing
		shuttled_fails 64 $test -l gone.test:0 -s builtin:echo
		grep -q 'none of the addresses of this name' "$T/try.out" ||
			fail "it says $(cat "$T/try.out")"
	done
}

an_address_that_comes_later() {
	conf 'address: "192.0.2.7:0", freebind: true,' \
	    'address: "builtin:echo",'
	shuttled_start -c "$T/conf" -w 1
	assert_not_log 'warning: listen'
	! serves || fail 'it has the address'
	ip address add 192.0.2.7/32 dev lo
	wait_for 5 serves
	ip address del 192.0.2.7/32 dev lo
	shuttled_stop
	conf 'address: "192.0.2.7:0",' 'address: "builtin:echo",'
	shuttled_fails 69 -c "$T/conf" -w 1
}

# A route makes a whole network local; IPv6 binds to it with freebind only.
a_source_of_a_local_network() {
	ip -6 route add local 2001:db8:5::/64 dev lo 2>/dev/null || return 0
	peer_start b "listen [::1]:0; port-file $T/b; serve any { echo }"
	for bind in true false; do
		conf 'address: "127.0.0.1:0",' "address: \"$(address b)\"," \
		    "source_address: \"2001:db8:5::9\", freebind: $bind,"
		shuttled_start -c "$T/conf" -w 1
		if [ $bind = true ]; then
			serves || fail 'it does not serve with freebind'
		else
			! serves || fail 'it serves without freebind'
		fi
		shuttled_stop
	done
}

# answers PORT: of listener 127.0.0.1:PORT, by the server at the same port.
answers() {
	peer "connect 127.0.0.1:$1; expect-text \"$1\n\"; expect-eof"
}

# Each listener of a range passes its own port on.
ports_are_passed_on() {
	for port in 8001 8002; do
		peer_start s$port "listen 127.0.0.2:$port; port-file $T/s$port
		    timeout 60000; serve any { send-text \"$port\n\" }"
		address s$port >/dev/null
	done
	for server in 127.0.0.2 server.test; do
		conf 'address: "127.0.0.1:8001-8003",' "address: $server,"
		shuttled_start -c "$T/conf" -w 2
		assert_eq 'listeners' 3 "$(wc -l <"$T/ports")"
		answers 8001
		answers 8002
		try_peer 'connect 127.0.0.1:8003; expect-end'
		assert_log 'listener=main servers_tried=main/a .*end=server.refused'
		shuttled_stop
	done
	shuttled_start -l 127.0.0.1:8001-8002 -s 127.0.0.2 -w 1
	answers 8002
	reload
	answers 8001
	assert_log 'servers_tried=127.0.0.2 '
	shuttled_stop
	# Checks need a port; that of sessions stays that of their client.
	conf 'address: "127.0.0.1:8001-8002",' \
	    'address: 127.0.0.2, check_port: 8001,' 'check: tcp,'
	shuttled_start -c "$T/conf" -w 1
	assert_log 'main/a: up'
	answers 8002
}

# refuses TEXT: -t refuses $T/conf, and says so.
refuses() {
	shuttled_try -t -c "$T/conf"
	assert_eq "status ($(cat "$T/try.out"))" 78 "$STATUS"
	grep -qF "$1" "$T/try.out" || fail "no '$1': $(cat "$T/try.out")"
}

# What comes before a client has no port of it, nor have some clients.
ports_that_nobody_has() {
	conf 'address: "127.0.0.1:8001",' 'address: 127.0.0.2,' 'check: tcp,'
	refuses 'conf:2:53: address "127.0.0.2": without a port it has that of each client, and checks have none: add a port, or check_port'
	conf 'address: "127.0.0.1:8001",' 'address: 127.0.0.2, preconnect: 1,'
	refuses 'address "127.0.0.2": without a port it has that of each client, and preconnected connections have no client yet: add a port'
	conf "address: ['127.0.0.1:8001', 'unix:/x']," 'address: 127.0.0.2,'
	refuses 'address "unix:/x": a unix socket has no port that server main/a, which has none, could have'
	conf 'address: ":8002-8001",' 'address: 127.0.0.2,'
	refuses 'address ":8002-8001": a range of ports is LOW-HIGH, from 1 to 65535'
	# It is the listener itself, whatever the port.
	conf 'address: "127.0.0.1:8001-8002",' 'address: 127.0.0.1,'
	shuttled_does -t -c "$T/conf"
	try_said 'this is the listener main, whose sessions come back'
	# As -T prints it, it means the same.
	conf 'address: [":8001-8002", "[::1]:9-10"],' 'address: "[2001:db8::1]",'
	shuttled_does -F -T -c "$T/conf"
	mv "$T/try.out" "$T/told"
	grep -q 'address: \[":8001-8002", "\[::1\]:9-10"\] ' "$T/told" ||
		fail "$(grep address: "$T/told")"
	shuttled_try -F -t -c "$T/told"
	assert_eq "status of what -T prints ($(cat "$T/try.out"))" 0 "$STATUS"
}

run_cases abstract_on_both_sides an_address_that_comes_later \
    a_source_of_a_local_network some_addresses_of_a_name \
    ports_are_passed_on ports_that_nobody_has
