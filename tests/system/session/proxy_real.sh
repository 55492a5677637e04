#!/bin/sh
# SPDX-License-Identifier: ISC
# Copyright (c) 2026 The shuttled authors
#
# proxy_real.sh: the PROXY protocol with haproxy and nginx, in front of shuttled
# and behind it. Those behind tell who they think the client is. What is not
# installed is left out.
# shellcheck source-path=SCRIPTDIR disable=SC1091
. "$(dirname "$0")/../lib.sh"

module=/usr/lib/nginx/modules/ngx_stream_module.so

start_haproxy_behind() {
	cat >"$T/haproxy_behind.cfg" <<-END
	defaults
		mode http
		timeout connect 5s
		timeout client 20s
		timeout server 20s
	frontend f
		bind 127.0.0.1:$1 accept-proxy
		bind unix@$T/haproxy_behind.sock mode 666 accept-proxy
		http-request return status 200 content-type text/plain lf-string "src=%[src]:%[src_port] dst=%[dst]:%[dst_port] id=%[fc_pp_unique_id]\n"
	END
	exec haproxy -db -f "$T/haproxy_behind.cfg"
}

# The frontends differ in what they say to shuttled, and where.
start_haproxy_before() {
	cat >"$T/haproxy_before.cfg" <<-END
	defaults
		mode tcp
		timeout connect 5s
		timeout client 20s
		timeout server 20s
		unique-id-format %{+X}o\ %ci:%cp_%fi:%fp_%Ts_%rt
	listen v1
		bind 127.0.0.1:$1
		bind [::1]:$1
		server s $BEHIND send-proxy
	listen v2
		bind 127.0.0.2:$1
		server s $BEHIND send-proxy-v2
	listen tlvs
		bind 127.0.0.3:$1
		server s $BEHIND send-proxy-v2 proxy-v2-options crc32c,unique-id
	listen unix
		bind 127.0.0.4:$1
		bind unix@$T/haproxy_before.sock mode 666
		server s unix@$T/behind.sock send-proxy-v2
	listen checks
		bind 127.0.0.5:$1
		server s $BEHIND send-proxy-v2 check inter 50ms
	END
	exec haproxy -db -f "$T/haproxy_before.cfg"
}

# nginx_with NAME HTTP STREAM
nginx_with() {
	mkdir -p "$T/$1"
	cat >"$T/$1/conf" <<-END
	load_module $module;
	daemon off;
	worker_processes 1;
	pid $T/$1/pid;
	error_log stderr warn;
	events { worker_connections 256; }
	http {
		access_log $T/$1/access;
		client_body_temp_path $T/$1/a;
		proxy_temp_path $T/$1/b;
		fastcgi_temp_path $T/$1/c;
		uwsgi_temp_path $T/$1/d;
		scgi_temp_path $T/$1/e;
		$2
	}
	stream { $3 }
	END
	exec nginx -e stderr -p "$T/$1" -c "$T/$1/conf"
}

# shellcheck disable=SC2016 # these are of nginx
says='src=$proxy_protocol_addr:$proxy_protocol_port dst=$proxy_protocol_server_addr:$proxy_protocol_server_port'

start_nginx_behind() {
	nginx_with nginx_behind "server { listen 127.0.0.1:$1 proxy_protocol;
	    set_real_ip_from 127.0.0.0/8; real_ip_header proxy_protocol;
	    default_type text/plain; return 200 '$says'; }" \
	    "server { listen 127.0.0.2:$1 proxy_protocol; return '$says'; }"
}

start_nginx_before() {
	nginx_with nginx_before '' "server { listen 127.0.0.1:$1;
	    listen [::1]:$1; proxy_pass $BEHIND; proxy_protocol on; }"
}

# end PID: of a program that was started.
end() {
	kill -s TERM "$1"
	wait_for 10 gone "$1"
	wait "$1" 2>/dev/null || :
	forget "$1"
}

# ask WHOM [CURL OPTION...]: the answer.
ask() {
	to=$1
	shift
	curl -sSf -m 20 "$@" "http://$to/" || fail "curl $to $*: status $?"
}

# told ANSWER SRC DST: who asked is an address, or a pattern.
told() {
	case $1 in
	"src=$2:"[1-9]*" dst=$3"*) ;;
	*) fail "expected src=$2 dst=$3, got '$1'" ;;
	esac
}

# in_front ADDRESS: four workers send headers there: listener 1 of version 1,
# listener 2 of version 2; each IPv4, IPv6 and unix.
in_front() {
	for v in 1 2; do
		say "{ listen: { v$v: { pool: \"v$v\", address: [ \"127.0.0.1:0\", \
		    \"[::1]:0\", \"unix:$T/front$v.sock\" ] } },
		    pool: { v$v: { send_proxy: \"v$v\", \
		    server: { a: { address: \"$1\" } } } } }" >"$T/front$v.yaml"
	done
	shuttled_start -c "$T/front1.yaml" -c "$T/front2.yaml" -w 4
}

# To haproxy, which says what it has understood: over TCP and a unix socket.
to_haproxy() {
	have haproxy curl || return 0
	serve_with haproxy_behind
	haproxy=$server
	for to in "$ADDRESS" "unix:$T/haproxy_behind.sock"; do
		in_front "$to"
		for n in 1 4; do
			at=$(listener $n)
			told "$(ask "$at" --interface 127.0.0.9)" 127.0.0.9 "$at "
			at=$(listener $((n + 1)))
			told "$(ask "$at")" ::1 "::1:${at##*:} "
		done
		# UNKNOWN and LOCAL: it is served all the same.
		ask any --unix-socket "$T/front1.sock" >"$T/answer"
		ask any --unix-socket "$T/front2.sock" >>"$T/answer"
		assert_eq 'answers' 2 "$(grep -c '^src=' "$T/answer")"
		shuttled_stop
	done
	end "$haproxy"
}

to_nginx() {
	[ -e $module ] && have nginx curl || return 0
	serve_with nginx_behind
	nginx=$server
	in_front "$ADDRESS"
	for n in 1 4; do
		at=$(listener $n)
		told "$(ask "$at" --interface 127.0.0.9)" 127.0.0.9 "$at"
		at=$(listener $((n + 1)))
		told "$(ask "$at")" ::1 "::1:${at##*:}"
	done
	assert_eq 'clients in the log of nginx' '127.0.0.9 ::1' \
	    "$(cut -d ' ' -f 1 "$T/nginx_behind/access" | sort -u | xargs)"
	shuttled_stop
	# A stream: it speaks first.
	in_front "127.0.0.2:${ADDRESS##*:}"
	for n in 1 4; do
		peer "connect $(listener $n) 127.0.0.9:0; cat"
		told "$(cat "$T/peer.out")" 127.0.0.9 "$(listener $n)"
	done
	shuttled_stop
	end "$nginx"
}

# behind: four workers take headers and pass them on to haproxy; $BEHIND is where.
behind() {
	serve_with haproxy_behind
	told_by=$server
	say "{ listen: { f: { address: [ \"127.0.0.1:0\", \"unix:$T/behind.sock\" ],
	    accept_proxy: [ \"127.0.0.1\", \"unix:\" ] } },
	    pool: { p: { send_proxy: \"v2\", send_proxy_tlvs: \"crc32c\",
	    server: { a: { address: \"$ADDRESS\" } } } } }" >"$T/behind.yaml"
	shuttled_start -c "$T/behind.yaml" -w 4
	BEHIND=$LISTEN
}

# What haproxy says of its clients comes through, with the id that it gave them.
from_haproxy() {
	have haproxy curl || return 0
	behind
	serve_with haproxy_before
	port=${ADDRESS##*:}
	told "$(ask "$ADDRESS" --interface 127.0.0.9)" 127.0.0.9 "$ADDRESS id="
	told "$(ask "[::1]:$port")" ::1 "::1:$port id="
	for n in 2 4 5; do
		told "$(ask "127.0.0.$n:$port" --interface 127.0.0.9)" \
		    127.0.0.9 "127.0.0.$n:$port id="
	done
	told "$(ask "127.0.0.3:$port" --interface 127.0.0.9)" 127.0.0.9 \
	    "127.0.0.3:$port id=7F000009:"
	assert_log 'session end id=[-0-9a-f]* client=127.0.0.9:.* end=client.close'
	assert_log 'session end id=[-0-9a-f]* client=\[::1\]:.* end=client.close'
	# It says LOCAL of clients on unix sockets: then it is the client.
	ask any --unix-socket "$T/haproxy_before.sock" >"$T/answer"
	assert_log 'session end id=[-0-9a-f]* client=unix: '
	# So it does when it checks.
	wait_for 10 log_reaches 3 'session end id=[-0-9a-f]* client=127.0.0.1:'
	assert_not_log 'end=client.bad_header'
	end "$server"
	end "$told_by"
}

from_nginx() {
	[ -e $module ] && have haproxy nginx curl || return 0
	behind
	serve_with nginx_before
	port=${ADDRESS##*:}
	told "$(ask "$ADDRESS" --interface 127.0.0.9)" 127.0.0.9 "$ADDRESS id="
	told "$(ask "[::1]:$port")" ::1 "::1:$port id="
	assert_log 'session end id=[-0-9a-f]* client=127.0.0.9:.* end=client.close'
	assert_log 'session end id=[-0-9a-f]* client=\[::1\]:.* end=client.close'
	end "$server"
	end "$told_by"
}

run_cases to_haproxy to_nginx from_haproxy from_nginx
[ "$cases" -gt 0 ] || skip 'none of these programs is here'
