#!/bin/sh
# SPDX-License-Identifier: ISC
# Copyright (c) 2026 The shuttled authors
#
# check.sh: servers come and go, and the prober notices: by each kind of check,
# as fast as it has to, without being an error to anybody, over the death of the
# prober and over reloads.
. "$(dirname "$0")/../lib.sh"

# conf POOL SERVERS: the directives of pool p, quick unless they say otherwise,
# and its servers.
conf() {
	quick=
	case " $1" in
	*' interval:'*) ;;
	*) quick='interval: "200ms",' ;;
	esac
	case " $1" in
	*' check_timeout:'*) ;;
	*) quick="$quick check_timeout: \"$((2 * TEST_SLOW))s\"," ;;
	esac
	cat >"$T/conf.new" <<-EOF
	workers: 2
	listen: { a: { address: "127.0.0.1:0" } }
	pool: { p: { $quick $1
	    server: { $2 } } }
	EOF
	mv "$T/conf.new" "$T/conf"
}

# server NAME [MORE]: one that listens where the peer of this name does.
server() {
	say "$1: { address: \"$(address "$1")\", ${2:-} },"
}

# start POOL SERVERS
start() {
	conf "$@"
	shuttled_start -c "$T/conf"
}

# echoes NAME [ADDRESS]: a server of short life; where it was, or anywhere.
echoes() {
	peer_start "$1" "listen ${2:-127.0.0.1:0}; port-file $T/$1; \
	    serve any { echo }"
	alive "$!" || fail "$1 did not start"
}

# transitions N: so many lines of servers that went up or down.
transitions() {
	assert_eq transitions "$1" \
	    "$(log_count 'server p/[a-z0-9]*: \(up\|down\):')"
}

# --- what they do -------------------------------------------------------------

# The first session ejects it for longer than the test takes: when checks find
# it up again that is over.
down_and_up() {
	peer_refusing where
	echoes a "$(address where)"
	echoes b
	start 'check: "tcp", fast_interval: "50ms", eject_time: "1h",' \
	    "$(server a) $(server b)"
	assert_log 'p/a: up: connected in .* (first check); . of 2 servers of'
	assert_log 'p/b: up: connected in .* (first check); . of 2 servers of'
	assert_log 'notice: listening on'
	began=$(log_time 'notice: listening on')
	say "from start to up: $(($(log_time 'p/a: up') - began)) ms"
	peer_stop a
	began=$(now_ms)
	load_start busy -c 2
	assert_log 'warning: server p/a: down: connect: Connection refused (check 3 of 3); 1 of 2 servers of pool p up'
	took=$(($(log_time 'p/a: down') - began))
	say "from the end to down: $took ms"
	# The first after up to 220 ms, then two of 50 and their spread: 330 in
	# all, and what a busy machine adds.
	slow || assert_between 'ms until down' 0 5000 "$took"
	# Those that come from now on do not even try.
	load_end_ok busy 0
	before=$(load_count busy loop ok)
	wait_for 10 log_reaches "$before" 'session end'
	failed=$(log_count 'servers_tried=p/a')
	load_start busy -c 2
	wait_for 10 log_reaches $((before + 50)) 'session end'
	assert_eq 'sessions with it since' "$failed" "$(log_count 'servers_tried=p/a')"
	echoes a "$(address where)"
	began=$(now_ms)
	assert_log 'p/a: up: connected in .* (check 2 of 2); 2 of 2 servers'
	say "from the start to up: $(($(log_time 'p/a: up') - began)) ms"
	wait_for 10 log_reaches $((failed + 10)) 'servers_tried=p/a'
	load_end_ok busy 0
	assert_log 'p/a: connect: Connection refused; ejected for'
	transitions 4
}

# The last one is worth more than a warning.
last_one() {
	echoes a
	start 'check: "tcp", fall: 2,' "$(server a)"
	assert_log 'p/a: up'
	peer_stop a
	assert_log 'error: server p/a: down: .* (check 2 of 2); 0 of 1 server of'
}

# A unix socket whose queue is full is asked again until the time is over.
queue_full() {
	peer_start a "listen unix:$T/a.sock 0; port-file $T/a; \
	    connect unix:$T/a.sock; wait-file $T/queue.go; serve any { echo }"
	rm -f "$T/queue.go"
	start 'check: "tcp", check_timeout: "20s", interval: "30s",' \
	    "$(server a)"
	sleep 0.3
	assert_not_log 'p/a: '
	touch "$T/queue.go"
	wait_for 10 log_has 'p/a: up: connected'
	shuttled_stop
	peer_stop a
	rm -f "$T/a.sock"
	peer_start a "listen unix:$T/a.sock 0; port-file $T/a; \
	    connect unix:$T/a.sock; wait-file $T/queue.end"
	start 'check: "tcp", check_timeout: "200ms", interval: "300ms",' \
	    "$(server a)"
	wait_for 10 log_has 'p/a: down: connect: queue full within'
	shuttled_stop
	touch "$T/queue.end"
}

# All of them, and whoever is gone is seen to go: a reset would fail the peer.
is_polite() {
	peer_start a "listen 127.0.0.1:0; port-file $T/a; \
	    serve any { send-text hello; expect-eof }"
	peer_start b "listen unix:$T/b.sock; port-file $T/b; \
	    serve any { expect-eof; pause 20 }"
	six='[::1]'
	have_ipv6 || six=127.0.0.1
	peer_start c "listen $six:0; port-file $T/c; serve any { expect-eof }"
	start 'check: "tcp", interval: "20ms", check_jitter: 50,' \
	    "$(server a) $(server b) $(server c)"
	for name in a b c; do
		assert_log "p/$name: up: connected"
	done
	sleep 0.3
	shuttled_stop
	transitions 3
}

# Asked elsewhere, with the header that is expected there.
elsewhere() {
	peer_refusing a
	peer_start v "listen 127.0.0.1:0; port-file $T/v; \
	    serve any { expect-text \"PROXY TCP4 127.0.0.1 127.0.0.1 \"; \
	    cat }"
	port=$(sed 's/.*://' "$T/v")
	start 'interval: "1h", check: "tcp", check_send_proxy: "v1",' \
	    "$(server a "check_address: \"$(address v)\"") \
	    b: { address: \"$(address a)\", check_port: $port }"
	assert_log 'p/a: up'
	assert_log 'p/b: up'
}

# What sessions see of a server that goes down, as the pool has it; its health
# is asked elsewhere, so that it can go down and serve.
on_down() {
	echo_start
	for what in close keep; do
		echoes v
		start "check: \"tcp\", fast_interval: \"20ms\", \
		    interval: \"50ms\", on_down: \"$what\"," \
		    "a: { address: \"$SERVER\", \
		    check_address: \"$(address v)\" }"
		assert_log 'p/a: up'
		load_keep kept 5
		peer_stop v
		assert_log 'p/a: down'
		if [ $what = close ]; then
			wait_for 5 log_reaches 5 'end=proxy.server_down'
			load_end kept
			assert_eq 'kept ones that were cut' 5 \
			    "$(load_count kept kept reset cut)"
		else
			load_end_ok kept 5
		fi
		try_peer "connect $LISTEN; expect-eof" ||
			fail 'a client is not rejected'
		assert_log 'end=proxy.no_server'
		shuttled_stop
	done
}

# Before the first result nobody is served and nobody is rejected: they wait.
clients_wait() {
	peer_serve a "print came; wait-file $T/go; send-text \"220 ready\\r\\n\"; expect-end"
	conf 'check: "send_expect", check_expect: "220", interval: "5s",
	    check_timeout: "10s", queue_timeout: "10s",' "$(server a)"
	shuttled_start -c "$T/conf" -v
	peer_start c "connect $LISTEN; expect-text \"220\"; half-close; \
	    expect-end"
	wait_for 5 grep -q '^came$' "$T/a.out"
	assert_log 'session start'
	assert_eq 'who came to the server' 1 "$(grep -c '^came$' "$T/a.out")"
	: >"$T/go"
	peer_wait c
	assert_log 'session end .*servers_tried=p/a .*end='
	shuttled_stop
	peer_stop a
	# Nor for longer than they would.
	peer_serve a 'pause 3000; send-text "220 ready\r\n"; expect-end'
	start 'check: "send_expect", check_expect: "220", interval: "5s",
	    queue_timeout: "100ms",' "$(server a)"
	peer "connect $LISTEN; expect-eof"
	assert_log 'end=proxy.queue_timeout'
}

send_expect() {
	peer_serve a 'expect-text "PING\r\n"; send-text "+PO"; pause 20
	    send-text "NG\r\n"; expect-eof'
	peer_serve b 'expect-text "PING\r\n"; send-text "-ERR\tloading\r\n"'
	peer_serve c 'expect-text "PING\r\n"; expect-eof'
	# One check of each: none is under way when it ends.
	ping='interval: "1h", check: "send_expect", check_send: "PING\r\n",
	    check_expect: "~^[+]PONG",'
	start "$ping" "$(server a) $(server b)"
	assert_log 'p/a: up: expected reply'
	assert_log 'p/b: down: unexpected reply "-ERR.tloading" (first'
	shuttled_stop
	start "$ping check_timeout: \"300ms\"," "$(server c)"
	assert_log 'p/c: down: no answer within 300 ms (first check)'
}

http() {
	peer_serve a 'expect-text "GET /health HTTP/1.1\r\nHost: x.test\r\n"
	    send-text "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Hints\r\nA: b\r\n"
	    pause 20; send-text "\r\nHTTP/1.1 20"; pause 20
	    send-text "4 No Content\r\n\r\n"; expect-end'
	peer_serve b 'send-text "HTTP/1.1 503 Sorry\r\n\r\n"; expect-end'
	peer_serve c 'send-text "220 mail\r\n"; expect-end'
	start 'interval: "1h", check: "http", check_uri: "/health", check_host: "x.test",
	    check_status: "200-299",' \
	    "$(server a) $(server b) $(server c)"
	assert_log 'p/a: up: HTTP status 204'
	assert_log 'p/b: down: HTTP status 503, expected 200-299 (first'
	assert_log 'p/c: down: the answer is not HTTP/1'
	shuttled_stop
	peer_stop a b c
	peer_serve d 'expect-text "HEAD / HTTP/1.1\r\nHost: 127.0.0.1"
	    send-text "HTTP/1.1 200 OK\r\n\r\n"; expect-end'
	start 'interval: "1h", check: "http", check_method: "HEAD",' "$(server d)"
	assert_log 'p/d: up: HTTP status 200'
}

# Where it is to be checked is not known: it is down, and the others serve.
no_such_address() {
	echoes a
	echoes b
	RES_OPTIONS='timeout:1 attempts:1'
	export RES_OPTIONS
	start 'check: "tcp",' "$(server a) \
	    $(server b 'check_address: "no-such.invalid:80",')"
	assert_log 'check_address "no-such.*; the server is down until a rel'
	unset RES_OPTIONS
	assert_log 'p/a: up'
	serves || fail 'the other one does not serve'
	serves || fail 'the other one does not serve'
	assert_not_log 'servers_tried=p/b'
}

# Without a word, without an end, in pieces, or with no end of them.
bad_servers() {
	peer_silent a
	peer_serve b 'send-until-broken'
	peer_serve c 'send 900 chunks 1; expect-end'
	peer_serve d ''
	never='interval: "1h", check: "send_expect", check_expect: "x:00ff00ff",'
	start "$never check_timeout: \"300ms\"," "$(server a)"
	assert_log 'p/a: down: connect: no answer within 300 ms'
	shuttled_stop
	start "$never" "$(server b) $(server c) $(server d)"
	assert_log 'p/b: down: unexpected reply'
	assert_log 'p/c: down: '
	assert_log 'p/d: down: closed without an answer'
}

# --- programs -----------------------------------------------------------------

program() {
	cat >"$T/program"
	chmod 755 "$T/program"
}

runs_programs() {
	program <<-'EOF'
	#!/bin/sh
	echo "$SERVER_NAME at $SERVER_ADDR, port $SERVER_PORT, of $POOL_NAME: $*"
	echo 'and more'
	[ "$SERVER_NAME" = p/a ]
	EOF
	start "check: \"exec\", check_command: \"$T/program  -x y\"," \
	    'a: { address: "[::1]:8" }, b: { address: "unix:/s" }'
	assert_log 'p/a: up: exit code 0: p/a at ::1, port 8, of p: -x y in'
	assert_log 'p/b: down: exit code 1: p/b at unix:/s, port 0, of p: -x y ('
	program <<-'EOF'
	#!/bin/sh
	kill -USR1 $$
	EOF
	assert_log 'p/a: down: signal 10 (check 3 of 3)'
}

# Who is down is asked at an interval of its own.
while_down() {
	program <<-EOF
	#!/bin/sh
	[ -e "$T/well" ]
	EOF
	start "check: \"exec\", check_command: \"$T/program\", rise: 1,
	    interval: \"1h\", down_interval: \"50ms\"," \
	    'a: { address: "127.0.0.1:1" }'
	assert_log 'p/a: down: exit code 1'
	: >"$T/well"
	assert_log 'p/a: up: exit code 0 .* (check 1 of 1)'
}

# Neither the program nor what it has started outlives its time.
time_limit() {
	mkdir "$T/pids"
	chmod 777 "$T/pids"
	program <<-EOF
	#!/bin/sh
	sleep 100 &
	echo \$! >"$T/pids/child.\$SERVER_PORT"
	echo \$\$ >"$T/pids/self.\$SERVER_PORT"
	wait
	EOF
	start "check: \"exec\", check_command: \"$T/program\",
	    check_timeout: \"200ms\", interval: \"20s\"," \
	    'a: { address: "127.0.0.1:1" }'
	assert_log 'p/a: down: the program did not end within 200 ms'
	wait_for 5 gone "$(cat "$T/pids/self.1")"
	wait_for 5 gone "$(cat "$T/pids/child.1")"
	# And neither outlives the prober.
	conf "check: \"exec\", check_command: \"$T/program\",
	    check_timeout: \"100s\", interval: \"20s\"," \
	    'b: { address: "127.0.0.1:2" }'
	reload
	wait_for 5 test -s "$T/pids/self.2"
	first=$(cat "$T/pids/self.2") child=$(cat "$T/pids/child.2")
	rm "$T/pids/self.2"
	DEATHS=wanted
	kill -KILL "$(prober)"
	wait_for 5 gone "$first"
	wait_for 5 gone "$child"
	wait_for 10 test -s "$T/pids/self.2"
	shuttled_stop
	wait_for 5 gone "$(cat "$T/pids/self.2")"
	DEATHS=
}

no_program() {
	start "check: \"exec\", check_command: \"$T/nothing\"," \
	    'a: { address: "127.0.0.1:1" }'
	assert_log "p/a: down: exit code 127: $T/nothing: No such file"
	shuttled_stop
	# One that was killed takes the prober along, and both come again.
	program <<-EOF
	#!/bin/sh
	EOF
	DEATHS=wanted
	start "check: \"exec\", check_command: \"$T/program\"," \
	    'a: { address: "127.0.0.1:1" }'
	assert_log 'p/a: up'
	# shellcheck disable=SC2046 # a blank follows the number
	kill -KILL $(cat "/proc/$(prober)/task/$(prober)/children")
	wait_for 5 probers 2
	assert_log 'p/a: check put off: the runner has ended'
	assert_log 'prober.*: cannot go on: Broken pipe'
	shuttled_stop
	DEATHS=
}

# That there is no process for the program is no fault of the server.
no_process() {
	can_change_user && have prlimit || return 0
	program <<-EOF
	#!/bin/sh
	EOF
	start "check: \"exec\", check_command: \"$T/program\", fall: 1," \
	    'a: { address: "127.0.0.1:1" }'
	assert_log 'p/a: up'
	runner=$(cat "/proc/$(prober)/task/$(prober)/children")
	setpriv --reuid "$(uid_of "$(prober)")" \
	    --regid "$(status_of "$(prober)" Gid | cut -d ' ' -f 1)" \
	    --clear-groups prlimit --pid "${runner% }" --nproc=1:
	assert_log 'p/a: check put off: the program could not be run'
	transitions 1
}

# --- what stays ---------------------------------------------------------------

prober_dies() {
	echoes a
	peer_refusing b
	start 'check: "tcp",' "$(server a) $(server b)"
	assert_log 'p/a: up'
	assert_log 'p/b: down'
	DEATHS=wanted
	kill -KILL "$(prober)"
	serves || fail 'what was known is forgotten'
	wait_for 5 probers 2
	sleep 0.3
	transitions 2
	peer_stop a
	assert_log 'p/a: down: .* (check 3 of 3)'
	shuttled_stop
	DEATHS=
}

stays_over_reloads() {
	echoes a
	peer_refusing b
	conf 'check: "tcp", interval: "10s",' "$(server a) $(server b)"
	shuttled_start -c "$T/conf"
	assert_log 'p/a: up'
	assert_log 'p/b: down'
	load_start busy -c 2
	for i in 1 2 3; do
		reload
	done
	echoes c
	conf 'check: "tcp", interval: "10s",' \
	    "$(server a) $(server b) $(server c)"
	reload
	assert_log 'p/c: up: .* (first check); 2 of 3 servers of'
	wait_for 10 log_has 'session end .*servers_tried=p/c'
	load_end_ok busy 0
	transitions 3
	assert_eq 'sessions that tried b' 0 "$(log_count 'attempts=2')"
	# One that was not checked in between is unknown again.
	conf 'check: "off",' "$(server a)"
	reload
	conf 'check: "tcp", interval: "10s",' "$(server a)"
	reload
	wait_for 5 log_reaches 2 'p/a: up: .* (first check)'
}

begins_as_told() {
	echoes a
	start 'check: "tcp", init_state: "down",' "$(server a)"
	assert_log 'p/a: up: .* (check 2 of 2)'
	shuttled_stop
	# Before anybody knows better it is tried.
	peer_silent b
	start 'check: "tcp", init_state: "up", fall: 2, retries: 0,
	    check_timeout: "1m", connect_timeout: "100ms",' "$(server b)"
	try_peer "connect $LISTEN; expect-end"
	assert_log 'session end .*servers_tried=p/b'
	assert_not_log 'p/b: down'
	shuttled_stop
	start 'check: "tcp", init_state: "up", fall: 2,
	    check_timeout: "300ms",' "$(server b)"
	assert_log 'p/b: down: connect: no answer within .* (check 2 of 2)'
}

# Builtins are always up; without a prober all are.
not_checked() {
	peer_refusing a
	start 'check: "tcp",' \
	    "$(server a) b: { address: \"builtin:echo\" }"
	assert_log 'p/a: down'
	wait_for 5 serves
	shuttled_stop
	echoes c
	conf 'check: "tcp",' "$(server c)"
	shuttled_start -c "$T/conf" -w 0
	assert_log 'warning: servers are not checked without a master'
	wait_for 5 serves
}

# --- how much -----------------------------------------------------------------

# A thousand servers each second: what that takes, and that descriptors do.
many() {
	n=1000
	! instrumented || n=200
	echo_start
	i=0
	while [ $i -lt $n ]; do
		say "s$i: { address: \"$SERVER\" },"
		i=$((i + 1))
	done >"$T/servers"
	# What the network loses comes again a second or three later.
	conf 'check: "tcp", interval: "1s", check_timeout: "10s",' \
	    "$(cat "$T/servers")"
	shuttled_start -c "$T/conf"
	wait_for 20 log_reaches $n 'p/s[0-9]*: up: .* (first check)'
	before=$(cpu_ticks "$(prober)")
	sleep 1
	after=$(cpu_ticks "$(prober)")
	say "$n servers checked each second:" \
	    "$(((after - before) * 10)) ms of CPU a second"
	transitions $n
	shuttled_stop
	have prlimit || return 0
	# Few descriptors: they wait for each other.
	with_wrap 'prlimit --nofile=100:100' shuttled_start -c "$T/conf"
	wait_for 20 log_reaches $n 'p/s[0-9]*: up: .* (first check)'
	assert_not_log 'put off'
	transitions $n
}

# --- programs that people use -------------------------------------------------

have() {
	for tool in "$@"; do
		command -v "$tool" >/dev/null || {
			say "left out: no $tool"
			return 1
		}
	done
}

# Somebody else may get it first; then the check fails.
free_port() {
	"$PEER" -c "listen 127.0.0.1:0; port-file $T/free"
	sed 's/.*://' "$T/free"
}

# real POOL PORT TEXT COMMAND...: it is up, and TEXT is why.
real() {
	pool=$1
	port=$2
	text=$3
	shift 3
	"$@" >"$T/real.out" 2>&1 </dev/null &
	server=$!
	also_end "$server"
	start "$pool" "a: { address: \"127.0.0.1:$port\" }"
	wait_for 10 log_has "p/a: up: $text"
	shuttled_stop
	kill "$server"
	wait_for 10 gone "$server"
}

real_redis() {
	have redis-server || return 0
	port=$(free_port)
	real 'check: "send_expect", check_send: "PING\r\n",
	    check_expect: "+PONG",' "$port" 'expected reply' \
	    redis-server --port "$port" --bind 127.0.0.1 --save '' --dir "$T"
}

real_nginx() {
	have nginx || return 0
	port=$(free_port)
	mkdir -p "$T/nginx"
	cat >"$T/nginx/conf" <<-END
	daemon off;
	master_process off;
	pid $T/nginx/pid;
	error_log stderr info;
	events { }
	http {
		access_log $T/nginx/access;
		client_body_temp_path $T/nginx/a;
		proxy_temp_path $T/nginx/b;
		fastcgi_temp_path $T/nginx/c;
		uwsgi_temp_path $T/nginx/d;
		scgi_temp_path $T/nginx/e;
		server {
			listen 127.0.0.1:$port;
			return 200 "well";
		}
	}
	END
	real 'check: "http",' "$port" 'HTTP status 200' \
	    nginx -e stderr -p "$T/nginx" -c "$T/nginx/conf"
	grep -q 'GET / HTTP/1.1" 200' "$T/nginx/access" || fail 'not in its log'
	! grep -i 'reset\|prematurely' "$T/real.out" || fail 'see above'
}

# As in contrib/examples/database.yaml. It does not run as root.
real_postgres() {
	have postgres initdb || return 0
	as=
	if [ "$(id -u)" -eq 0 ]; then
		have setpriv || return 0
		as='setpriv --reuid 65534 --regid 65534 --clear-groups'
	fi
	port=$(free_port)
	mkdir -m 777 "$T/postgres"
	$as initdb -A trust -N -D "$T/postgres/data" >"$T/initdb.out" 2>&1 || {
		say 'left out: initdb does not work here'
		return 0
	}
	# shellcheck disable=SC2086 # words
	real 'check: "send_expect", check_send: "x:0000000804d2162f",
	    check_expect: "~^[SN]",' "$port" 'expected reply' $as postgres \
	    -D "$T/postgres/data" -p "$port" -c listen_addresses=127.0.0.1 \
	    -c unix_socket_directories= -c log_connections=on
	! grep -i 'error\|fatal\|reset' "$T/real.out" || fail 'see above'
}

run_cases down_and_up last_one queue_full is_polite elsewhere on_down clients_wait \
    send_expect http no_such_address \
    bad_servers runs_programs while_down time_limit no_program no_process \
    prober_dies stays_over_reloads begins_as_told not_checked many real_redis \
    real_nginx real_postgres
