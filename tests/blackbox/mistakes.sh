#!/bin/sh
# SPDX-License-Identifier: ISC
# Copyright (c) 2026 The shuttled authors
#
# mistakes.sh: a table of configuration files that are wrong, and what is said
# of each: the line, and what would be right.
# shellcheck source-path=SCRIPTDIR disable=SC1091
. "$(dirname "$0")/lib.sh"

[ -z "$SHUTTLED_WRAP" ] ||
	skip 'minutes of starts with a wrapper; the sanitizers see them all'

# good: the rest of a configuration.
good() {
	echo 'listen: { web: { address = "127.0.0.1:0" } }'
	echo 'pool: { app: { server: { a: { address = "127.0.0.1:1" } } } }'
}

# conf NAME: write the file of this name, and the rest to it.
conf() {
	{ cat; good; } >"$T/$1"
}

# says TEXT...: of a.conf it says these lines, with $T for the directory.
says() {
	shuttled_try -t -c "$T/a.conf"
	assert_eq "status ($(cat "$T/try.out"))" 78 "$STATUS"
	printf "shuttled: $T/%s\n" "$@" >"$T/want"
	if ! cmp -s "$T/want" "$T/try.out"; then
		diff "$T/want" "$T/try.out" || :
		fail 'it says something else'
	fi
}

# taken: a.conf is right.
taken() {
	shuttled_try -t -c "$T/a.conf"
	assert_eq "status ($(cat "$T/try.out"))" 0 "$STATUS"
}

# line TEXT WRONG: of this line it says so.
line() {
	echo "$1" | conf a.conf
	says "a.conf:1: $2"
}

circles() {
	line '@include "a.conf"' 'a.conf includes itself by this line'
	ln -s a.conf "$T/link"
	line '@include "link"' 'link includes itself by this line'
	line "@include \"$T/a.conf\"" "$T/a.conf includes itself by this line"
	echo ' @include "b"' | conf a.conf
	printf '\n@include "a.conf"\n' >"$T/b"
	says 'b:2: a.conf includes itself by this line'
	echo '@include "c"' >"$T/b"
	printf '# @include "d"\n\t@include\t"link"\n' >"$T/c"
	says 'c:2: link includes itself by this line'
	# Twice is no circle; nor is what stands in a comment.
	printf '/*\n@include "a.conf"\n*/\n@include "e"\n@include "e"\n' |
	    conf a.conf
	: >"$T/e"
	taken
	echo '@include "."' | conf a.conf
	says 'a.conf:1: . is a directory; a file should be included'
}

deep() {
	echo '@include "1"' | conf a.conf
	for n in 1 2 3 4 5 6 7 8 9; do
		echo "@include \"$((n + 1))\"" >"$T/$n"
	done
	: >"$T/10"
	taken
	echo '@include "11"' >"$T/10"
	: >"$T/11"
	says '10:1: 11 is included too deep: 10 files at most include each other'
}

wide_numbers() {
	for n in 4294967298 99999999999 0x100000002 99999999999999999999; do
		line "workers = $n" "workers = $n: should be auto, auto:N or a number \
from 0 to 128"
		line "buffers: $n;" "buffers = $n: should be a number from 1 \
to 1048576, blocks of 64 KiB"
	done
	printf 'workers =\n4294967298\n' | conf a.conf
	says 'a.conf:2: workers = 4294967298: should be auto, auto:N or a number from 0 to 128'
	printf 'workers = +3 buffers=0x10 retries=2L;busy_poll:0,' | conf a.conf
	taken
}

without_end() {
	{ good; printf 'log_level = "debug"\n/* all\nof this\n'; } >"$T/a.conf"
	says 'a.conf:4: the comment that begins here has no end; add */'
	printf '/*/ */ workers = 1 // /*\n# /*\nlog_format = "a\\"/* %%{up}" /**/\n/***/' |
	    conf a.conf
	taken
	printf 'log_level = "debug\nworkers = 1\n' | conf a.conf
	says 'a.conf:1: the text that begins here has no end; add a "'
}

# What libconfig calls a syntax error, and no more.
words() {
	line 'workers = auto' "workers = auto: should be auto, auto:N or a number \
from 0 to 128, in double quotes"
	line 'drain_timeout = 30s' "drain_timeout = 30s: should be off or a \
time from 1ms to 8784h, in double quotes"
	line 'pin_cpus = on' 'pin_cpus = on: should be true or false'
	line 'odd = on' "odd = on: should be a number, true, false, or in \
double quotes"
	line "log = 'stderr'" 'a text stands in double quotes'
	line 'a.b: { }' 'a.b: a name has letters, digits, -, _ and * only'
	line 'a = @b' '@b: only @include "FILE" may follow an @, at the beginning of a line'
	sed 's/app: {/app: { check: { }/' >"$T/a.conf" <<-END
	$(good)
	END
	says 'a.conf:2: check: { } is empty; add type = "tcp", or another kind of checks'
	line 'workers = 1.5' 'workers = 1.5: should be auto, auto:N or a number from 0 to 128, without a fraction'
	line 'allow = "::1, ::2"' 'allow = "::1, ::2": an IPv6 network is written 2001:db8::/32; several stand in brackets: ["…", "…"]'
	printf '\357\273\277workers = 1\n' | conf a.conf
	says 'a.conf:1: this begins with a byte order mark; save it as UTF-8 without one'
	# All of them in one go.
	printf 'a.b: {}\nsandbox = on\n' | conf a.conf
	says 'a.conf:1: a.b: a name has letters, digits, -, _ and * only' \
	    'a.conf:2: sandbox = on: should be one of on, off, in double quotes'
}

# One complaint for each, and not what follows from it.
once() {
	printf 'drain_timeout = "30"\nlisten: { w: { adress = ":0" } }\n' \
	    >"$T/a.conf"
	echo 'pool: { p: { servers: { } } q: { server: { a: { addr = "x" }}}}' \
	    >>"$T/a.conf"
	says 'a.conf:1: drain_timeout = "30": should be off or a time from 1ms to 8784h, such as "5s"' \
	    'a.conf:2: there is no directive adress, perhaps address' \
	    'a.conf:3: there is no directive addr; see shuttled.conf(5)' \
	    'a.conf:3: there is no directive servers, perhaps server'
	echo 'listeners: { }  pools: { }' >"$T/a.conf"
	says 'a.conf:1: there is no directive listeners, perhaps listen' \
	    'a.conf:1: there is no directive pools, perhaps pool'
	refused 64 'option --drain-timeout: "30": should be off or a time from 1ms to 8784h, such as 5s' \
	    -l :0 --drain-timeout 30
	refused 64 'option -u, --user: "99x:99": there is no such user' \
	    -l :0 -u 99x:99
}

repeated_names() {
	printf 'workers = 1\n@include "b"\nretries = 1\n' | conf a.conf
	echo 'buffers = 7 retries: 1 workers = 2' >"$T/b"
	says "a.conf:3: retries stands in this section already, at $T/b:1; \
remove one of them" \
	    "b:1: workers stands in this section already, at $T/a.conf:1; \
remove one of them"
	cat >"$T/a.conf" <<-END
	listen: { w: { address = ":1" }
	x: { address = ":2" } w:{ } }
	pool: { a: { server: { a: { address = "127.0.0.1:1"  weight = 1
	weight = 2 } b: { address = [] } } } }
	END
	says "a.conf:2: w stands in this section already, at $T/a.conf:1; \
remove one of them" \
	    "a.conf:4: weight stands in this section already, at $T/a.conf:3; \
remove one of them"
}

# What is no file has perhaps no writer, or no end.
no_file() {
	mkfifo "$T/pipe"
	for file in "$T/pipe" /dev/zero; do
		shuttled_try -t -c "$file"
		assert_eq "status ($(cat "$T/try.out"))" 78 "$STATUS"
		assert_eq 'what it says' "shuttled: $file: this is not a file, but a pipe, a device or a socket" \
		    "$(cat "$T/try.out")"
	done
	printf '@include "pipe"\n' | conf a.conf
	says 'a.conf:1: pipe: this is not a file, but a pipe, a device or a socket'
}

# refused STATUS TEXT ARGS...: -t and the start give this status and text.
refused() {
	want=$1
	text="shuttled: $2"
	shift 2
	for test in '' -t; do
		# shellcheck disable=SC2086 # none or one
		shuttled_try $test "$@" -b builtin:echo
		assert_eq "status of $test $*" "$want" "$STATUS"
		assert_eq "$test $*" "$text" "$(cat "$T/try.out")"
	done
}

# What cannot be opened.
places() {
	taken="another listener has this address, or all addresses at this port"
	for two in ':18080 127.0.0.1:18080' '[::1]:18080 *:18080' \
	    '0.0.0.0:18080 :18080' '127.0.0.1:18080 0.0.0.0:18080'; do
		refused 64 "option -l, --listen: \"${two#* }\": $taken" \
		    -l "${two% *}" -l "${two#* }"
	done
	shuttled_try -t -l 0.0.0.0:18080 -l '[::1]:18080' -b builtin:echo
	assert_eq "status of two families ($(cat "$T/try.out"))" 0 "$STATUS"
	echo 'listen: { w2: { address = [ "127.0.0.1:18080", "[::]:18080" ] } }' \
	    >"$T/b.conf"
	sed 's/w2/w1/; s/:18080/:18081/g; s/127.0.0.1:18081/[::]:18080/' \
	    "$T/b.conf" >"$T/c.conf"
	refused 78 "$T/b.conf:1: address = \"127.0.0.1:18080\": $taken
shuttled: $T/b.conf:1: address = \"[::]:18080\": $taken" \
	    -c "$T/c.conf" -c "$T/b.conf"
	: >"$T/file"
	refused 69 "listen on unix:$T/file: this file is not a socket: \
remove it, or choose another path" -l "unix:$T/file"
	chroots
}

# warns CONF TEXT...: -t takes it, and says so of these lines.
warns() {
	shuttled_try -t -c "$1"
	assert_eq "status ($(cat "$T/try.out"))" 0 "$STATUS"
	shift
	for text in "$@"; do
		grep -qF -e "$text" "$T/try.out" ||
			fail "no '$text' in: $(cat "$T/try.out")"
	done
}

# server LISTEN SERVER [MORE]: each of the other's.
server() {
	cat >"$T/a.conf" <<EOF
listen: { web: { address = "$1";
		pool = "app"; } }
pool: { app: { server: { a: {
	address = "$2"; ${3:-} } } } }
EOF
}

# A server that is a listener, in whatever words.
loops() {
	loop='this is the listener web, whose sessions come back to this server'
	for two in '127.0.0.1:18080 127.0.0.1:18080' \
	    '127.0.0.1:18080 localhost:18080' '0.0.0.0:18080 127.0.0.1:18080' \
	    '0.0.0.0:18080 127.9.9.9:18080' ':18080 127.0.0.1:18080' \
	    '127.0.0.1:18080 0.0.0.0:18080' '0.0.0.0:18080 0.0.0.0:18080' \
	    '[::1]:18080 [::1]:18080' ':18080 [::1]:18080' \
	    ':18080 [::ffff:127.0.0.1]:18080' "unix:$T/s unix:$T/s" \
	    "unix:$T/../${T##*/}/s unix:$T/s" "unix:$T/s unix:$T//./s" \
	    'unix:@s unix:@s'; do
		case $two in
		*'[::'*) have_ipv6 || continue ;;
		esac
		server "${two% *}" "${two#* }"
		warns "$T/a.conf" "a.conf:4: address = \"${two#* }\": $loop"
	done
	# No listener gets these.
	for two in '127.0.0.1:18080 127.0.0.2:18080' \
	    '127.0.0.1:18080 127.0.0.1:18081' '[::1]:18080 127.0.0.1:18080' \
	    '0.0.0.0:18080 192.0.2.9:18080' '[::1]:18080 0.0.0.0:18080' \
	    "unix:$T/s unix:$T/x" 'unix:@s unix:@x' "unix:@s unix:$T/s" \
	    '127.0.0.1:0 127.0.0.1:18080'; do
		server "${two% *}" "${two#* }"
		shuttled_try -t -c "$T/a.conf"
		! grep 'this is the listener' "$T/try.out" || fail "$two"
	done
	longer_loops
	shuttled_try -t -l :18080 -b 127.0.0.1:18080
	grep -q 'option -b, --backend: "127.0.0.1:18080": this is the listener' \
	    "$T/try.out" || fail "$(cat "$T/try.out")"
}

# From one pool to the next is a chain; back again is a loop.
longer_loops() {
	for last in 18083 18081; do
		cat >"$T/a.conf" <<EOF
listen: { l1: { address = "127.0.0.1:18081"; pool = "p1"; }
	l2: { address = "127.0.0.1:18082"; pool = "p2"; } }
pool: { p1: { server: { a: { address = "127.0.0.1:18082"; } } }
	p2: { server: { b: { address = "127.0.0.1:$last"; } } } }
EOF
		shuttled_try -t -c "$T/a.conf"
		assert_eq "lines for $last" $((last == 18081 ? 2 : 0)) \
		    "$(grep -c 'come by others back' "$T/try.out")"
	done
}

empty_lists() {
	printf '# nothing\n\n' >"$T/nets"
	echo '10.0.0.0/8' >"$T/some"
	for allow in '"file:nets"' '["file:nets", "!10.0.0.1"]'; do
		echo "allow = $allow;" | conf a.conf
		warns "$T/a.conf" "a.conf:1: allow = \"file:$T/nets\": there is no network in this list: no client may connect"
	done
	for list in 'allow = "none";' 'deny = "file:nets";' \
	    'allow = ["file:nets", "file:some"];'; do
		echo "$list" | conf a.conf
		shuttled_try -t -c "$T/a.conf"
		assert_eq "status of $list" 0 "$STATUS"
		! grep 'no network' "$T/try.out" || fail "$list"
	done
}

# Proxies of nobody, and lists whose exceptions leave nothing.
lists_without_networks() {
	: >"$T/nets"
	for proxies in '"none"' '"file:nets"'; do
		for others in '/every client is rejected' \
		    'accept_proxy_others = "plain";/no PROXY header is read'; do
			server 127.0.0.1:0 builtin:echo
			sed -i "s|pool = |accept_proxy = $proxies; ${others%%/*} &|" "$T/a.conf"
			warns "$T/a.conf" "there is no network in this list: ${others#*/}"
		done
	done
	all='["10.0.0.0/8", "!10.0.0.0/8"]'
	for list in 'allow/no client may connect' 'deny/no client is denied' \
	    'accept_proxy/every client is rejected'; do
		server 127.0.0.1:0 builtin:echo
		sed -i "s|pool = |${list%/*} = $all; &|" "$T/a.conf"
		warns "$T/a.conf" "a.conf:2: ${list%/*} = \"10.0.0.0/8\": exceptions leave no network in this list: ${list#*/}"
	done
	for list in '["10.0.0.0/8", "!10.0.0.0/9"]' '["unix:", "!all"]' \
	    '["all", "!10.0.0.0/8"]'; do
		server 127.0.0.1:0 builtin:echo
		sed -i "s|pool = |allow = $list; &|" "$T/a.conf"
		shuttled_try -t -c "$T/a.conf"
		assert_eq "status of $list" 0 "$STATUS"
	done
}

# Without a line of a session a log of its own stays empty.
silent_logs() {
	for top in 'log_sessions = "none";' 'log_level = "warning";' \
	    'log_level = "notice";'; do
		server 127.0.0.1:0 builtin:echo
		sed -i "1s|^|$top |; s|pool = |log = \"$T/own.log\"; &|" "$T/a.conf"
		warns "$T/a.conf" 'a.conf:2: log has no effect without lines of sessions'
	done
	for top in 'log_sessions = "errors";' 'log_level = "debug";' \
	    'log_sessions = "none"; log_interval = "1m";' \
	    'log_sessions = "none"; log_level = "debug";'; do
		server 127.0.0.1:0 builtin:echo
		sed -i "1s|^|$top |; s|pool = |log = \"$T/own.log\"; &|" "$T/a.conf"
		shuttled_try -t -c "$T/a.conf"
		! grep 'log has no effect' "$T/try.out" || fail "$top"
	done
}

# They would be asked for without end, as names.
names_of_services() {
	# Without a resolver there is another error first.
	server 127.0.0.1:0 _a._tcp.example.org 'resolve = "srv";'
	shuttled_try -t -c "$T/a.conf"
	[ "$STATUS" -eq 0 ] || return 0
	long=$(printf '%064d' 0)
	for name in '_a._tcp. x' '_a._tcp..x' '_\303\274._tcp.x' 'a b' '.x' '..' \
	    "_a._tcp.$long"; do
		name=$(printf '%b' "$(say "$name" | sed 's/\\/\\0/g')")
		server 127.0.0.1:0 "$name" 'resolve = "srv";'
		shuttled_try -t -c "$T/a.conf"
		assert_eq "status of $name: $(cat "$T/try.out")" 78 "$STATUS"
		grep -qF "a.conf:4: address = \"$name\": " "$T/try.out" ||
			fail "$name: $(cat "$T/try.out")"
	done
}

# They would be asked for without end, as names.
names_of_hosts() {
	for host in 'a b' 'a..b' '..' '.a' 'b\303\274cher.example' 'a/b' \
	    '300.1.1.1' '[::g]'; do
		host=$(printf '%b' "$(say "$host" | sed 's/\\/\\0/g')")
		for more in '' 'resolve = "on";'; do
			server 127.0.0.1:0 "$host:80" "$more"
			shuttled_try -t -c "$T/a.conf"
			assert_eq "status of $host: $(cat "$T/try.out")" 78 "$STATUS"
			grep -qF "a.conf:4: address = \"$host:80\": " "$T/try.out" ||
				fail "$host: $(cat "$T/try.out")"
		done
	done
}

# Reading on would have no end.
no_files() {
	mkfifo "$T/fifo"
	mkdir "$T/dir"
	ln -s ../fifo "$T/dir/a.conf"
	for file in fifo dir; do
		shuttled_try -t -c "$T/$file"
		assert_eq "status of $file" 78 "$STATUS"
		grep -q 'this is not a file' "$T/try.out" ||
			fail "$file: $(cat "$T/try.out")"
	done
	shuttled_try -t -c /dev/zero
	assert_eq 'status of a device' 78 "$STATUS"
	for line in '@include "fifo"' 'allow = "file:fifo";' \
	    'deny = "file:/dev/zero";'; do
		echo "$line" | conf a.conf
		shuttled_try -t -c "$T/a.conf"
		assert_eq "status of $line" 78 "$STATUS"
		grep -q 'a.conf:1: .*this is not a file' "$T/try.out" ||
			fail "$line: $(cat "$T/try.out")"
	done
	rm -r "$T/fifo" "$T/dir"
}

chroots() {
	if [ "$(id -u)" -ne 0 ]; then
		refused 77 'chroot /: only root can do that' \
		    -l 127.0.0.1:0 --chroot /
		return 0
	fi
	refused 69 "chroot $T/none: No such file or directory" \
	    -l 127.0.0.1:0 --chroot "$T/none"
	refused 69 "chroot $T/file: this is not a directory" \
	    -l 127.0.0.1:0 --chroot "$T/file"
}

low_ports() {
	first=$(cat /proc/sys/net/ipv4/ip_unprivileged_port_start)
	[ "$first" -gt 1 ] || return 0
	[ "$(id -u)" -ne 0 ] || command -v setpriv >/dev/null || return 0
	echo "listen on 127.0.0.1:1: ports below $first are for root and \
CAP_NET_BIND_SERVICE" >"$T/want"
	drop=
	[ "$(id -u)" -ne 0 ] || drop='setpriv --bounding-set -net_bind_service'
	status=0
	# shellcheck disable=SC2086 # words
	$drop "$SHUTTLED" -t -l 127.0.0.1:1 -b builtin:echo >"$T/try.out" \
	    2>&1 || status=$?
	assert_eq "status ($(cat "$T/try.out"))" 77 "$status"
	assert_eq 'of a low port' "shuttled: $(cat "$T/want")" \
	    "$(cat "$T/try.out")"
}

run_cases circles deep wide_numbers without_end words once \
    repeated_names no_file no_files places loops empty_lists \
    lists_without_networks silent_logs names_of_services names_of_hosts \
    low_ports
