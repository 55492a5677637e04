#!/bin/sh
# SPDX-License-Identifier: ISC
# Copyright (c) 2026 The shuttled authors
#
# real.sh: programs that people use, behind shuttled and in front of it: two
# nginx with curl and ab, redis with its benchmark, haproxy. What is not
# installed is left out.
. "$(dirname "$0")/../lib.sh"
DEATHS=wanted

requests=20000
! slow || requests=2000

start_nginx() {
	mkdir -p "$T/nginx.$1"
	cat >"$T/nginx.$1/conf" <<-END
	daemon off;
	worker_processes 1;
	pid $T/nginx.$1/pid;
	error_log stderr warn;
	events { worker_connections 1024; }
	http {
		access_log off;
		client_body_temp_path $T/nginx.$1/a;
		proxy_temp_path $T/nginx.$1/b;
		fastcgi_temp_path $T/nginx.$1/c;
		uwsgi_temp_path $T/nginx.$1/d;
		scgi_temp_path $T/nginx.$1/e;
		server {
			listen 127.0.0.1:$1 backlog=1024;
			root $T/www;
			add_header X-Server $1;
		}
	}
	END
	exec nginx -e stderr -p "$T/nginx.$1" -c "$T/nginx.$1/conf"
}

# two_nginx: their addresses in $A and $B.
two_nginx() {
	[ -z "${B:-}" ] || return 0
	mkdir -p "$T/www"
	echo 'A small page.' >"$T/www/small"
	head -c 3000000 /dev/urandom >"$T/www/large"
	chmod -R a+rX "$T/www"
	serve_with nginx
	A=$ADDRESS
	serve_with nginx
	B=$ADDRESS
}

nginx_and_curl() {
	have nginx curl || return 0
	two_nginx
	shuttled_start -l 127.0.0.1:0 -s "$A" -s "$B" -w 4
	: >"$T/servers"
	for i in 1 2 3 4 5 6; do
		curl -sSf -m 20 -D "$T/head" -o "$T/got" \
		    "http://$LISTEN/large" || fail "curl: status $?"
		cmp "$T/www/large" "$T/got" || fail 'it is not the same'
		sed -n 's/^X-Server: \([0-9]*\).*/\1/p' "$T/head" \
		    >>"$T/servers"
	done
	for server in "$A" "$B"; do
		assert_eq "answers of $server" 3 \
		    "$(grep -c "^${server##*:}\$" "$T/servers")"
	done
}

# ab_field NAME: a number of its report.
ab_field() {
	sed -n "s/^$1: *\\([0-9.]*\\).*/\\1/p" "$T/ab.out"
}

nginx_and_ab() {
	have nginx ab || return 0
	two_nginx
	shuttled_start -l 127.0.0.1:0 -s "$A" -s "$B" -w 4
	ab -q -n "$requests" -c 100 "http://$LISTEN/small" >"$T/ab.out" 2>&1 ||
		fail "ab: status $?"
	assert_eq complete "$requests" "$(ab_field 'Complete requests')"
	assert_eq failed 0 "$(ab_field 'Failed requests')"
	assert_eq 'answers but 200' '' "$(ab_field 'Non-2xx responses')"
	say "$(ab_field 'Requests per second') requests a second"
	wait_for 5 log_reaches "$requests" 'session end'
	# The turn is one over all workers: no server is ever ahead by more
	# than what is in flight.
	assert_between "requests to $A" $((requests / 2 - 100)) \
	    $((requests / 2 + 100)) "$(log_count "servers_tried=$A ")"
}

ab_while_a_worker_is_killed() {
	have nginx ab || return 0
	two_nginx
	shuttled_start -l 127.0.0.1:0 -s "$A" -s "$B" -w 4
	ab -q -r -n "$requests" -c 100 "http://$LISTEN/small" \
	    >"$T/ab.out" 2>&1 </dev/null &
	bench=$!
	started="$started $bench"
	sleep 0.5
	victim=$(worker 2)
	kill -KILL "$victim"
	wait_for 60 gone "$bench"
	wait "$bench" || fail "ab: status $?"
	forget "$bench"
	assert_log "pid $victim ended"
	lost=$(sed -n 's/.* \([0-9]*\) sessions* lost.*/\1/p' "$T/log")
	# ab counts a request that gets no answer up to three times.
	failed=$(sed -n 's/.*Receive: \([0-9]*\),.*/\1/p' "$T/ab.out")
	say "of $requests requests ${failed:-0} failed;" \
	    "the worker held $lost sessions"
	assert_eq complete "$requests" "$(ab_field 'Complete requests')"
	assert_between 'requests that failed' 0 "$lost" "${failed:-0}"
	assert_eq 'connections refused' 0 \
	    "$(sed -n 's/.*(Connect: \([0-9]*\),.*/\1/p' "$T/ab.out" |
	    grep . || echo 0)"
}

start_redis() {
	exec redis-server --port "$1" --bind 127.0.0.1 --save '' \
	    --appendonly no --dir "$T"
}

redis() {
	have redis-server redis-benchmark redis-cli || return 0
	serve_with redis
	shuttled_start -l 127.0.0.1:0 -s "$ADDRESS" -w 4
	port=${LISTEN##*:}
	redis-benchmark -h 127.0.0.1 -p "$port" -n "$requests" -c 50 \
	    -t set,get,lpush,lrange_100 -q >"$T/redis.out" 2>&1 ||
		fail "redis-benchmark: status $?"
	! grep -i error "$T/redis.out" || fail 'errors, see above'
	tr '\r' '\n' <"$T/redis.out" | grep 'requests per second' ||
		fail 'no result'
	# In pieces: many commands on the way at a time.
	redis-benchmark -h 127.0.0.1 -p "$port" -n "$requests" -c 20 -P 16 \
	    -d 3000 -t set,get -q >"$T/redis.out" 2>&1 ||
		fail "redis-benchmark: status $?"
	! grep -i error "$T/redis.out" || fail 'errors, see above'
	assert_eq 'what was set' PONG \
	    "$(redis-cli -h 127.0.0.1 -p "$port" ping)"
	shuttled_stop
	assert_not_log 'end=server.reset'
}

# Another balancer in front, which checks our health and keeps connections.
haproxy_in_front() {
	have haproxy nginx curl || return 0
	two_nginx
	shuttled_start -l 127.0.0.1:0 -s "$A" -s "$B" -w 2
	cat >"$T/haproxy.cfg" <<-END
	global
		maxconn 500
	defaults
		mode http
		timeout connect 5s
		timeout client 20s
		timeout server 20s
	frontend f
		bind unix@$T/haproxy.sock mode 666
		default_backend b
	backend b
		http-reuse always
		server s $LISTEN check inter 100ms
	END
	haproxy -db -f "$T/haproxy.cfg" >"$T/haproxy.out" 2>&1 </dev/null &
	also_end $!
	wait_for 10 test -S "$T/haproxy.sock"
	for i in 1 2 3 4 5 6; do
		curl -sSf -m 20 --unix-socket "$T/haproxy.sock" \
		    -o "$T/got" http://any/large || fail "curl $i: status $?"
		cmp "$T/www/large" "$T/got" || fail 'it is not the same'
	done
	# A graceful end lets the connections finish that it keeps.
	kill -s USR1 "$!"
	wait_for 20 gone "$!"
}

run_cases nginx_and_curl nginx_and_ab ab_while_a_worker_is_killed redis \
    haproxy_in_front
[ $cases -gt 0 ] || skip 'none of these programs is here'
