#!/bin/sh
# SPDX-License-Identifier: ISC
# Copyright (c) 2026 The shuttled authors
#
# balance.sh: how sessions are spread over servers, by four workers that are to
# count as one: what each algorithm does, seen from outside.
# shellcheck source-path=SCRIPTDIR disable=SC1091
. "$(dirname "$0")/../lib.sh"

workers=4

# echoes NAME...: servers that echo; their addresses in $T/NAME.
echoes() {
	for name in "$@"; do
		[ -s "$T/$name" ] || echo_at "$name"
	done
}

# balanced NAME[,SETTING]... -- ARGS...: four workers over these servers.
balanced() {
	servers=
	while [ "$1" != -- ]; do
		servers="$servers -s $(cat "$T/${1%%,*}"),name=$1"
		shift
	done
	shift
	# shellcheck disable=SC2086 # a list
	shuttled_start -l 127.0.0.1:0 $servers -w "$workers" "$@"
}

# of NAME: sessions that the log says it had.
of() {
	log_count "session end .* servers_tried=$1 "
}

# short N [AT_A_TIME]: so many short connections, four at a time; all are in the
# log.
short() {
	before=$(log_count 'session end')
	load_start short -c "${2:-4}" -n "$1"
	load_ended short
	assert_eq 'short ones' "$1" "$(load_count short loop ok)"
	wait_for 5 log_reaches $((before + $1)) 'session end'
}

# hold NAME N: so many that stay, one after the other.
hold() {
	for n in $(seq "$2"); do
		load_keep "$1$n" 1
	done
}

release() {
	for n in $(seq "$2"); do
		load_end "$1$n"
	done
}

equal_weights() {
	echoes a b
	balanced a b --
	short 30
	assert_eq 'sessions of a' 15 "$(of a)"
	assert_eq 'sessions of b' 15 "$(of b)"
}

twice_the_weight() {
	echoes a b
	balanced a,weight=2 b --
	short 30
	assert_eq 'sessions of a' 20 "$(of a)"
	assert_eq 'sessions of b' 10 "$(of b)"
}

# 5:3:1, 99 sessions one after the other: not only so many, but in this order, in
# which a server has in any window what it is due there, give or take one.
smoothly() {
	for name in a b c; do
		peer_serve $name "send-text \"$name\\n\""
	done
	balanced a,weight=5 b,weight=3 c --
	script=
	for _ in $(seq 11); do
		for name in a b a c a b a b a; do
			script="$script connect $LISTEN; expect-text \
			    \"$name\\n\"; expect-eof; close;"
		done
	done
	peer "$script"
	peer_stop a b c
	rm -f "$T/a" "$T/b" "$T/c"
}

# write_pool BALANCE STATE: of b; a is ready.
write_pool() {
	cat >"$T/pool.yaml" <<END
balance: $1
pool: { p: { server: {
	a: { address: "$(cat "$T/a")" },
	b: { address: "$(cat "$T/b")", state: "$2" }
} } }
END
}

# One has sessions that do not end; the other comes into service. It gets ten
# and so has as many; from then on it is in turn. A reload forgets nothing.
by_load() {
	echoes a b
	write_pool "$1" drain
	shuttled_start -c "$T/pool.yaml" -l 127.0.0.1:0 -w "$workers"
	hold stuck 10
	write_pool "$1" ready
	signal HUP
	wait_for 15 log_has 'reloaded: generation'
	hold free 10
	hold equal 2
	release equal 2
	release free 10
	release stuck 10
	wait_for 5 log_reaches 22 'session end'
	assert_eq 'sessions of a' 11 "$(of p/a)"
	assert_eq 'sessions of b' 11 "$(of p/b)"
	shuttled_stop
}

leastconn() {
	by_load leastconn
}

# Of two it looks at both.
two_choices() {
	by_load random
}

# Clients from 20 addresses, each three times: always the same server, whichever
# worker accepts, and each server has some.
by_address() {
	echoes a b c d
	balanced a b c d -- --balance "$1"
	for _ in 1 2 3; do
		script=
		for n in $(seq 2 21); do
			script="$script connect $LISTEN 127.0.0.$n:0; \
			    exchange 9 9 seed 1 seed 1; half-close; \
			    expect-eof; close;"
		done
		peer "$script"
	done
	wait_for 5 log_reaches 60 'session end'
	sed -n 's/.*session end id=[-0-9a-f]* client=\([^:]*\):.* servers_tried=\([^ ]*\) .*/\1 \2/p' \
	    "$T/log" | sort | uniq -c >"$T/pairs"
	assert_eq 'clients and their servers' 20 "$(wc -l <"$T/pairs")"
	assert_eq 'servers that have clients' 4 \
	    "$(awk '{ print $3 }' "$T/pairs" | sort -u | wc -l)"
	shuttled_stop
}

source_address() {
	by_address client
}

consistent_hash() {
	by_address hash
}

maglev() {
	by_address maglev
}

# pool DIRECTIVES SERVER[=MORE]...: four workers over one pool of a file.
pool() {
	servers=
	directives=$1
	shift
	for server; do
		servers="$servers ${server%%=*}: { \
		    address: \"$(cat "$T/${server%%=*}")\", ${server#"${server%%=*}"=} },"
	done
	say "pool: { p: { $directives server: { $servers } } }" >"$T/pool.yaml"
	shuttled_start -c "$T/pool.yaml" -l 127.0.0.1:0 -w "$workers"
}

# With the port in it the key is another one for each connection.
address_and_port() {
	echoes a b
	pool 'balance: "client", hash_key: "address_port",' a= b=
	short 60
	assert_between 'sessions of a' 1 59 "$(of p/a)"
}

# One client has one server, but not more than a quarter above the mean.
bounded() {
	echoes a b
	pool 'balance: "hash", hash_balance_factor: 125,' a= b=
	hold kept 12
	release kept 12
	wait_for 5 log_reaches 12 'session end'
	# Of n sessions nobody has more than 1.25 n / 2, or the next beyond.
	assert_between 'sessions of a' 4 8 "$(of p/a)"
	shuttled_stop
	pool 'balance: "hash",' a= b=
	hold kept 4
	release kept 4
	wait_for 5 log_reaches 4 'session end'
	case $(of p/a) in
	0 | 4) ;;
	*) fail "without a bound a has $(of p/a) of 4" ;;
	esac
}

# One that comes up has little at first; those that were up have the rest.
slow_start() {
	echoes a b
	peer_refusing where
	where=$(address where)
	peer_start v "listen $where; port-file $T/v; serve any { echo }"
	pool 'check: "tcp", interval: "50ms", check_timeout: "10s", rise: 4, fall: 1,
	    slow_start: "1h",' a= "b=check_address: \"$where\","
	assert_log 'server p/a: up'
	assert_log 'server p/b: up'
	short 20
	assert_eq 'sessions of b while all are warm' 10 "$(of p/b)"
	peer_stop v
	assert_log 'server p/b: down'
	peer_start v "listen $where; port-file $T/v; serve any { echo }"
	assert_log 'server p/b: up: .* (check 4 of 4)'
	short 40
	assert_between 'more of b, which is cold' 0 4 $(($(of p/b) - 10))
}

# Nor connections ahead: this one would refuse them.
no_new_sessions() {
	echoes a b d
	peer_refusing r
	balanced a,weight=0 b r,state=drain,preconnect=1 d,state=maint -- \
	    --balance random
	short 20
	assert_eq 'sessions of b' 20 "$(of b)"
	shuttled_stop
	assert_not_log 'server r: connect'
}

# The others are idle until the first is full.
first_fills_up() {
	echoes a b
	balanced a,max_sessions=3 b -- --balance first
	hold kept 5
	release kept 5
	wait_for 5 log_reaches 5 'session end'
	assert_eq 'sessions of a' 3 "$(of a)"
	assert_eq 'sessions of b' 2 "$(of b)"
	short 10 2
	assert_eq 'sessions of a' 13 "$(of a)"
}

run_cases equal_weights twice_the_weight smoothly leastconn two_choices \
    source_address consistent_hash maglev address_and_port bounded slow_start \
    no_new_sessions first_fills_up
