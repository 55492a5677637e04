#!/bin/sh
# SPDX-License-Identifier: ISC
# Copyright (c) 2026 The shuttled authors
#
# mistakes.sh: a table of configuration files that are wrong, and what is said
# of each: the line, and what would be right.
# shellcheck source-path=SCRIPTDIR disable=SC1091
. "$(dirname "$0")/../lib.sh"

[ -z "$SHUTTLED_WRAP" ] ||
	skip 'minutes of starts with a wrapper; the sanitizers see them all'

# good: the rest of a configuration.
good() {
	echo 'listen: { web: { address: "127.0.0.1:0" } }'
	echo 'pool: { app: { server: { a: { address: 127.0.0.1:1 } } } }'
}

# conf NAME: write the file of this name, and the rest to it.
conf() {
	{ cat; good; } >"$T/$1"
}

# says TEXT...: of a.conf it says these lines, with $T for the directory.
says() {
	shuttled_try -t -c "$T/a.conf"
	assert_eq "status ($(cat "$T/try.out"))" 78 "$STATUS"
	for text in "$@"; do
		printf 'shuttled: %s/%s\n' "$T" "$text"
	done >"$T/want"
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

# line TEXT WRONG [BEFORE]: of this line, or the one after BEFORE, it says so:
# WRONG begins with the column.
line() {
	{ [ $# -lt 3 ] || say "$3"; say "$1"; } | conf a.conf
	says "a.conf:$(($# - 1)):$2"
}

circles() {
	line 'include: a.conf' '10: include a.conf: this file includes itself here'
	ln -s a.conf "$T/link"
	line 'include: [link]' '11: include link: this file includes itself here'
	line "include: $T/a.conf" '10: include a.conf: this file includes itself here'
	line 'include: a.c*' '10: include a.conf: this file includes itself here'
	echo 'include: b' | conf a.conf
	printf '\ninclude:\n- a.conf\n' >"$T/b"
	says 'b:3:3: include a.conf: this file includes itself here'
	echo 'include: c' >"$T/b"
	printf '# include: d\ninclude: "link"\n' >"$T/c"
	says 'c:2:10: include link: this file includes itself here'
	# Twice is no circle, nor is what stands in a comment; a pattern may mean
	# no file, and means them by their bytes.
	printf '# include: a.conf\ninclude: [e, e, "*.none", d/*]\n' | conf a.conf
	: >"$T/e"
	mkdir "$T/d"
	for n in B a; do
		echo "$n: 1" >"$T/d/$n"
	done
	says 'd/B:1:1: there is no directive B; see shuttled.yaml(5)' \
	    'd/a:1:1: there is no directive a; see shuttled.yaml(5)'
	rm -r "$T/d"
	taken
	line 'include: .' '10: include .: this is a directory; its files are ./*.yaml'
	line 'include: none' '10: include none: No such file or directory'
	# What directories are called is no pattern.
	mkdir "$T/[d]*"
	echo 'workers: x' >"$T/[d]*/b"
	echo 'include: b*' >"$T/[d]*/a"
	echo 'include: "[[]d]?/a"' | conf a.conf
	says '[d]*/b:1:10: workers "x": should be auto, auto:N or a number from 0 to 128'
	rm -r "$T/[d]*"
}

deep() {
	echo 'include: 1' | conf a.conf
	for n in 1 2 3 4 5 6 7 8 9; do
		echo "include: $((n + 1))" >"$T/$n"
	done
	: >"$T/10"
	taken
	echo 'include: 11' >"$T/10"
	: >"$T/11"
	says '10:1:10: include 11: at most 10 files include each other'
}

wide_numbers() {
	for n in 4294967298 99999999999 0x100000002 99999999999999999999 +3 0x10 \
	    2L 1_000 -1 1.5 1e1 ' 1 1' '"1 "'; do
		shown=${n#' '}
		shown=${shown#\"}
		shown=${shown%\"}
		at=$((10 + (${#n} > ${#shown}) * (1 - (${#n} - ${#shown}) / 2)))
		line "workers: $n" "$at: workers \"$shown\": should be auto, auto:N or a number \
from 0 to 128"
		line "buffers: $n" "$at: buffers \"$shown\": should be a number from 1 \
to 1048576, blocks of 64 KiB"
	done
	printf 'workers:\n  4294967298\n' | conf a.conf
	says 'a.conf:2:3: workers "4294967298": should be auto, auto:N or a number from 0 to 128'
	printf 'workers: "3"\nbuffers: 007\nretries: >-\n  2\nbusy_poll: !!int 0\n' |
	    conf a.conf
	says 'a.conf:5:12: a tag (!) is not used: a directive knows the type of its value; a text that begins with ! stands in quotes'
	sed -i 's/!!int //' "$T/a.conf"
	taken
}

without_end() {
	{ good; printf 'log_level: "debug\n# all\nof: this\n'; } >"$T/a.conf"
	says 'a.conf:3:12: the text that begins here has no end; add a quote'
	printf 'workers: "1" # "\n# '"'"'\nlog_format: "a\\"# %%{bytes_up}" # "\n' |
	    conf a.conf
	taken
	printf 'log_level: "debug\nworkers: 1\n' | conf a.conf
	says 'a.conf:1:12: the text that begins here has no end; add a quote'
	printf 'resolvers: [127.0.0.1\nworkers: 1\n' | conf a.conf
	says 'a.conf:2:8: a , or a ] should be here: [ VALUE, VALUE ]; an IPv6 address stands in quotes, "[::1]:80"'
}

# What YAML reads otherwise than it may be meant.
words() {
	line 'drain_timeout: 30' '16: drain_timeout "30": should be off or a time from 1ms to 8784h, such as 5s'
	line 'pin_cpus: on' '11: pin_cpus "on": should be true or false'
	line 'odd: on' '1: there is no directive odd; see shuttled.yaml(5)'
	line 'workers 3' '1: no colon follows this; a directive is NAME: VALUE'
	line 'workers = 3' '1: no colon follows this; a directive is NAME: VALUE'
	line 'workers:3' '1: no colon follows this; a directive is NAME: VALUE'
	line 'workers: 3;' '10: workers "3;": should be auto, auto:N or a number from 0 to 128'
	line "$(printf '\tworkers: 3')" '1: a tab cannot indent; use spaces'
	line 'workers: &n' '10: workers "": should be auto, auto:N or a number from 0 to 128'
	line 'allow: !10.0.0.1' '8: a tag (!) is not used: a directive knows the type of its value; a text that begins with ! stands in quotes'
	line 'allow: unix:' '12: this colon makes a second NAME: VALUE in one line; begin a line, or quote a text that has a colon before a blank or at its end'
	line 'allow: [unix:]' '13: within [ ] and { } a text that ends in a colon stands in quotes'
	line '- unix:' '3: allow: should be networks, all, none, unix: or file:NAME, ! before exceptions, but is a map; a text that ends in a colon stands in quotes' 'allow:'
	line 'resolvers: [::1]:53' '13: within [ ] and { } a text that begins with a colon stands in quotes, such as ":80"'
	line 'log_format: %{client}' '13: a text that begins with %, @ or ` stands in quotes'
	line 'log_format: *x' '13: no anchor above has this name; a text that begins with * stands in quotes'
	line '<<: { workers: 3 }' '1: << does not merge here: write the directives out, or use an alias for a whole section'
	line '? [workers]' '3: a name should be a text'
	line '---' '1: a second document begins here; a file is one, remove the --- or write two files' 'workers: 1'
	line "$(printf 'log: \300\257')" '6: this byte, 0xc0, is not UTF-8; save the file as UTF-8'
	line "$(printf 'log: \001')" '6: this is the control character U+0001; write "\u0001" in double quotes'
	printf 'log: \000x\n' | conf a.conf
	says 'a.conf:1:6: this is a NUL byte: the file is no text'
	printf '%%YAML 2.0\n---\n' | conf a.conf
	says 'a.conf:1:1: this version of YAML is not known; remove the line, or write %YAML 1.2'
	sed 's/app: {/app: { check: { },/' >"$T/a.conf" <<-END
	$(good)
	END
	says 'a.conf:2:16: check: { } is empty; add type: tcp, or another kind of checks'
	line 'allow: "::1, ::2"' '8: allow "::1, ::2": an IPv6 network is written 2001:db8::/32; several are a list: [ …, … ]'
	# A mark, and lines of other systems, are YAML.
	printf '\357\273\277workers: 1\r\n' | conf a.conf
	taken
	# All of them in one go.
	printf 'a.b: {}\nsandbox: true\n' | conf a.conf
	says 'a.conf:1:1: there is no directive a.b; see shuttled.yaml(5)' \
	    'a.conf:2:10: sandbox "true": should be one of on, off'
	printf 'listen: { a/b: { address: ":1" }, %s: { address: ":2" } }\n' \
	    x23456789012345678901234567890123456789012345678901234567890x >"$T/a.conf"
	echo 'pool: { app: { server: { a: { address: 127.0.0.1:1 } } } }' >>"$T/a.conf"
	says 'a.conf:1:11: listen a/b: a name has 1 to 60 letters, digits, -, _ and dots' \
	    'a.conf:1:35: listen x23456789012345678901234567890123456789012345678901234567890x: a name has 1 to 60 letters, digits, -, _ and dots'
}

# One diagnostic for each, and not what follows from it.
once() {
	cat >"$T/a.conf" <<-END
	drain_timeout: 30
	listen: { w: { adress: ":0" } }
	pool:
	  p: { servers: { } }
	  q: { server: { a: { addr: x } } }
	END
	says 'a.conf:1:16: drain_timeout "30": should be off or a time from 1ms to 8784h, such as 5s' \
	    'a.conf:2:16: there is no directive adress, perhaps address' \
	    'a.conf:4:8: there is no directive servers, perhaps server' \
	    'a.conf:5:23: there is no directive addr; see shuttled.yaml(5)'
	printf 'listeners:\npools: { }\n' >"$T/a.conf"
	says 'a.conf:1:1: there is no directive listeners, perhaps listen' \
	    'a.conf:2:1: there is no directive pools, perhaps pool'
	refused 64 'option --drain-timeout: "30": should be off or a time from 1ms to 8784h, such as 5s' \
	    -l :0 --drain-timeout 30
	refused 64 'option -u, --user: "99x:99": there is no such user' \
	    -l :0 -u 99x:99
}

repeated_names() {
	printf 'include: b\nworkers: 1\nretries: 1\n' | conf a.conf
	printf 'buffers: 7\nretries: 1\nworkers: 2\n' >"$T/b"
	says "b:2:1: retries is set at $T/a.conf:3 already; remove one of them" \
	    "b:3:1: workers is set at $T/a.conf:2 already; remove one of them"
	cat >"$T/a.conf" <<-END
	listen: { w: { address: ":1" },
	x: { address: ":2" }, w: { } }
	pool: { a: { server: { a: { address: 127.0.0.1:1, weight: 1,
	weight: 2 }, b: { address: [] } } } }
	END
	says "a.conf:2:23: w stands in this section already, at $T/a.conf:1; \
remove one of them" \
	    "a.conf:4:1: weight stands in this section already, at $T/a.conf:3; \
remove one of them" \
	    'a.conf:4:28: address: should be host:port, host, unix:/path or builtin:NAME, but is a list'
}

# One anchor may stand for many sections, but not without end.
aliases() {
	cat >"$T/a.conf" <<-END
	listen: { web: { address: 127.0.0.1:0, pool: p1 } }
	limit: { x: &none { } }
	pool:
	  p1: &p { server: { a: &s { address: 127.0.0.1:1 }, b: *s } }
	  p2: *p
	  p3: { <<: *p }
	END
	says 'a.conf:6:9: << does not merge here: write the directives out, or use an alias for a whole section'
	sed -i '/<</d' "$T/a.conf"
	taken
	awk 'BEGIN {
		print "listen: { web: { address: \"127.0.0.1:0\", pool: p1 } }"
		print "pool:\n p0: &p\n  server:"
		for (i = 0; i < 1000; i++)
			print "   s" i ": { address: unix:/s, weight: 1 }"
		for (i = 1; i < 4000; i++)
			print " p" i ": *p"
	}' >"$T/a.conf"
	shuttled_fails 78 -t -c "$T/a.conf"
	grep -q 'there are more than 32768 servers, counting what aliases' \
	    "$T/try.out" || fail "$(head -n 3 "$T/try.out")"
	awk 'BEGIN {
		print "pool: { app: { server: { a: { address: \"127.0.0.1:1\" } } } }"
		print "listen:\n l0: &l\n  allow:"
		for (i = 0; i < 1000; i++)
			print "  - 10.0.0.1"
		for (i = 1; i < 2000; i++)
			print " l" i ": *l"
	}' >"$T/a.conf"
	shuttled_fails 78 -t -c "$T/a.conf"
	grep -q 'there are more than 1000000 values, counting what aliases' \
	    "$T/try.out" || fail "$(head -n 3 "$T/try.out")"
}

# What is no file has perhaps no writer, or no end.
no_file() {
	mkfifo "$T/pipe"
	for file in "$T/pipe" /dev/zero; do
		shuttled_try -t -c "$file"
		assert_eq "status ($(cat "$T/try.out"))" 78 "$STATUS"
		assert_eq 'what it says' "shuttled: $file: this is a pipe, a device or a socket, not a file" \
		    "$(cat "$T/try.out")"
	done
	echo 'include: pipe' | conf a.conf
	says 'a.conf:1:10: include pipe: this is a pipe, a device or a socket, not a file'
}

# refused STATUS TEXT ARGS...: -t and the start give this status and text.
refused() {
	want=$1
	text="shuttled: $2"
	shift 2
	for test in '' -t; do
		# shellcheck disable=SC2086 # none or one
		shuttled_try $test "$@" -s builtin:echo
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
	shuttled_try -t -l 0.0.0.0:18080 -l '[::1]:18080' -s builtin:echo
	assert_eq "status of two families ($(cat "$T/try.out"))" 0 "$STATUS"
	echo 'listen: { w2: { address: [ "127.0.0.1:18080", "[::]:18080" ] } }' \
	    >"$T/b.conf"
	sed 's/w2/w1/; s/:18080/:18081/g; s/127.0.0.1:18081/[::]:18080/' \
	    "$T/b.conf" >"$T/c.conf"
	refused 78 "$T/b.conf:1:28: address \"127.0.0.1:18080\": $taken
shuttled: $T/b.conf:1:47: address \"[::]:18080\": $taken" \
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
listen: { web: { address: "$1",
		pool: app } }
pool: { app: { server: { a: {
	address: "$2", ${3:-} } } } }
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
		warns "$T/a.conf" "a.conf:4:11: address \"${two#* }\": $loop"
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
	shuttled_try -t -l :18080 -s 127.0.0.1:18080
	try_said 'option -s, --server: "127.0.0.1:18080": this is the listener'
}

# From one pool to the next is a chain; back again is a loop.
longer_loops() {
	for last in 18083 18081; do
		cat >"$T/a.conf" <<EOF
listen: { l1: { address: 127.0.0.1:18081, pool: p1 },
	l2: { address: 127.0.0.1:18082, pool: p2 } }
pool: { p1: { server: { a: { address: 127.0.0.1:18082 } } },
	p2: { server: { b: { address: "127.0.0.1:$last" } } } }
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
		echo "allow: $allow" | conf a.conf
		warns "$T/a.conf" "a.conf:1:$((8 + 1 * (${#allow} > 11))): allow \"file:$T/nets\": there is no network in this list: no client may connect"
	done
	for list in 'allow: none' 'deny: file:nets' \
	    'allow: [file:nets, file:some]'; do
		echo "$list" | conf a.conf
		shuttled_does -t -c "$T/a.conf"
		! grep 'no network' "$T/try.out" || fail "$list"
	done
}

# Proxies of nobody, and lists whose exceptions leave nothing.
lists_without_networks() {
	: >"$T/nets"
	for proxies in '"none"' '"file:nets"'; do
		for others in '/every client is rejected' \
		    'accept_proxy_untrusted: plain,/no PROXY header is read'; do
			server 127.0.0.1:0 builtin:echo
			sed -i "s|pool: app|accept_proxy: $proxies, ${others%%/*} &|" "$T/a.conf"
			warns "$T/a.conf" "there is no network in this list: ${others#*/}"
		done
	done
	all='["10.0.0.0/8", "!10.0.0.0/8"]'
	for list in 'allow/no client may connect' 'deny/no client is denied' \
	    'accept_proxy/every client is rejected'; do
		server 127.0.0.1:0 builtin:echo
		sed -i "s|pool: app|${list%/*}: $all, &|" "$T/a.conf"
		warns "$T/a.conf" "${list%/*} \"10.0.0.0/8\": exceptions leave no network in this list: ${list#*/}"
	done
	for list in '["10.0.0.0/8", "!10.0.0.0/9"]' '["unix:", "!all"]' \
	    '["all", "!10.0.0.0/8"]'; do
		server 127.0.0.1:0 builtin:echo
		sed -i "s|pool: app|allow: $list, &|" "$T/a.conf"
		shuttled_does -t -c "$T/a.conf"
	done
}

# Without a line of a session a log of its own stays empty.
silent_logs() {
	for top in 'log_sessions: none' 'log_level: warning' \
	    'log_level: notice'; do
		server 127.0.0.1:0 builtin:echo
		sed -i "1s|^|$top\\n|; s|pool: app|log: \"$T/own.log\", &|" "$T/a.conf"
		warns "$T/a.conf" 'log has no effect without lines of sessions'
	done
	for top in 'log_sessions: errors' 'log_level: debug' \
	    'log_sessions: none\nlog_interval: 1m' \
	    'log_sessions: none\nlog_level: debug'; do
		server 127.0.0.1:0 builtin:echo
		sed -i "1s|^|$top\\n|; s|pool: app|log: \"$T/own.log\", &|" "$T/a.conf"
		shuttled_try -t -c "$T/a.conf"
		! grep 'log has no effect' "$T/try.out" || fail "$top"
	done
}

# They would be asked for without end, as names.
names_of_services() {
	# Without a resolver there is another error first.
	server 127.0.0.1:0 _a._tcp.example.org 'resolve: srv'
	shuttled_try -t -c "$T/a.conf"
	[ "$STATUS" -eq 0 ] || return 0
	long=$(printf '%064d' 0)
	for name in '_a._tcp. x' '_a._tcp..x' '_\303\274._tcp.x' 'a b' '.x' '..' \
	    "_a._tcp.$long"; do
		name=$(printf '%b' "$(say "$name" | sed 's/\\/\\0/g')")
		server 127.0.0.1:0 "$name" 'resolve: srv'
		shuttled_try -t -c "$T/a.conf"
		assert_eq "status of $name: $(cat "$T/try.out")" 78 "$STATUS"
		grep -qF "a.conf:4:11: address \"$name\": " "$T/try.out" ||
			fail "$name: $(cat "$T/try.out")"
	done
}

# They would be asked for without end, as names.
names_of_hosts() {
	for host in 'a b' 'a..b' '..' '.a' 'b\303\274cher.example' 'a/b' \
	    '300.1.1.1' '[::g]'; do
		host=$(printf '%b' "$(say "$host" | sed 's/\\/\\0/g')")
		for more in '' 'resolve: on'; do
			server 127.0.0.1:0 "$host:80" "$more"
			shuttled_try -t -c "$T/a.conf"
			assert_eq "status of $host: $(cat "$T/try.out")" 78 "$STATUS"
			grep -qF "a.conf:4:11: address \"$host:80\": " "$T/try.out" ||
				fail "$host: $(cat "$T/try.out")"
		done
	done
}

# Reading on would have no end.
no_files() {
	mkfifo "$T/fifo"
	mkdir "$T/dir"
	ln -s ../fifo "$T/dir/a.yaml"
	for file in fifo dir; do
		shuttled_fails 78 -t -c "$T/$file"
		grep -q 'this is a pipe' "$T/try.out" ||
			fail "$file: $(cat "$T/try.out")"
	done
	shuttled_fails 78 -t -c /dev/zero
	for line in 'include: fifo' 'allow: file:fifo' \
	    'deny: file:/dev/zero'; do
		echo "$line" | conf a.conf
		shuttled_fails 78 -t -c "$T/a.conf"
		grep -q 'a.conf:1:[0-9]*: .*this is a pipe' "$T/try.out" ||
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
	$drop "$SHUTTLED" -t -l 127.0.0.1:1 -s builtin:echo >"$T/try.out" \
	    2>&1 || status=$?
	assert_eq "status ($(cat "$T/try.out"))" 77 "$status"
	assert_eq 'of a low port' "shuttled: $(cat "$T/want")" \
	    "$(cat "$T/try.out")"
}

run_cases circles deep wide_numbers without_end words once \
    repeated_names aliases no_file no_files places loops empty_lists \
    lists_without_networks silent_logs names_of_services names_of_hosts \
    low_ports
