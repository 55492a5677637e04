#!/bin/sh
# SPDX-License-Identifier: ISC
# Copyright (c) 2026 The shuttled authors
#
# conf.sh: configuration files: several of them, directories, includes; two
# pools behind two listeners; what options do to them; what -t and -T say; and
# mistakes, all of them in one go.
# shellcheck source-path=SCRIPTDIR disable=SC1091
KEEPALIVE=1s
. "$(dirname "$0")/../lib.sh"

# conf NAME: write the file of this name.
conf() {
	cat >"$T/$1"
}

# refused ARGS...: status 78; what it says is in $T/try.out.
refused() {
	shuttled_try "$@"
	assert_eq "status of: $* ($(cat "$T/try.out"))" 78 "$STATUS"
}

# says TEXT...: lines of its own, with $T for the directory, and no others.
says() {
	printf "shuttled: $T/%s\n" "$@" >"$T/want"
	if ! cmp -s "$T/want" "$T/try.out"; then
		diff "$T/want" "$T/try.out" || :
		fail 'it says something else'
	fi
}

# answers ADDRESS TEXT: who serves this listener.
answers() {
	peer "connect $1; expect-text \"$2\\n\"; expect-eof"
}

# two_services: servers one and two, and a file for each, with includes.
two_services() {
	peer_serve one 'send-text "one\n"'
	peer_serve two 'send-text "two\n"'
	mkdir -p "$T/conf.d/parts"
	conf conf.d/10-one.yaml <<-END
	include: parts/*
	workers: 2
	listen: { first: { address: "127.0.0.1:0", pool: one } }
	END
	cat >"$T/conf.d/parts/pool" <<-END
	pool:
	  one:
	    server:
	      a: { address: "$(address one)" }
	END
	conf conf.d/20-two.yaml <<-END
	listen:
	  second:
	    address:
	    - 127.0.0.1:0
	    - unix:$T/second.sock
	    pool: two
	pool: { "two": { 'server': { "a": { "address": "$(address two)" } } } }
	END
	echo 'this is no configuration' >"$T/conf.d/30-three.yaml~"
}

served() {
	answers "$(listener 1)" one
	answers "$(listener 2)" two
	answers "unix:$T/second.sock" two
	wait_for 5 log_reaches 3 'session end'
	assert_log 'listener=first servers_tried=one/a '
	assert_log 'listener=second servers_tried=two/a '
	peer_stop one two
	shuttled_stop
}

two_pools_of_two_files() {
	two_services
	shuttled_start -c "$T/conf.d/10-one.yaml" -c "$T/conf.d/20-two.yaml"
	served
}

a_directory() {
	two_services
	shuttled_start -c "$T/conf.d"
	served
}

# Where we are then, the name would lead nowhere.
a_relative_name() {
	two_services
	case $SHUTTLED in
	/*) ;;
	*) SHUTTLED=$PWD/$SHUTTLED ;;
	esac
	where=$PWD
	cd "$T"
	shuttled_start -c conf.d
	cd "$where"
	served
}

# Options add the listener and the pool called main, and set what is not set.
options_beside_a_file() {
	two_services
	peer_serve main 'send-text "main\n"'
	printf 'idle_timeout: 1h\nfin_timeout: 3m\n' >"$T/top.yaml"
	shuttled_start -c "$T/conf.d" -c "$T/top.yaml" -w 1 \
	    --idle-timeout 2h -l 127.0.0.1:0 -s "$(address main),name=m"
	answers "$(listener 1)" main
	answers "$(listener 2)" one
	answers "$(listener 3)" two
	wait_for 5 log_reaches 3 'session end'
	assert_log 'servers_tried=m '
	assert_eq workers 1 "$(worker_pids | grep -c '')"
	shuttled_stop
	shuttled_try -T -c "$T/conf.d" -c "$T/top.yaml" --idle-timeout 2h
	assert_eq 'idle timeouts' 3 "$(grep -c \
	    'idle_timeout: 2h  *# option --idle-timeout$' "$T/try.out")"
	sed 's/pool: one/&, idle_timeout: 3h/' \
	    "$T/conf.d/10-one.yaml" >"$T/conf.d/new"
	mv "$T/conf.d/new" "$T/conf.d/10-one.yaml"
	shuttled_try -T -c "$T/conf.d" -c "$T/top.yaml" --idle-timeout 2h
	assert_eq 'idle timeouts' 3 "$(grep -c \
	    'idle_timeout: 2h  *# option --idle-timeout$' "$T/try.out")"
	assert_eq 'fin timeouts' 3 "$(grep -c \
	    "fin_timeout: 3m  *# $T/top.yaml:2\$" "$T/try.out")"
}

defined_twice() {
	conf a.yaml <<-END
	workers: 1
	listen: { web: { address: ":0" } }
	pool: { app: { server: { a: { address: 127.0.0.1:1 } } } }
	END
	cp "$T/a.yaml" "$T/b.yaml"
	refused -c "$T/a.yaml" -c "$T/b.yaml"
	says "b.yaml:1:1: workers is set at $T/a.yaml:1 already; remove one of \
them" \
	    "b.yaml:2:11: listen web is at $T/a.yaml:2 already; rename or remove \
one of them" \
	    "b.yaml:3:9: pool app is at $T/a.yaml:3 already; rename or remove \
one of them"
	sed 's/app:/main:/; s/web:/main:/' "$T/a.yaml" >"$T/b.yaml"
	refused -c "$T/b.yaml" -l 127.0.0.1:0 -s 127.0.0.1:1
	says 'b.yaml:2:11: listen main is at option -l, --listen already; rename or remove one of them' \
	    'b.yaml:3:9: pool main is at option -s, --server already; rename or remove one of them'
}

all_mistakes_in_one_go() {
	conf bad.yaml <<-END
	wokers: 3
	workers: 1000
	idle_timeout: 5
	weight: 3
	listen:
	  web: { address: ":99999", pool: apps }
	  api: { pool: app }
	pool:
	  app:
	    server:
	      a: { address: 127.0.0.1:1, weight: "two" }
	  empty:
	END
	refused -c "$T/bad.yaml"
	says 'bad.yaml:1:1: there is no directive wokers, perhaps workers' \
	    'bad.yaml:2:10: workers "1000": should be auto, auto:N or a number from 0 to 128' \
	    'bad.yaml:3:15: idle_timeout "5": should be off or a time from 1ms to 8784h, such as 5s' \
	    'bad.yaml:4:1: weight does not belong here, but in a server of a pool' \
	    'bad.yaml:6:19: address ":99999": the port is a number from 0 to 65535' \
	    'bad.yaml:6:35: pool "apps": there is no such pool, perhaps app' \
	    'bad.yaml:7:3: listener api has no address; add address: :80' \
	    'bad.yaml:11:42: weight "two": should be a number from 0 to 256' \
	    'bad.yaml:12:3: pool empty has no server; add server: { a: { address: 10.0.0.1:80 } }'
	refused -c "$T/none.yaml"
	says 'none.yaml: No such file or directory'
	mkdir -p "$T/none.d"
	refused -c "$T/none.d"
	says 'none.d: there is no *.yaml in this directory'
	# Two files: each is read as far as it goes.
	echo 'workers: [' >"$T/worse.yaml"
	refused -c "$T/worse.yaml" -c "$T/bad.yaml" -t
	grep -q "worse.yaml:2:1: a value should be here" "$T/try.out" ||
		fail 'no syntax error'
	grep -q 'bad.yaml:4:1: ' "$T/try.out" || fail 'the second was not read'
}

# What is wrong on the command line keeps its own status.
status_of_options() {
	two_services
	shuttled_fails 64 -c "$T/conf.d" -w many
}

it_tests() {
	two_services
	shuttled_try -t -c "$T/conf.d" -p "$T/test.pid"
	assert_eq "status of -t ($(cat "$T/try.out"))" 0 "$STATUS"
	assert_eq 'what -t says' "shuttled: OK: $T/conf.d/10-one.yaml, \
$T/conf.d/parts/pool, $T/conf.d/20-two.yaml" "$(cat "$T/try.out")"
	[ ! -e "$T/test.pid" ] || fail 'it has made the pidfile'
	echo "log: $T/none/log" >"$T/log.yaml"
	shuttled_fails 73 -t -c "$T/conf.d" -c "$T/log.yaml" -p "$T/none/pid"
	printf 'shuttled: %s: No such file or directory\n' \
	    "$T/log.yaml:1:6: log \"$T/none/log\"" \
	    "option -p, --pidfile: \"$T/none/pid\"" >"$T/want"
	cmp "$T/want" "$T/try.out" || fail "it says: $(cat "$T/try.out")"
	cat >"$T/exec.yaml" <<-END
	pool:
	  p:
	    check: exec
	    check_command: $T/none/check -v
	    server: { a: { address: 127.0.0.1:1 } }
	END
	shuttled_fails 69 -t -c "$T/conf.d" -c "$T/exec.yaml"
	assert_eq 'what it says' "shuttled: $T/exec.yaml:4:20: check_command \
\"$T/none/check -v\": $T/none/check: No such file or directory" \
	    "$(cat "$T/try.out")"
}

# Not an error: it is told by -t, by -T, at the start and at a reload.
it_warns() {
	conf a.yaml <<-END
	workers: 1
	listen: { web: { address: 127.0.0.1:0 } }
	pool: { app: {
	    interval: 1s,
	    server: { a: { address: 127.0.0.1:1 } }
	} }
	END
	warning="$T/a.yaml:4:5: interval has no effect without check"
	shuttled_does -t -c "$T/a.yaml"
	grep -q "^shuttled: $warning" "$T/try.out" || fail '-t does not warn'
	shuttled_try -T -c "$T/a.yaml"
	grep -q "^# warning: $warning" "$T/try.out" || fail '-T does not warn'
	grep -v '^#' "$T/try.out" >"$T/all.yaml"
	shuttled_try -t -c "$T/all.yaml"
	assert_eq 'warnings of defaults' '' \
	    "$(sed '/OK:/d; /all.yaml:[0-9]*: interval/d' "$T/try.out")"
	shuttled_start -c "$T/a.yaml"
	assert_log "warning: $warning"
	kill -s HUP "$PID"
	assert_log "warning: reload: $warning"
	assert_log 'reloaded: generation 2'
}

# What -T prints is a configuration, and the same.
it_explains() {
	two_services
	shuttled_try -T -c "$T/conf.d" -l 127.0.0.1:0 --fast-open \
	    -s builtin:echo,weight=7,name=e -s 127.0.0.1:1,backup \
	    -s 127.0.0.1:1 -s unix:/x
	assert_eq "status of -T ($(cat "$T/try.out"))" 0 "$STATUS"
	cp "$T/try.out" "$T/first.yaml"
	grep -q '^#   descriptors: [0-9]' "$T/first.yaml" || fail 'no budget'
	for line in 'fast_open: true *# option --fast-open' \
	    "workers: 2 *# $T/conf.d/10-one.yaml:2" \
	    'buffers: 512 *# default' \
	    "    address: $(address one) *# .*/parts/pool:4" \
	    'e: # option -s, --server; runs as e$' \
	    ': # option -s, --server; runs as 127.0.0.1:1$' \
	    ': # option -s, --server; runs as 127.0.0.1:1#2$'; do
		grep -q -e "$line" "$T/first.yaml" ||
			fail "no '$line' in what -T prints"
	done
	shuttled_try -T -c "$T/first.yaml"
	assert_eq "status of -T again ($(cat "$T/try.out"))" 0 "$STATUS"
	cp "$T/try.out" "$T/second.yaml"
	for file in first second; do
		sed 's/ *#.*//' "$T/$file.yaml" >"$T/$file"
	done
	diff "$T/first" "$T/second" || fail 'it is another one'
}

# printed_again FILE: -T of it, read from a pipe, is taken and printed again.
printed_again() {
	shuttled_try -F -T -c "$1"
	assert_eq "status of -T -c $1 ($(cat "$T/try.out"))" 0 "$STATUS"
	cp "$T/try.out" "$T/once.yaml"
	for action in -t -T; do
		status=0
		# shellcheck disable=SC2002 # a pipe
		cat "$T/once.yaml" | "$SHUTTLED" -F $action -c /dev/stdin \
		    >"$T/again.yaml" 2>&1 || status=$?
		# 77: only root may, such as a port below 1024.
		case $status$action in
		0-[tT] | 77-t) ;;
		*) fail "$1: not read again: $(cat "$T/again.yaml")" ;;
		esac
	done
	for file in once again; do
		sed '/^#/d; s/ *#.*//' "$T/$file.yaml" >"$T/$file"
	done
	cmp "$T/once" "$T/again" || fail "$1: it is another one"
}

# What needs quotes there, and what programs write.
any_text_is_printed_again() {
	conf texts.yaml <<-'END'
	log_format: "%{client} \xa0\u00e9\\ '\" #: {"
	resolvers: ["[::1]:53", 10.0.0.1]
	instance: 0x10
	limit: { "1": { session_rate: 3 }, null: { max_sessions: 1 } }
	listen:
	  a.b: { limit: "1", address: [":0"], allow: ["!10.0.0.1", all, "unix:"] }
	  c: { limit: 'null', address: "*:0" }
	pool:
	  "007":
	    check: { type: send_expect, send: "\x85\u2028\x07\t\uFEFF\r\n", expect: "~^ #\"" }
	    server: { on: &s { address: 127.0.0.1:1 }, 1e3: *s }
	END
	printed_again "$T/texts.yaml"
	grep -qF 'send: "\x85\u2028\x07\t\uFEFF\x0d\n"' "$T/once.yaml" ||
		fail "$(grep send: "$T/once.yaml")"
	printf '{\n\t"workers": 2, "sandbox":"off",\n\t"listen": {"w": %s},\n' \
	    '{"address": ["127.0.0.1:0"], "fast_open": true}' >"$T/json.yaml"
	printf '\t"pool": {"p": {"server": {"s": {"address": %s}}}}\n}\n' \
	    '"10.0.0.1:80", "weight": 3' >>"$T/json.yaml"
	printed_again "$T/json.yaml"
	# shellcheck disable=SC2154 # of make check
	for file in "${srcdir:-$(dirname "$0")/../../..}"/contrib/examples/*.yaml; do
		printed_again "$file"
	done
}

# A pipe is read once: not by what would read it again at a reload.
only_tests_read_a_pipe() {
	status=0
	echo 'workers: 1' | "$SHUTTLED" -F -c /dev/stdin -l 127.0.0.1:0 \
	    -s builtin:echo >"$T/try.out" 2>&1 || status=$?
	assert_eq "status ($(cat "$T/try.out"))" 78 "$status"
	assert_eq 'what it says' "shuttled: /dev/stdin: this is a pipe, a device \
or a socket, not a file" "$(cat "$T/try.out")"
	conf a.yaml <<-END
	include: /dev/stdin
	END
	status=0
	echo 'workers: 1' | "$SHUTTLED" -t -c "$T/a.yaml" >"$T/try.out" 2>&1 ||
		status=$?
	assert_eq 'status of an include' 78 "$status"
}

run_cases two_pools_of_two_files a_directory a_relative_name \
    options_beside_a_file defined_twice all_mistakes_in_one_go \
    status_of_options it_tests it_warns it_explains \
    any_text_is_printed_again only_tests_read_a_pipe
