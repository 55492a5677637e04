#!/bin/sh
# SPDX-License-Identifier: ISC
# Copyright (c) 2026 The shuttled authors
#
# resolve.sh: servers whose names are looked up again, with a name server of our
# own: what it answers becomes servers, what it fails to answer changes nothing,
# and no session notices any of it.
. "$(dirname "$0")/../lib.sh"

DNS=${DNS:-$TOOLS/dns}
RESOLVER=

# zone LINE...: what the name server says from now on.
zone() {
	printf '%s\n' "$@" >"$T/zone.new"
	mv "$T/zone.new" "$T/zone"
}

# dns_start [PORT]: its address in $RESOLVER.
dns_start() {
	rm -f "$T/dns.out"
	"$DNS" "$T/zone" ${1:+"$1"} >"$T/dns.out" 2>&1 </dev/null &
	DNS_PID=$!
	started="$started $!"
	wait_for 5 test -s "$T/dns.out"
	RESOLVER=$(head -n 1 "$T/dns.out")
}

dns_stop() {
	kill -TERM "$DNS_PID"
	wait_for 5 gone "$DNS_PID"
	wait "$DNS_PID" 2>/dev/null || :
	forget "$DNS_PID"
}

# asked N PATTERN, for wait_for: so many questions have come.
asked() {
	[ "$(grep -c -e "$2" "$T/dns.out")" -ge "$1" ]
}

# Three servers, told apart by their word, at one port of three addresses.
SERVERS=
servers() {
	[ -z "$SERVERS" ] || return 0
	PORT=0
	for server in a/127.0.0.1 b/127.0.0.2 c/127.0.0.3; do
		name=${server%/*}
		ip=${server#*/}
		peer_start "$name" "listen $ip:$PORT; port-file $T/$name; \
		    timeout 300000; serve any { send-text \"$name\n\" }"
		alive "$!" || skip "port $PORT of $ip is taken"
		PORT=$(address "$name")
		PORT=${PORT##*:}
	done
	SERVERS=yes
	case_peers=		# they stay
}

# conf RESOLVE ADDRESS [TOP [SERVER [POOL]]]: one pool of this one name.
conf() {
	cat >"$T/conf.new" <<-CONF
	{ workers: 2,
	resolvers: ["$RESOLVER"],
	resolve_timeout: "${TIMEOUT:-500ms}", resolve_retries: 1,
	${3:-resolve_min_ttl: \"50ms\", resolve_max_ttl: \"100ms\",}
	listen: { l: { address: "127.0.0.1:0" } },
	pool: { p: { ${5:-} server: { s: {
		address: "$2", resolve: "$1", ${4:-}
	} } } } }
	CONF
	mv "$T/conf.new" "$T/conf"
}

# start RESOLVE ADDRESS …: and wait until the name is known.
start() {
	conf "$@"
	shuttled_start -c "$T/conf"
	assert_log 'name .* is now p/s#1'
}

# spread N: how many of N clients each server greets: "a4 b4".
spread() {
	peer -p "$1" "connect $LISTEN; cat"
	sort "$T/peer.out" | uniq -c |
	    awk '{ printf "%s%s%s", sep, $2, $1; sep = " " } END { print "" }'
}

spread_is() {
	[ "$(spread "$1")" = "$2" ]
}

stop() {
	shuttled_stop
	dns_stop
}

# All addresses of both families; one that goes, and one that comes.
answers_become_servers() {
	servers
	zone 'x.test A 0 127.0.0.1' 'x.test A 0 127.0.0.2'
	dns_start
	start on "x.test:$PORT"
	assert_eq 'both in turn' 'a4 b4' "$(spread 8)"
	zone 'x.test A 0 127.0.0.2' 'x.test A 0 127.0.0.3'
	assert_log "name x.test: 127.0.0.3:$PORT is now p/s#3"
	assert_log "127.0.0.1:$PORT is no longer p/s#1"
	assert_eq 'after the change' 'b4 c4' "$(spread 8)"
	# Its first slot is free again, and its neighbour has kept its own.
	zone 'x.test A 0 127.0.0.1' 'x.test A 0 127.0.0.2' 'x.test AAAA 0 ::1'
	assert_log "127.0.0.1:$PORT is now p/s#1"
	assert_log "\[::1\]:$PORT is now p/s#"
	assert_eq 'b has moved' 0 "$(log_count '127.0.0.2.* is no longer')"
	stop
}

# A name without a port has that of the listener, too.
clients_bring_the_port() {
	servers
	zone 'x.test A 0 127.0.0.1' 'x.test A 0 127.0.0.2'
	dns_start
	conf on x.test
	sed "s/\"127.0.0.1:0\"/\"127.0.0.4:$PORT\"/" "$T/conf" >"$T/conf.new"
	mv "$T/conf.new" "$T/conf"
	shuttled_start -c "$T/conf"
	assert_eq 'both in turn' 'a4 b4' "$(spread 8)"
	zone 'x.test A 0 127.0.0.3'
	assert_log 'name x.test: 127.0.0.3:0 is now p/s#'
	assert_eq 'after the change' c4 "$(spread 4)"
	stop
}

# An answer that is none, of whatever sort, takes nobody away, and there is one
# line when it begins and one when it is over.
failures_change_nothing() {
	servers
	zone 'x.test A 0 127.0.0.1' 'x.test A 0 127.0.0.2'
	dns_start
	start on "x.test:$PORT"
	n=0
	for failure in 'servfail/the name server answers SERVFAIL' \
	    'refused/the name server answers REFUSED' \
	    'silent/no name server answers in time' garbage/; do
		n=$((n + 1))
		why=${failure#*/}
		failure=${failure%%/*}
		zone "$failure" 'x.test A 0 127.0.0.1'
		wait_for 5 log_reaches $n 'name x.test: A: .* servers are kept'
		assert_log "name x.test: A: ${why:-.*}: its servers are kept"
		assert_eq "$failure" 'a2 b2' "$(spread 4)"
		zone 'x.test A 0 127.0.0.1' 'x.test A 0 127.0.0.2'
		wait_for 5 log_reaches $n 'x.test: lookup works again: A$'
	done
	dns_stop
	wait_for 5 log_reaches $((n + 1)) 'x.test: A: .* servers are kept'
	assert_log 'name x.test: A: no name server [a-z ]*: its servers'
	assert_eq 'no name server' 'a2 b2' "$(spread 4)"
	zone 'x.test A 0 127.0.0.3'
	dns_start "${RESOLVER##*:}"
	assert_log '127.0.0.3:.* is now'
	assert_eq 'it is back' 'c4' "$(spread 4)"
	# More only if our name server has not been let run.
	wait_for 5 log_reaches $((n + 1)) 'x.test: lookup works again: A$'
	wait_for 5 as_many_ends
	stop
}

# as_many_ends, for wait_for: each failure that began is over.
as_many_ends() {
	[ "$(log_count 'servers are kept')" -eq \
	    "$(log_count 'lookup works again')" ]
}

# One family that nobody answers for holds up nothing of the other.
one_family_fails() {
	servers
	zone 'x.test A 0 127.0.0.1' 'x.test AAAA 0 ::1'
	dns_start
	start on "x.test:$PORT"
	assert_log '::1.* is now'
	zone 'x.test A 0 127.0.0.2' 'failing AAAA'
	assert_log '127.0.0.1:.* is no longer'
	assert_not_log '::1.* is no longer'
	stop
}

# What one question says is used at once, and for as long as its own TTL says,
# while the other finds nothing but silence.
one_question_is_silent() {
	servers
	zone 'x.test A 1 127.0.0.1' 'mute AAAA'
	dns_start
	began=$(now_ms)
	TIMEOUT=5s
	conf on "x.test:$PORT" 'resolve_max_ttl: "1h",'
	TIMEOUT=
	shuttled_start -c "$T/conf"
	peer "connect $LISTEN; expect-text \"a\n\"; expect-eof"
	slow || assert_between 'from the start to an answer, ms' 0 1500 \
	    $(($(now_ms) - began))
	zone 'x.test A 1 127.0.0.2' 'mute AAAA'
	assert_between 'asked again after, ms' 1500 9000 \
	    "$(third_after 'x.test 1 ')"
	assert_log '127.0.0.2:.* is now p/s#'
	assert_eq 'its next answer' b2 "$(spread 2)"
	assert_not_log 'AAAA: .*are kept'
	stop
}

# A target that cannot be looked up costs that target: others come and go.
one_target_fails() {
	servers
	for failure in failing mute; do
		zone "_s._tcp.test SRV 0 10 10 $PORT a.test" \
		    "_s._tcp.test SRV 0 10 10 $PORT bad.test" \
		    'a.test A 0 127.0.0.1' 'b.test A 0 127.0.0.2' \
		    "$failure A bad.test" "$failure AAAA bad.test"
		dns_start
		conf srv _s._tcp.test
		shuttled_start -c "$T/conf"
		assert_log '127.0.0.1:.* is now p/s#1'
		assert_log '_s._tcp.test: bad.test: A: .*'
		assert_eq "$failure: the other target" a2 "$(spread 2)"
		zone "_s._tcp.test SRV 0 10 10 $PORT b.test" \
		    "_s._tcp.test SRV 0 10 10 $PORT bad.test" \
		    'b.test A 0 127.0.0.2' \
		    "$failure A bad.test" "$failure AAAA bad.test"
		assert_log '127.0.0.2:.* is now p/s#'
		assert_log '127.0.0.1:.* is no longer p/s#1'
		assert_eq "$failure: what came for it" b2 "$(spread 2)"
		stop
	done
}

# What a target had that cannot be looked up any more stays, also beyond a
# prober.
failing_target_keeps_its_servers() {
	servers
	zone "_s._tcp.test SRV 0 10 10 $PORT a.test" \
	    "_s._tcp.test SRV 0 10 10 $PORT b.test" \
	    'a.test A 0 127.0.0.1' 'b.test A 0 127.0.0.2'
	dns_start
	start srv _s._tcp.test
	assert_log '127.0.0.2:.* is now p/s#'
	zone "_s._tcp.test SRV 0 10 10 $PORT a.test" \
	    "_s._tcp.test SRV 0 10 10 $PORT b.test" 'a.test A 0 127.0.0.1' \
	    'failing A b.test' 'failing AAAA b.test'
	assert_log 'b.test: A: .* are kept'
	DEATHS=wanted
	kill -KILL "$(prober)"
	wait_for 5 log_reaches 2 'prober.*: ready'
	wait_for 5 log_reaches 2 'b.test: A: .* are kept'
	assert_eq 'both' 'a2 b2' "$(spread 4)"
	assert_not_log 'is no longer'
	zone "_s._tcp.test SRV 0 10 10 $PORT a.test" 'a.test A 0 127.0.0.1'
	assert_log '127.0.0.2:.* is no longer p/s#'
	stop
	DEATHS=
}

# An alias whose target is for another question to say, and one that is endless.
aliases_are_followed() {
	servers
	zone 'x.test CNAME 0 y.test' 'y.test CNAME 0 z.test' \
	    'z.test A 0 127.0.0.1'
	dns_start
	start on "x.test:$PORT"
	assert_eq 'behind two aliases' a2 "$(spread 2)"
	zone 'x.test CNAME 0 y.test' 'y.test CNAME 0 x.test'
	assert_log 'x.test: A: the chain of aliases is too long: its servers'
	assert_eq 'endless' a2 "$(spread 2)"
	stop
}

# "This host" is no server, whatever the family.
nowhere_is_no_server() {
	servers
	zone 'x.test A 0 0.0.0.0' 'x.test AAAA 0 ::' 'x.test A 0 127.0.0.2'
	dns_start
	start on "x.test:$PORT"
	assert_eq 'the other address' b2 "$(spread 2)"
	zone 'x.test A 0 0.0.0.0'
	assert_log 'it resolves to 0.0.0.0 or ::: its servers are kept'
	stop
	assert_not_log ' 0.0.0.0:.* is now\|\[::\].* is now'
}

# A name that is gone and held for no time: nothing else is claimed.
gone_names_are_not_held() {
	servers
	zone 'x.test A 0 127.0.0.1'
	dns_start
	start on "x.test:$PORT" 'resolve_hold: "off",
	    resolve_min_ttl: "50ms", resolve_max_ttl: "100ms",'
	zone nxdomain
	assert_log 'x.test: it has no address: its servers are removed'
	assert_log '127.0.0.1:.* is no longer p/s#1'
	stop
	assert_not_log 'servers are kept'
}

# While no name server answers, another port is no reason to lose the addresses.
port_changes_without_answers() {
	servers
	zone 'x.test A 0 127.0.0.1'
	dns_start
	start on "x.test:1"
	zone silent
	assert_log 'x.test: A: .* are kept'
	conf on "x.test:$PORT"
	reload
	assert_eq 'at the other port' a2 "$(spread 2)"
	stop
}

# Sessions with the server that a name had before are none of the next one's.
sessions_of_another_address() {
	servers
	peer_start old "listen 127.0.0.9:$PORT; timeout 60000; \
	    serve any { send-text \"old\n\"; expect-eof }"
	zone 'x.test A 0 127.0.0.9'
	dns_start
	start on "x.test:$PORT" '' 'resolve_max: 1, max_sessions: 1,' \
	    'queue_timeout: "3s",'
	peer_start kept "connect $LISTEN; expect-text \"old\n\"; \
	    touch $T/has; wait-file $T/go"
	wait_for 5 test -e "$T/has"
	zone 'x.test A 0 127.0.0.1'
	assert_log '127.0.0.1:.* is now p/s#2'
	assert_eq 'the next address' a1 "$(spread 1)"
	zone 'x.test A 0 127.0.0.2'
	assert_log '127.0.0.2:.* is now p/s#'
	assert_eq 'and the one after' b1 "$(spread 1)"
	# Back at the first one its session counts: the next waits in vain.
	zone 'x.test A 0 127.0.0.9'
	wait_for 5 log_reaches 2 '127.0.0.9:.* is now p/s#1'
	peer "connect $LISTEN; expect-eof"
	assert_log 'end=proxy.queue_timeout'
	: >"$T/go"
	peer_wait kept
	stop
}

# The backup's address is known at once, the name of the primary is not.
backup_waits_for_the_name() {
	servers
	zone 'mute A' 'mute AAAA'
	dns_start
	TIMEOUT=1s
	conf on "x.test:$PORT"
	TIMEOUT=
	backup="b: { address: \"127.0.0.2:$PORT\", backup: true },"
	sed "s/server: { s:/server: { $backup s:/" "$T/conf" >"$T/conf.new"
	mv "$T/conf.new" "$T/conf"
	shuttled_start -c "$T/conf"
	wait_for 5 asked 1 'x.test 1 '
	peer_start early "connect $LISTEN; expect-text \"a\n\"; expect-eof"
	zone 'x.test A 0 127.0.0.1'
	peer_wait early
	stop
	# One that cannot be looked up does not keep the backup away.
	zone 'failing A' 'failing AAAA'
	dns_start
	sed "s/resolvers: .*/resolvers: [\"$RESOLVER\"],/" "$T/conf" \
	    >"$T/conf.new"
	mv "$T/conf.new" "$T/conf"
	shuttled_start -c "$T/conf"
	peer "connect $LISTEN; expect-text \"b\n\"; expect-eof"
	stop
}

# A name that the system cannot look up does not keep the others from starting; once
# it is known it is not asked for again.
static_name_comes_later() {
	servers
	zone 'failing A x.test' 'failing AAAA x.test' 'y.test A 0 127.0.0.2'
	dns_start
	conf on "y.test:$PORT"
	sed "s/server: { s:/server: { x: { address: \"x.test:$PORT\" }, s:/" \
	    "$T/conf" >"$T/conf.new"
	mv "$T/conf.new" "$T/conf"
	RES_OPTIONS='timeout:1 attempts:1'
	export RES_OPTIONS
	assert_eq 'status of -t' 0 "$("$SHUTTLED" -t -c "$T/conf" \
	    >"$T/t.out" 2>&1; echo $?)"
	grep -q 'conf:[0-9]*:[0-9]*: address "x.test:.*until a lookup' \
	    "$T/t.out" || fail 'no warning of it'
	shuttled_start -c "$T/conf"
	assert_log 'address "x.test:.*until a lookup succeeds'
	assert_log '127.0.0.2:.* is now p/s#1'
	assert_eq 'without it' b2 "$(spread 2)"
	zone 'x.test A 0 127.0.0.1' 'y.test A 0 127.0.0.2'
	assert_log "name x.test: 127.0.0.1:$PORT is now p/x\$"
	assert_eq 'with it' 'a2 b2' "$(spread 4)"
	# The other question about it may be under way.
	wait_for 5 asked $(($(grep -c 'y.test 1 ' "$T/dns.out") + 5)) 'y.test 1 '
	questions=$(grep -c 'x.test' "$T/dns.out")
	wait_for 5 asked $(($(grep -c 'y.test 1 ' "$T/dns.out") + 5)) 'y.test 1 '
	assert_eq questions "$questions" "$(grep -c 'x.test' "$T/dns.out")"
	zone silent
	reload
	assert_eq 'after a reload without answers' 'a2 b2' "$(spread 4)"
	unset RES_OPTIONS
	stop
}

# Those that there is no source for are as if they were not there.
one_family_has_a_source() {
	servers
	zone 'x.test A 0 127.0.0.1' 'x.test AAAA 0 ::1'
	dns_start
	start on "x.test:$PORT" '' 'source_address: "127.0.0.9",'
	assert_eq 'one server' a4 "$(spread 4)"
	assert_not_log '::1.* is now'
	assert_not_log 'connect:'
	stop
}

# A name that is gone keeps its servers for resolve_hold.
gone_names_are_held() {
	servers
	zone 'x.test A 0 127.0.0.1'
	dns_start
	start on "x.test:$PORT" 'resolve_hold: "700ms",
	    resolve_min_ttl: "50ms", resolve_max_ttl: "100ms",'
	zone nxdomain
	assert_log 'it has no address: its servers are kept for 0.7 s'
	began=$(log_time 'it has no address')
	assert_log '127.0.0.1:.* is no longer p/s#1'
	assert_between 'held for, ms' 690 5000 \
	    $(($(log_time 'is no longer') - began))
	peer "connect $LISTEN; expect-eof"
	wait_for 5 log_has 'end=proxy.no_server'
	zone 'x.test A 0 127.0.0.2'
	wait_for 5 log_has '127.0.0.2:.* is now p/s#'
	assert_eq 'back' b1 "$(spread 1)"
	stop
}

# Ports and weights from the answer; a higher number is a backup.
services() {
	servers
	zone "_s._tcp.test SRV 0 10 20 $PORT a.test" \
	    "_s._tcp.test SRV 0 10 10 $PORT b.test" \
	    "_s._tcp.test SRV 0 20 10 $PORT c.test" \
	    'a.test A 0 127.0.0.1' 'b.test A 0 127.0.0.2' \
	    'c.test A 0 127.0.0.3'
	dns_start
	start srv _s._tcp.test
	assert_eq 'by weight' 'a20 b10' "$(spread 30)"
	zone "_s._tcp.test SRV 0 10 10 $PORT a.test" \
	    "_s._tcp.test SRV 0 10 10 $PORT b.test" \
	    'a.test A 0 127.0.0.1' 'b.test A 0 127.0.0.2'
	assert_log '127.0.0.1:.* has another weight .* as p/s#'
	assert_eq 'other weights' 'a5 b5' "$(spread 10)"
	zone "_s._tcp.test SRV 0 10 10 1 a.test" \
	    "_s._tcp.test SRV 0 20 10 $PORT c.test" \
	    'a.test A 0 127.0.0.1' 'c.test A 0 127.0.0.3'
	assert_log '127.0.0.3:.* is now p/s#'
	assert_log '127.0.0.1:1 is now p/s#'
	# Nobody listens at port 1: then the backup does it.
	assert_eq 'the backup' c4 "$(spread 4)"
	stop
}

# One machine that two targets are has the better priority of both.
two_targets_in_one() {
	servers
	zone "_s._tcp.test SRV 0 30 20 $PORT a.test" \
	    "_s._tcp.test SRV 0 20 10 $PORT b.test" \
	    "_s._tcp.test SRV 0 10 10 $PORT c.test" \
	    'a.test A 0 127.0.0.1' 'b.test A 0 127.0.0.2' \
	    'c.test A 0 127.0.0.1'
	dns_start
	start srv _s._tcp.test
	assert_eq 'the lowest priority' 'a4' "$(spread 4)"
	stop
}

# So many that they come by TCP, more than slots, and those that are there stay.
many_answers() {
	servers
	set --
	for i in $(seq 4 120); do
		set -- "$@" "x.test A 0 127.0.1.$i"
	done
	zone 'x.test A 0 127.0.0.1' 'x.test A 0 127.0.0.2'
	dns_start
	start on "x.test:$PORT" '' 'resolve_max: 2,'
	assert_eq 'two of two' 'a2 b2' "$(spread 4)"
	questions=$(grep -c . "$T/dns.out")
	zone truncate "$@" 'x.test A 0 127.0.0.2' 'x.test A 0 127.0.0.1'
	wait_for 5 asked 1 'x.test 1 tcp'
	wait_for 5 asked $((questions + 12)) .
	assert_eq 'they stayed' 'a2 b2' "$(spread 4)"
	zone truncate "$@" 'x.test A 0 127.0.0.2'
	assert_log '127.0.1.4:.* is now p/s#'
	assert_log 'it has more servers than resolve_max, 2$'
	stop
}

# event STATE ADDRESS CAUSE: a server that a name gains or loses, all in fields.
event() {
	wait_for 10 log_has "\"event\":\"address\",\"pool\":\"p\",\
\"server\":\"s#[0-9]*\",\"address\":\"$2\",\"state\":\"$1\",\
\"name\":\"x.test\",\"cause\":\"$3\",\"message\":\"name x.test: $2 .*\"}\$"
}

changes_in_json() {
	servers
	zone 'x.test A 0 127.0.0.1'
	dns_start
	start on "x.test:$PORT" 'log_format: "json", resolve_hold: "off",
	    resolve_min_ttl: "50ms", resolve_max_ttl: "100ms",'
	event added "127.0.0.1:$PORT" 'an answer'
	zone 'x.test A 0 127.0.0.2'
	event added "127.0.0.2:$PORT" 'an answer'
	event removed "127.0.0.1:$PORT" 'an answer'
	zone nxdomain
	event removed "127.0.0.2:$PORT" 'the name has no address'
	assert_log '"event":"name","pool":"p","name":"x.test","state":"gone",'
	stop
}

# third_after QUESTION: ms between the first and the third time that it was
# asked, as the name server has them.
third_after() {
	wait_for 10 asked 3 "$1"
	grep -e "$1" "$T/dns.out" |
	    awk 'NR == 1 { first = $4 } NR == 3 { print $4 - first }'
}

ttl_within_bounds() {
	servers
	zone 'x.test A 1 127.0.0.1' 'x.test AAAA 900 ::1'
	dns_start
	start on "x.test:$PORT" 'resolve_max_ttl: "1h",'
	assert_between 'the smallest of the answers' 1500 9000 \
	    "$(third_after 'x.test 1 ')"
	stop
	zone 'x.test A 900 127.0.0.1'
	dns_start
	start on "x.test:$PORT" 'resolve_max_ttl: "300ms",'
	assert_between 'the most' 400 5000 "$(third_after 'x.test 1 ')"
	stop
	zone 'x.test A 0 127.0.0.1'
	dns_start
	start on "x.test:$PORT" 'resolve_min_ttl: "500ms",'
	assert_between 'the least' 800 5000 "$(third_after 'x.test 1 ')"
	stop
}

# Under load: sessions that last stay with their server, byte for byte, and new
# ones go to another.
changes_under_load() {
	echo_start
	port=${SERVER##*:}
	echo_at echo2 "127.0.0.2:$port"
	zone 'x.test A 0 127.0.0.1'
	dns_start
	start on "x.test:$port"
	load_keep x 20 -c 4 -b 3000 -p 5
	for ip in 127.0.0.2 127.0.0.1 127.0.0.2; do
		changes=$(log_count 'name x.test: .* is now')
		zone "x.test A 0 $ip"
		wait_for 5 log_reaches $((changes + 1)) 'x.test: .* is now'
		slot=$(sed -n 's/.* is now \(p\/s#[0-9]*\).*/\1/p' "$T/log" |
		    tail -n 1)
		served=$(log_count "session end.* servers_tried=$slot ")
		wait_for 5 log_reaches $((served + 20)) \
		    "session end.* servers_tried=$slot "
	done
	load_end_ok x 20
	stop
	assert_not_log 'end=server\|end=proxy'
}

# What is known stands on the board: neither a death nor a reload loses it, also
# while no name server answers.
known_to_those_who_come() {
	servers
	zone 'x.test A 0 127.0.0.1' 'x.test A 0 127.0.0.2'
	dns_start
	start on "x.test:$PORT"
	zone silent
	assert_log 'servers are kept'
	DEATHS=wanted
	kill -KILL "$(prober)"
	wait_for 5 log_reaches 2 'prober.*: ready'
	assert_eq 'after its death' 'a2 b2' "$(spread 4)"
	signal HUP
	wait_for 10 log_has 'reloaded: generation'
	assert_eq 'after the reload' 'a2 b2' "$(spread 4)"
	wait_for 5 log_reaches 3 'prober.*: ready'
	zone 'x.test A 0 127.0.0.3'
	assert_log '127.0.0.3:.* is now'
	assert_eq 'and then' c4 "$(spread 4)"
	stop
	DEATHS=
}

# Neither the start nor a reload waits for a name server.
start_does_not_wait() {
	servers
	zone silent
	dns_start
	conf on "x.test:$PORT" 'resolve_min_ttl: "50ms",'
	began=$(now_ms)
	shuttled_start -c "$T/conf"
	signal HUP
	wait_for 10 log_has 'reloaded: generation'
	slow || assert_between 'start and reload, ms' 0 2000 \
	    $(($(now_ms) - began))
	# Who comes before anything is known waits for it.
	peer_start early "connect $LISTEN; expect-text \"a\n\"; expect-eof"
	zone 'x.test A 0 127.0.0.1'
	assert_log 'is now p/s#1'
	peer_wait early
	stop
}

one_process_looks_once() {
	servers
	RESOLVER=127.0.0.1:9
	conf on "localhost:$PORT"
	shuttled_start -c "$T/conf" -w 0
	assert_log 'names are looked up only once'
	shuttled_stop
	conf srv _s._tcp.test
	shuttled_fails 78 -c "$T/conf" -w 0
}

if ! "$SHUTTLED" -t -l :0 -s x.test:80,resolve=on >/dev/null 2>&1; then
	skip 'built without c-ares'
fi
# Found is not yet up: each is checked where it is, by whom the name gives now.
are_checked() {
	servers
	zone 'x.test A 0 127.0.0.1' 'x.test A 0 127.0.0.9'
	dns_start
	start on "x.test:$PORT" '' 'resolve_max: 2,' \
	    'check: "tcp", interval: "2s",'
	assert_log 'p/s#[12]: up: connected'
	assert_log 'p/s#[12]: down: connect: .*; [01] of 2 servers of pool p'
	assert_eq 'one is down' 'a6' "$(spread 6)"
	assert_eq 'sessions that had to try again' 0 \
	    "$(log_count 'session end.*retries=[1-9]')"
	ups=$(log_count 'p/s#[12]: up')
	zone 'x.test A 0 127.0.0.1' 'x.test A 0 127.0.0.2'
	# The slot has another server: at once, and not by the one before it.
	wait_for 5 log_reaches $((ups + 1)) 'p/s#[12]: up: .*(first check)'
	assert_eq 'both' 'a3 b3' "$(spread 6)"
	stop
}

# How long there is nothing the zone says, by TTL or minimum, within the bounds.
nothing_is_kept_as_the_zone_says() {
	servers
	for soa in '1 30' '30 1'; do
		zone 'x.test A 0 127.0.0.2' "test SOA $soa"
		dns_start
		start on "x.test:$PORT" 'resolve_min_ttl: "20ms",'
		# It is asked for both families; there is no AAAA.
		wait_for 10 asked 3 'x.test 28'
		asked_at=$(sed -n 's/^x.test 28 udp //p' "$T/dns.out" | head -n 3)
		# shellcheck disable=SC2086 # three of them
		set -- $asked_at
		if [ $(($2 - $1)) -lt 950 ] || [ $(($3 - $2)) -lt 950 ]; then
			fail "SOA $soa: asked after $(($2 - $1)), then" \
			    "$(($3 - $2)) ms"
		fi
		stop
	done
	# Not even by the longest of all it is believed for longer than that.
	zone 'x.test A 0 127.0.0.2' 'test SOA 86400 86400'
	dns_start
	start on "x.test:$PORT"
	wait_for 5 asked 4 'x.test 28'
	stop
}

# One whose first check has not ended counts as what the file says.
begin_as_told() {
	servers
	zone 'x.test A 0 127.0.0.2'
	dns_start
	start on "x.test:$PORT" '' '' 'check: "send_expect", interval: "20s",
	    check_expect: "never", init_state: "up", queue_timeout: "500ms",'
	assert_eq 'before the first check has ended' b1 "$(spread 1)"
	stop
}

run_cases are_checked begin_as_told answers_become_servers \
    failures_change_nothing one_family_fails one_question_is_silent \
    one_target_fails failing_target_keeps_its_servers aliases_are_followed \
    nowhere_is_no_server gone_names_are_not_held \
    port_changes_without_answers sessions_of_another_address \
    backup_waits_for_the_name static_name_comes_later one_family_has_a_source \
    gone_names_are_held services two_targets_in_one many_answers changes_in_json \
    ttl_within_bounds changes_under_load known_to_those_who_come \
    nothing_is_kept_as_the_zone_says clients_bring_the_port \
    start_does_not_wait one_process_looks_once
