#!/bin/sh
# SPDX-License-Identifier: ISC
# Copyright (c) 2026 The shuttled authors
#
# proxy.sh: headers of the PROXY protocol with four workers: from whom they are
# taken, in which pieces, what becomes of bad ones, who is the client then; and
# what servers are sent.
# shellcheck source-path=SCRIPTDIR disable=SC1091
. "$(dirname "$0")/../lib.sh"

workers=4
v1='PROXY TCP4 203.0.113.7 192.0.2.1 4567 80\r\n'
v1_ipv6='PROXY TCP6 2001:db8::7 2001:db8::1 4567 80\r\n'
signature=0d0a0d0a000d0a515549540a
v2=${signature}2111000ccb007107c000020111d70050
v2_ipv6=${signature}2121002420010db800000000000000000000000720010db8\
00000000000000000000000111d70050

# front LISTEN POOL SERVER...: four workers with these directives. A server is
# NAME or NAME=DIRECTIVES, and its address in $T/NAME.
front() {
	listen=$1
	pool=$2
	shift 2
	servers=
	for server; do
		name=${server%%=*}
		more=${server#"$name"}
		servers="$servers $name: { address: \"$(address "$name")\", \
		    ${more#=} },"
	done
	rm -f "$T/second"
	say "{ listen: { f: { address: [ \"127.0.0.1:0\", \"$second\", \
	    \"unix:$T/sock\" ], $listen } },
	    pool: { p: { $pool server: { $servers } } } }" >"$T/proxy.yaml"
	shuttled_start -c "$T/proxy.yaml" -w "$workers"
}

trusting() {
	front 'accept_proxy: [ "127.0.0.0/8", "::1", "unix:" ],' '' a
}

# Where there is no IPv6, another unix socket.
second='[::1]:0'
have_ipv6 || second=unix:$T/second

# client N WHO: of the N-th session, the last.
client() {
	wait_for 5 log_reaches "$1" 'session end'
	assert_eq 'the client' "$2" "$(sed -n \
	    's/.*session end id=[-0-9a-f]* client=\([^ ]*\) .*/\1/p' "$T/log" | tail -n 1)"
}

# Three kinds of listeners, both versions and families: the server sees what
# comes behind the header, and the log who was in it.
who_it_is() {
	peer_serve a 'echo'
	trusting
	n=0
	for to in "$LISTEN" "$(listener 2)" "unix:$T/sock"; do
		for header in "send-text \"$v1\"" "send-text \"$v1_ipv6\"" \
		    "send-hex $v2" "send-hex $v2_ipv6"; do
			peer "connect $to; $header; exchange 5000 5000 \
			    seed 1 seed 1; half-close; expect-eof"
			n=$((n + 1))
			case $header in
			*2001:db8* | *20010db8*) client $n '[2001:db8::7]:4567' ;;
			*) client $n '203.0.113.7:4567' ;;
			esac
			assert_eq up 5000 "$(session_field bytes_up)"
		done
	done
	peer "connect $LISTEN 127.0.0.9:0; send-text \"PROXY UNKNOWN\\r\\n\"; \
	    exchange 5 5 seed 1 seed 1; half-close; expect-eof"
	peer "connect $LISTEN 127.0.0.9:0; send-hex ${signature}20000000; \
	    exchange 5 5 seed 1 seed 1; half-close; expect-eof"
	wait_for 5 log_reaches 2 'session end id=[-0-9a-f]* client=127.0.0.9:'
}

# cut TEXT N: a script that sends it in two pieces.
cut_text() {
	say "send-text \"$(printf %s "$1" | cut -c "1-$2")\"; pause 2; \
	    send-text \"$(printf %s "$1" | cut -c "$(($2 + 1))-")\\r\\n\""
}

# Wherever it is cut: all sessions are well, and none has another client.
cut_at_every_byte() {
	peer_serve a 'echo'
	trusting
	text=${v1%%\\r*}
	script=
	sent=0
	tail="exchange 9 9 seed 1 seed 1; half-close; expect-eof; close;"
	for n in $(seq $((${#text}))); do
		script="$script connect $LISTEN; $(cut_text "$text" "$n"); $tail"
		sent=$((sent + 1))
	done
	script="$script connect $LISTEN; send-text \"$text\\r\"; pause 2; \
	    send-text \"\\n\"; $tail"
	peer "$script"
	script=
	for n in $(seq 2 2 $((${#v2} - 2))); do
		script="$script connect $LISTEN; \
		    send-hex $(printf %s $v2 | cut -c "1-$n"); pause 2; \
		    send-hex $(printf %s $v2 | cut -c "$((n + 1))-"); $tail"
		sent=$((sent + 1))
	done
	peer "$script"
	sent=$((sent + 1))
	wait_for 5 log_reaches "$sent" 'session end'
	assert_eq 'sessions of the client in the header' "$sent" \
	    "$(log_count 'client=203.0.113.7:4567 .* bytes_up=9 bytes_down=9 .* end=client.close')"
}

# bad TEXT SCRIPT: the client is rejected, the log says this, and the server
# hears of nothing.
bad() {
	peer "connect $LISTEN; $2; expect-eof"
	bad=$((bad + 1))
	wait_for 5 log_reaches $bad "servers_tried=- bytes_up=0 bytes_down=0 .* end=client.bad_header"
	assert_log "listener f: PROXY header of 127.0.0.1:[0-9]*: $1"
}

bad_headers() {
	peer_serve a 'send-text never'
	trusting
	bad=0
	bad 'not a PROXY header of version 1 or 2; it begins "GET / HTTP/1.1\\r\\n"' \
	    'send-text "GET / HTTP/1.1\r\n"'
	bad 'version 1: invalid source address' \
	    'send-text "PROXY TCP4 1.2.3.400 5.6.7.8 1 2\r\n"'
	bad 'version 1: no CRLF within 107 bytes' \
	    "send-text \"PROXY UNKNOWN $(printf %0100d 0)\""
	bad 'version 2: longer than 4096 bytes' "send-hex ${signature}2111ffff"
	bad 'version 2: a TLV is longer' \
	    "send-hex ${signature}2111000f0102030405060708000900100500ff"
	bad 'version 2: the checksum is wrong' \
	    "send-hex ${signature}2111001301020304050607080009001003000400000000"
	bad 'incomplete; it begins "PROXY TC"' \
	    'send-text "PROXY TC"; half-close'
	bad 'incomplete' "send-hex ${signature}; half-close"
	# However many there are, the log has some of them.
	script=
	for n in $(seq 40); do
		script="$script connect $LISTEN; send-text x; expect-eof; close;"
	done
	peer "$script"
	wait_for 5 log_reaches $((bad + 40)) 'end=client.bad_header'
	shuttled_stop
	assert_not_log 'p/a'
}

# Nobody has said who may send one but these.
not_trusted() {
	peer_serve a 'echo'
	front 'accept_proxy: [ "192.0.2.0/24", "::1" ],' '' a
	peer "connect $LISTEN; expect-eof"
	assert_log 'servers_tried=- bytes_up=0 bytes_down=0 .* end=proxy.not_trusted'
	assert_log 'PROXY header of 127.0.0.1:[0-9]*: the peer is not in accept_proxy'
	case $second in
	*::1*)
		peer "connect $(listener 2); send-text \"$v1\"; \
		    exchange 9 9 seed 1 seed 1; half-close; expect-eof"
		client 2 '203.0.113.7:4567'
		;;
	esac
	shuttled_stop
	front 'accept_proxy: "192.0.2.0/24", accept_proxy_untrusted: "plain",' '' a
	peer "connect $LISTEN 127.0.0.9:0; send-text \"$v1\"; \
	    expect-text \"$v1\"; half-close; expect-eof"
	assert_log 'client=127.0.0.9:.* end=client.close'
	shuttled_stop
	# Access lists go by the client in it, not by who has sent it.
	front 'accept_proxy: "all", deny: [ "127.0.0.0/8", "203.0.113.0/24" ],' \
	    '' a
	peer "connect $LISTEN; send-text \"$v1\"; expect-eof"
	assert_log 'client=203.0.113.7:4567 .* end=proxy.denied'
	peer "connect $LISTEN; send-text \"$v1_ipv6\"; exchange 9 9 seed 1 \
	    seed 1; half-close; expect-eof"
	client 2 '[2001:db8::7]:4567'
}

too_late() {
	peer_serve a 'send-text never'
	front 'accept_proxy: "all", proxy_header_timeout: "1s",' '' a
	peer "parallel 8 { connect $LISTEN; expect-eof }"
	peer "connect $LISTEN; send-text PROXY; expect-eof"
	wait_for 5 log_reaches 9 \
	    'servers_tried=- bytes_up=0 bytes_down=0 .* end=proxy.header_timeout'
	assert_log 'timed out; it begins "PROXY"'
	shuttled_stop
	assert_not_log 'p/a'
}

# All connections come from one machine; its clients have their own servers.
by_the_client_in_it() {
	peer_serve a 'echo'
	peer_serve b 'echo'
	peer_serve c 'echo'
	front 'accept_proxy: "all",' 'balance: "client",' a b c
	for _ in 1 2 3; do
		script=
		for n in $(seq 20); do
			script="$script connect $LISTEN; send-text \"PROXY \
TCP4 198.51.100.$n 192.0.2.1 $((n * 100)) 80\\r\\n\"; \
			    exchange 9 9 seed 1 seed 1; half-close; \
			    expect-eof; close;"
		done
		peer "$script"
	done
	wait_for 5 log_reaches 60 'session end'
	sed -n 's/.*session end id=[-0-9a-f]* client=\([^:]*\):.* servers_tried=\([^ ]*\) .*/\1 \2/p' \
	    "$T/log" | sort -u >"$T/pairs"
	assert_eq 'clients and their servers' 20 "$(wc -l <"$T/pairs")"
	assert_eq 'servers that have clients' 3 \
	    "$(cut -d ' ' -f 2 "$T/pairs" | sort -u | wc -l)"
}

# talk N: so many clients that wait for the server to speak.
talk() {
	peer "parallel $1 { connect $LISTEN; expect-text \"220\\n\"; \
	    half-close; expect-eof }"
	wait_for 5 log_reaches "$1" 'bytes_up=0 bytes_down=4 .* end=client.close'
	shuttled_stop
}

# The server speaks first, and only to whom has said who the client is.
banner() {
	peer_serve a 'expect-text "PROXY TCP4 127.0.0.1 127.0.0.1 "
	    send-text "220\n"; cat'
	peer_serve b 'expect-text "\r\n\r\n"; send-text "220\n"; cat'
	front '' 'send_proxy: "v1",' a
	talk 8
	front '' 'send_proxy: "v1", fast_open: true,' a
	talk 8
	front '' 'send_proxy: "v1",' 'b=send_proxy: "v2",'
	talk 8
	peer_stop a b
	# On connections that stood before; some of them nobody used, and so they
	# are closed with the greeting unread.
	peer_serve c 'send-text "220\n"; cat'
	front '' 'send_proxy: "v1",' 'c=preconnect: 2,'
	talk 12
	peer_end c
	assert_eq 'headers' 12 \
	    "$(grep -c '^PROXY TCP4 127.0.0.1 127.0.0.1 [0-9]* [0-9]*.$' "$T/c.out")"
}

# What came in goes out: over another shuttled, in version 2, with its TLVs; and
# the first server does not even answer.
passed_on() {
	peer_serve a "expect-text \"$v1\"; echo"
	peer_refusing r
	front 'accept_proxy: "all",' 'send_proxy: "v1", balance: "first",' r a
	far=$LISTEN far_pid=$PID
	rm -f "$T/near"
	say "{ listen: { f: { address: [ \"127.0.0.1:0\", \"unix:$T/near\" ],
	    accept_proxy: \"all\" } },
	    pool: { p: { send_proxy: \"v2\", send_proxy_tlvs: [ \"unique_id\",
	    \"crc32c\" ], server: { s: { address: \"$far\" } } } } }" \
	    >"$T/near.yaml"
	shuttled_start -c "$T/near.yaml" -w "$workers" --log-format \
	    'session end id=%{unique_id} end=%{end}'
	for _ in 1 2 3 4 5 6 7 8; do
		peer "connect $LISTEN; send-text \"$v1\"; exchange 5000 5000 \
		    seed 1 seed 1; half-close; expect-eof"
	done
	wait_for 5 log_reaches 8 'session end id=.* end=client.close'
	assert_eq 'ids' 8 "$(sed -n 's/.* id=\([^ ]*\) .*/\1/p' "$T/log" |
	    sort -u | wc -l)"
	shuttled_stop
	PID=$far_pid
	kill -s QUIT "$PID"
	wait_for 10 gone "$PID"
	wait "$PID" || fail "the far one ended with $?"
	forget "$PID"
	PID=
}

# Who is told an id logs the one that it was told beside its own.
ids_are_logged() {
	say "{ listen: { near: { address: \"127.0.0.1:0\", pool: \"p\" },
	    far: { address: \"unix:$T/s\", pool: \"h\",
	    accept_proxy: \"unix:\" } },
	    pool: { p: { send_proxy: \"v2\", send_proxy_tlvs: \"unique_id\",
	    server: { s: { address: \"unix:$T/s\" } } },
	    h: { server: { s: { address: \"builtin:hello\" } } } } }" \
	    >"$T/near.yaml"
	shuttled_start -c "$T/near.yaml" -w "$workers" --log-format \
	    '%{event} %{listener} %{unique_id} %{pp_unique_id}' -v
	for _ in 1 2 3; do
		peer "connect $LISTEN; half-close; expect-text \"Hello\"; cat"
	done
	wait_for 5 log_reaches 3 '^end near '
	wait_for 5 log_reaches 3 '^end far '
	sed -n 's/^end near \([^ ]*\) -$/\1/p' "$T/log" | sort >"$T/given"
	assert_eq 'ids' 3 "$(sort -u "$T/given" | grep -c .)"
	assert_eq 'ids of the headers' "$(cat "$T/given")" \
	    "$(sed -n 's/^end far [^ ]* //p' "$T/log" | sort)"
	# Both lines of a session have the same.
	assert_eq 'starts and ends' 12 "$(log_count '^\(start\|end\) ')"
	assert_eq 'sessions' 6 "$(sed 's/^[a-z]* [a-z]* \([-0-9a-f]*\).*/\1/' \
	    "$T/log" | grep '^[0-9a-f]*-' | sort | uniq -c | grep -c '^ *2 ')"
}

# Checks do as sessions do, but in their own name.
checked() {
	peer_start a "listen 127.0.0.1:0; port-file $T/a; \
	    serve any { expect-text \"PROXY TCP4 127.0.0.1 127.0.0.1 \"; \
	    cat }"
	front '' 'check: "tcp", send_proxy: "v1",' a
	assert_log 'p/a: up'
	shuttled_stop
	front '' 'check: "tcp",' 'a=send_proxy: "v1",'
	assert_log 'p/a: up'
	shuttled_stop
	peer_stop a
	# Not at another door, unless it is said so.
	peer_start v "listen 127.0.0.1:0; port-file $T/v; \
	    serve any { expect-eof }"
	front '' 'check: "tcp", send_proxy: "v1",' \
	    "v=check_address: \"$(address v)\","
	assert_log 'p/v: up'
}

run_cases who_it_is cut_at_every_byte bad_headers not_trusted too_late \
    by_the_client_in_it banner passed_on ids_are_logged checked
