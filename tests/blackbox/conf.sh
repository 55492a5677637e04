#!/bin/sh
# SPDX-License-Identifier: ISC
# Copyright (c) 2026 The shuttled authors
#
# conf.sh: configuration files: several of them, directories, includes; two
# pools behind two listeners; what options do to them; what -t and -T say; and
# mistakes, all of them in one go.
# shellcheck source-path=SCRIPTDIR disable=SC1091
. "$(dirname "$0")/lib.sh"

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

# two_services: backends one and two, and a file for each, with includes.
two_services() {
	backend one 'send-text "one\n"'
	backend two 'send-text "two\n"'
	mkdir -p "$T/conf.d/parts"
	conf conf.d/10-one.conf <<-END
	workers = 2
	listen: { first: { address = "127.0.0.1:0"  pool = "one" } }
	pool: { one: { server: {
	@include "parts/server"
	} } }
	END
	echo "a: { address = \"$(address one)\" }" >"$T/conf.d/parts/server"
	conf conf.d/20-two.conf <<-END
	listen: { second: {
	    address = [ "127.0.0.1:0", "unix:$T/second.sock" ]
	    pool = "two"
	} }
	pool: { two: { server: { a: { address = "$(address two)" } } } }
	END
	echo 'this is no configuration' >"$T/conf.d/30-three.conf~"
}

served() {
	answers "$(listener 1)" one
	answers "$(listener 2)" two
	answers "unix:$T/second.sock" two
	wait_for 5 log_reaches 3 'session end'
	assert_log 'listener=first backend=one/a '
	assert_log 'listener=second backend=two/a '
	peer_stop one two
	shuttled_stop
}

two_pools_of_two_files() {
	two_services
	shuttled_start -c "$T/conf.d/10-one.conf" -c "$T/conf.d/20-two.conf"
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
	backend main 'send-text "main\n"'
	echo 'idle_timeout = "1h"  fin_timeout = "3m"' >"$T/top.conf"
	shuttled_start -c "$T/conf.d" -c "$T/top.conf" -w 1 \
	    --idle-timeout 2h -l 127.0.0.1:0 -b "$(address main),name=m"
	answers "$(listener 1)" main
	answers "$(listener 2)" one
	answers "$(listener 3)" two
	wait_for 5 log_reaches 3 'session end'
	assert_log 'backend=m '
	assert_eq workers 1 "$(worker_pids | grep -c '')"
	shuttled_stop
	shuttled_try -T -c "$T/conf.d" -c "$T/top.conf" --idle-timeout 2h
	assert_eq 'idle timeouts' 3 "$(grep -c \
	    'idle_timeout = "2h"; .* # option --idle-timeout$' "$T/try.out")"
	sed 's/pool = "one"/&  idle_timeout = "3h"/' \
	    "$T/conf.d/10-one.conf" >"$T/conf.d/new"
	mv "$T/conf.d/new" "$T/conf.d/10-one.conf"
	shuttled_try -T -c "$T/conf.d" -c "$T/top.conf" --idle-timeout 2h
	assert_eq 'idle timeouts' 3 "$(grep -c \
	    'idle_timeout = "2h"; .* # option --idle-timeout$' "$T/try.out")"
	assert_eq 'fin timeouts' 3 "$(grep -c \
	    "fin_timeout = \"3m\"; .* # $T/top.conf:1\$" "$T/try.out")"
	peer_stop one two main
}

defined_twice() {
	conf a.conf <<-END
	workers = 1
	listen: { web: { address = ":0" } }
	pool: { app: { server: { a: { address = "127.0.0.1:1" } } } }
	END
	cp "$T/a.conf" "$T/b.conf"
	refused -c "$T/a.conf" -c "$T/b.conf"
	says "b.conf:1: workers is set at $T/a.conf:1 already; remove one of \
them" \
	    "b.conf:2: listen web is at $T/a.conf:2 already; rename or remove \
one of them" \
	    "b.conf:3: pool app is at $T/a.conf:3 already; rename or remove \
one of them"
	sed 's/app:/main:/; s/web:/main:/' "$T/a.conf" >"$T/b.conf"
	refused -c "$T/b.conf" -l 127.0.0.1:0 -b 127.0.0.1:1
	says 'b.conf:2: listen main is at option -l, --listen already; rename or remove one of them' \
	    'b.conf:3: pool main is at option -b, --backend already; rename or remove one of them'
}

all_mistakes_in_one_go() {
	conf bad.conf <<-END
	wokers = 3
	workers = 1000
	idle_timeout = 5
	weight = 3
	listen: {
	    web: { address = ":99999", pool = "apps" }
	    api: { pool = "app" }
	}
	pool: {
	    app: { server: { a: { address = "127.0.0.1:1"  weight = "2" } } }
	    empty: { }
	}
	END
	refused -c "$T/bad.conf"
	says 'bad.conf:1: there is no directive wokers, perhaps workers' \
	    'bad.conf:2: workers = 1000: should be auto, auto:N or a number from 0 to 128' \
	    'bad.conf:3: idle_timeout = 5: should be off or a time from 1ms to 8784h, such as "5s"' \
	    'bad.conf:4: weight does not belong here, but in a server of a pool' \
	    'bad.conf:6: address = ":99999": the port is a number from 0 to 65535' \
	    'bad.conf:6: pool = "apps": there is no such pool, perhaps app' \
	    'bad.conf:7: listener api has no address; add address = ":80"' \
	    'bad.conf:10: weight = "2": should be a number from 0 to 256, without quotes' \
	    'bad.conf:11: pool empty has no server; add server: { a: { address = "10.0.0.1:80" } }'
	refused -c "$T/none.conf"
	says 'none.conf: No such file or directory'
	mkdir -p "$T/none.d"
	refused -c "$T/none.d"
	says 'none.d: there is no *.conf in this directory'
	# Two files: each is read as far as it goes.
	echo 'workers = ' >"$T/worse.conf"
	refused -c "$T/worse.conf" -c "$T/bad.conf" -t
	grep -q "worse.conf:[12]: syntax error" "$T/try.out" ||
		fail 'no syntax error'
	grep -q 'bad.conf:4: ' "$T/try.out" || fail 'the second was not read'
}

# What is wrong on the command line keeps its own status.
status_of_options() {
	two_services
	shuttled_try -c "$T/conf.d" -w many
	assert_eq status 64 "$STATUS"
	peer_stop one two
}

it_tests() {
	two_services
	shuttled_try -t -c "$T/conf.d" -p "$T/test.pid"
	assert_eq "status of -t ($(cat "$T/try.out"))" 0 "$STATUS"
	assert_eq 'what -t says' "shuttled: OK: $T/conf.d/10-one.conf, \
$T/conf.d/parts/server, $T/conf.d/20-two.conf" "$(cat "$T/try.out")"
	[ ! -e "$T/test.pid" ] || fail 'it has made the pidfile'
	echo "log = \"$T/none/log\"" >"$T/log.conf"
	shuttled_try -t -c "$T/conf.d" -c "$T/log.conf" -p "$T/none/pid"
	assert_eq 'status without a directory' 73 "$STATUS"
	printf 'shuttled: %s: No such file or directory\n' \
	    "$T/log.conf:1: log = \"$T/none/log\"" \
	    "option -p, --pidfile: \"$T/none/pid\"" >"$T/want"
	cmp "$T/want" "$T/try.out" || fail "it says: $(cat "$T/try.out")"
	cat >"$T/exec.conf" <<-END
	pool: { p: { check = "exec"  check_command = "$T/none/check -v"
	    server: { a: { address = "127.0.0.1:1" } } } }
	END
	shuttled_try -t -c "$T/conf.d" -c "$T/exec.conf"
	assert_eq 'status without the program' 69 "$STATUS"
	assert_eq 'what it says' "shuttled: $T/exec.conf:1: check_command = \
\"$T/none/check -v\": $T/none/check: No such file or directory" \
	    "$(cat "$T/try.out")"
	peer_stop one two
}

# Not an error: it is told by -t, by -T, at the start and at a reload.
it_warns() {
	conf a.conf <<-END
	workers = 1
	listen: { web: { address = "127.0.0.1:0" } }
	pool: { app: {
	    interval = "1s"
	    server: { a: { address = "127.0.0.1:1" } }
	} }
	END
	warning="$T/a.conf:4: interval has no effect without check"
	shuttled_try -t -c "$T/a.conf"
	assert_eq "status of -t" 0 "$STATUS"
	grep -q "^shuttled: $warning" "$T/try.out" || fail '-t does not warn'
	shuttled_try -T -c "$T/a.conf"
	grep -q "^# warning: $warning" "$T/try.out" || fail '-T does not warn'
	grep -v '^#' "$T/try.out" >"$T/all.conf"
	shuttled_try -t -c "$T/all.conf"
	assert_eq 'warnings of defaults' '' \
	    "$(sed '/OK:/d; /all.conf:[0-9]*: interval/d' "$T/try.out")"
	shuttled_start -c "$T/a.conf"
	assert_log "warning: $warning"
	kill -s HUP "$PID"
	assert_log "warning: reload: $warning"
	assert_log 'reloaded: generation 2'
	shuttled_stop
}

# What -T prints is a configuration, and the same.
it_explains() {
	two_services
	shuttled_try -T -c "$T/conf.d" -l 127.0.0.1:0 --fast-open \
	    -b builtin:echo,weight=7,name=e -b 127.0.0.1:1,backup \
	    -b 127.0.0.1:1 -b unix:/x
	assert_eq "status of -T ($(cat "$T/try.out"))" 0 "$STATUS"
	cp "$T/try.out" "$T/first.conf"
	grep -q '^#   descriptors: [0-9]' "$T/first.conf" || fail 'no budget'
	for line in 'fast_open = true; *# option --fast-open' \
	    "workers = 2; *# $T/conf.d/10-one.conf:1" \
	    'buffers = 512; *# default' \
	    "    address = \"$(address one)\"; *# .*/parts/server:1" \
	    'e: { # option -b, --backend; runs as e$' \
	    ': { # option -b, --backend; runs as 127.0.0.1:1$' \
	    ': { # option -b, --backend; runs as 127.0.0.1:1#2$'; do
		grep -q -e "$line" "$T/first.conf" ||
			fail "no '$line' in what -T prints"
	done
	shuttled_try -T -c "$T/first.conf"
	assert_eq "status of -T again ($(cat "$T/try.out"))" 0 "$STATUS"
	cp "$T/try.out" "$T/second.conf"
	for file in first second; do
		sed 's/ *#.*//' "$T/$file.conf" >"$T/$file"
	done
	diff "$T/first" "$T/second" || fail 'it is another one'
	peer_stop one two
}

run_cases two_pools_of_two_files a_directory a_relative_name \
    options_beside_a_file defined_twice all_mistakes_in_one_go \
    status_of_options it_tests it_warns it_explains
