# SPDX-License-Identifier: ISC
# Copyright (c) 2026 The shuttled authors
# shellcheck shell=sh disable=SC2154 # sourced by bench, which sets the rest
#
# proxies.sh: how each proxy of the benchmark is found, configured, started
# and stopped. All get the same: one listening port of loopback (rinetd: one a
# server, for it knows no balancing), the same servers, the same number of
# workers or threads (pen and rinetd have one process and no more), TCP mode,
# no session log unless the row asks for it, time limits that never bind,
# a backlog of 4096, room for 8,000 sessions within the descriptor limit. Sizes
# of buffers and what else only tunes are left as an operator finds them.

# Directories that may not be in the path of a user.
PATH=$PATH:/usr/sbin:/sbin

# The group of nobody, whom all who can become; nothing when not root.
group=
[ "$(id -u)" -ne 0 ] || group=$(id -gn nobody)

proxy_known() {
	case $1 in
	direct | shuttled | haproxy | haproxy-splice | haproxy-auto | nginx | \
	    nginx-64k | pen | rinetd)
		return 0
		;;
	esac
	return 1
}

# The nginx of distributions has stream as a module, or built in, or not.
nginx_module() {
	for dir in /usr/lib/nginx/modules /usr/lib64/nginx/modules \
	    /usr/share/nginx/modules; do
		if [ -e "$dir/ngx_stream_module.so" ]; then
			echo "load_module $dir/ngx_stream_module.so;"
			return
		fi
	done
}

# True if the proxy $1 can be run here.
proxy_here() {
	case $1 in
	direct)
		return 0
		;;
	shuttled)
		[ -x "$shuttled" ]
		;;
	haproxy*)
		command -v haproxy >/dev/null
		;;
	nginx*)
		command -v nginx >/dev/null && { [ -n "$(nginx_module)" ] ||
		    nginx -V 2>&1 | grep -q -- '--with-stream\( \|$\)'; }
		;;
	pen | rinetd)
		command -v "$1" >/dev/null
		;;
	esac
}

proxy_version() {
	case $1 in
	direct)
		echo -
		;;
	shuttled)
		"$shuttled" -V | sed -n '1s/^shuttled //p'
		;;
	haproxy*)
		haproxy -v | sed -n '1s/^HAProxy version \([^ ]*\).*/\1/p'
		;;
	nginx*)
		nginx -v 2>&1 | sed -n 's|^nginx version: nginx/||p'
		;;
	pen)
		dpkg-query -W -f '${Version}\n' pen 2>/dev/null || echo unknown
		;;
	rinetd)
		rinetd -v 2>&1 | sed -n '1s/^rinetd //p'
		;;
	esac
}

# True if somebody listens at port $1 of 127.0.0.1.
port_listens() {
	awk -v p=":$(printf '%04X' "$1")\$" \
	    '$4 == "0A" && $2 ~ p { f = 1 } END { exit !f }' /proc/net/tcp
}

# Each function leaves the command in the background and its pid in $pid.
start_shuttled() {
	if [ "$logged" = yes ]; then
		quiet=
	else
		quiet=-q
	fi
	set -- -F -w "$workers" -L "$run/shuttled.log" \
	    -l "127.0.0.1:$port" ${quiet:+"$quiet"}
	for b in $servers; do
		set -- "$@" -s "$b"
	done
	# shellcheck disable=SC2086 # options of the user
	"$shuttled" "$@" $shuttled_opts >"$run/out" 2>&1 &
	pid=$!
}

# $1: lines for the section defaults
start_haproxy() {
	{
		cat <<END
global
    nbthread $workers
    maxconn $((idle + 300))
    maxpipes 1000
    $([ -z "$group" ] || echo 'user nobody')
    $([ -z "$group" ] || echo "group $group")
    stats socket $run/haproxy.sock mode 600 level admin
    $([ "$logged" = no ] || echo 'log stdout format raw local0')
defaults
    mode tcp
    balance roundrobin
    timeout connect 5s
    timeout client 1h
    timeout server 1h
    $([ "$logged" = no ] || echo 'log global')
    $([ "$logged" = no ] || echo 'option tcplog')
    $1
listen bench
    bind 127.0.0.1:$port backlog 4096
END
		n=0
		for b in $servers; do
			n=$((n + 1))
			echo "    server s$n $b"
		done
	} >"$run/haproxy.cfg"
	haproxy -db -f "$run/haproxy.cfg" >"$run/haproxy.log" 2>"$run/out" &
	pid=$!
}

# $1: lines for the section server
start_nginx() {
	if [ "$logged" = yes ]; then
		log="$run/nginx.log basic buffer=64k flush=1s"
	else
		log=off
	fi
	{
		nginx_module
		cat <<END
daemon off;
$([ -z "$group" ] || echo "user nobody $group;")
worker_processes $workers;
worker_rlimit_nofile $nofile;
pid $run/nginx.pid;
error_log $run/nginx.err crit;
events {
    worker_connections $((idle * 2 + 2000));
}
stream {
    log_format basic '\$remote_addr:\$remote_port [\$time_iso8601] \$protocol '
        '\$status \$bytes_sent \$bytes_received \$session_time '
        '\$upstream_addr \$upstream_connect_time';
    access_log $log;
    upstream backends {
END
		for b in $servers; do
			echo "        server $b;"
		done
		cat <<END
    }
    server {
        listen 127.0.0.1:$port backlog=4096;
        proxy_pass backends;
        proxy_connect_timeout 5s;
        proxy_timeout 1h;
        $1
    }
}
END
	} >"$run/nginx.conf"
	nginx -p "$run" -c "$run/nginx.conf" >"$run/out" 2>&1 &
	pid=$!
}

start_pen() {
	set -- -f -r -x "$((idle + 300))" -q 4096
	if [ -n "$group" ]; then
		set -- "$@" -u nobody
	fi
	if [ "$logged" = yes ]; then
		: >"$run/pen.log"
		[ -z "$group" ] || chown nobody "$run/pen.log"
		set -- "$@" -l "$run/pen.log"
	fi
	# shellcheck disable=SC2086 # a list
	pen "$@" "127.0.0.1:$port" $servers >"$run/out" 2>&1 &
	pid=$!
}

# One listening port for each server: it redirects, it does not balance.
start_rinetd() {
	{
		# shellcheck disable=SC2086 # lists
		set -- $servers
		for p in $ports; do
			[ $# -gt 0 ] || break
			echo "127.0.0.1 $p 127.0.0.1 ${1##*:}"
			shift
		done
		echo "pidlogfile $run/rinetd.pid"
		[ "$logged" = no ] || echo "logfile $run/rinetd.log"
	} >"$run/rinetd.conf"
	rinetd -f -c "$run/rinetd.conf" >"$run/out" 2>&1 &
	pid=$!
}

# proxy_start NAME WORKERS LOGGED: sets $pid (empty for direct) and $addrs.
proxy_start() {
	name=$1 workers=$2 logged=$3
	pid=
	run=$tmp/$name
	rm -rf "$run"
	mkdir "$run"
	chmod 755 "$run"
	if [ "$name" = direct ]; then
		addrs=$(echo "$servers" | tr ' ' ,)
		return 0
	fi
	ports=$("$load" ports "$listeners" | tr '\n' ' ')
	port=${ports%% *}
	addrs=127.0.0.1:$port
	case $name in
	haproxy)
		start_haproxy ''
		;;
	haproxy-splice)
		# With splice-auto alone haproxy 2.6 only begins to splice when
		# a time limit of the session wakes it up, so in a run of a few
		# seconds never: its best is to splice always.
		start_haproxy 'option splice-auto
    option splice-request
    option splice-response'
		;;
	haproxy-auto)
		start_haproxy 'option splice-auto'
		;;
	nginx)
		start_nginx ''
		;;
	nginx-64k)
		start_nginx 'proxy_buffer_size 64k;'
		;;
	rinetd)
		start_rinetd
		addrs=
		for p in $ports; do
			addrs=$addrs${addrs:+,}127.0.0.1:$p
		done
		;;
	*)
		"start_$name"
		;;
	esac
	tries=0
	until port_listens "$port"; do
		tries=$((tries + 1))
		if [ "$tries" -gt 100 ] || ! kill -0 "$pid" 2>/dev/null; then
			say "$name does not start:"
			cat "$run/out" "$run"/*.err "$run"/*.log 2>/dev/null |
			    tail -n 5 >&2
			proxy_stop
			return 1
		fi
		sleep 0.05
	done
	# Workers that are still being made would be counted in the first run.
	sleep 0.1
}

# The pid of each process of the tree $1.
pid_tree() {
	ps -e -o pid= -o ppid= | awk -v root="$1" '
		{ parent[$1] = $2 }
		END {
			for (p in parent) {
				for (a = p; a > 1; a = parent[a])
					if (a == root) {
						print p
						break
					}
			}
		}'
}

# True if one of these runs; a zombie does not.
any_lives() {
	for p; do
		if state=$(sed 's/.*) \(.\).*/\1/' "/proc/$p/stat" \
		    2>/dev/null) && [ "$state" != Z ]; then
			return 0
		fi
	done
	return 1
}

# End what proxy_start began, if need be by force.
proxy_stop() {
	[ -n "$pid" ] || return 0
	all=$(pid_tree "$pid")
	kill -TERM "$pid" 2>/dev/null || :
	tries=0
	# shellcheck disable=SC2086 # a list
	while any_lives $all; do
		tries=$((tries + 1))
		if [ "$tries" -gt 60 ]; then
			say "$name does not end: killed"
			kill -KILL $all 2>/dev/null || :
			break
		fi
		sleep 0.05
	done
	wait "$pid" 2>/dev/null || :
	pid=
}

# Sessions of each worker of the proxy, as `load hold' has found them by the
# sockets of its processes; for the threads of haproxy, which share them: by
# asking. Prints "n n n n" or nothing.
proxy_threads() {
	case $1 in
	haproxy*)
		"$load" ask "$run/haproxy.sock" 'show fd' | awk '
			/fe=bench mux=/ && match($0, /tmask=0x[0-9a-f]+/) {
				n[substr($0, RSTART, RLENGTH)]++
			}
			END {
				for (t in n)
					printf "%s%d", (k++ ? " " : ""), n[t]
			}'
		;;
	esac
}
