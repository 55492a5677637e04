#!/bin/sh
# SPDX-License-Identifier: ISC
# Copyright (c) 2026 The shuttled authors
#
# smoke.sh: is the load generator of the benchmark fit to judge? Every mode
# runs without a failure against its own server and through shuttled, and a
# server that falsifies bytes is found out. No figure is looked at.
# From the environment: SHUTTLED, LOAD; LOAD_SECS: seconds of each run (0.1), or
# more where that is too little on a busy machine to see anything.
set -eu
LC_ALL=C
export LC_ALL
SHUTTLED=${SHUTTLED:-./shuttled}
LOAD=${LOAD:-tests/bench/load}
secs=${LOAD_SECS:-0.1}
for program in "$SHUTTLED" "$LOAD"; do
	if [ ! -x "$program" ]; then
		echo "$0: no $program (set SHUTTLED and LOAD)" >&2
		exit 99
	fi
done

T=$(mktemp -d "${TMPDIR:-/tmp}/smoke.XXXXXX")
chmod 755 "$T"
serve_pid=
proxy_pid=

stop() {
	for pid in $proxy_pid $serve_pid; do
		kill -TERM "$pid" 2>/dev/null || :
		wait "$pid" 2>/dev/null || :
	done
	proxy_pid=
	serve_pid=
}

finish() {
	trap - EXIT
	stop
	rm -rf "$T"
}
trap finish EXIT
trap 'exit 1' HUP INT TERM

fail() {
	echo "FAILED: $*"
	[ ! -s "$T/log" ] || tail -n 10 "$T/log"
	exit 1
}

# appears FILE: wait until it is there.
appears() {
	tries=0
	until [ -e "$1" ]; do
		tries=$((tries + 1))
		[ "$tries" -le 400 ] || fail "${1##*/} does not appear"
		sleep 0.05
	done
}

# serve OPTION...: the server, and shuttled before it.
serve() {
	rm -f "$T/servers" "$T/ports"
	"$LOAD" serve -n 2 -t 120 -v 1 -o "$T/servers" "$@" </dev/null &
	serve_pid=$!
	appears "$T/servers"
	direct=$(paste -s -d , "$T/servers")
	"$SHUTTLED" -F -q -w 2 -L "$T/log" --ports-file "$T/ports" \
	    -l 127.0.0.1:0 -s "${direct%,*}" -s "${direct#*,}" </dev/null &
	proxy_pid=$!
	appears "$T/ports"
	through=$(cat "$T/ports")
}

# is PATTERN: in the result of the last run.
is() {
	printf '%s\n' "$result" | grep -q "$1"
}

# good NAME ADDRESS MODE OPTION...
good() {
	name=$1
	addr=$2
	mode=$3
	shift 3
	result=$("$LOAD" "$mode" -a "$addr" -t "$secs" -w 0.02 -N 500 \
	    -P "$proxy_pid" -B "$serve_pid" -v 1 "$@" </dev/null) ||
		fail "$name: $mode $*: $result"
	is '"failed":0,' || fail "$name: $mode $*: $result"
	is '"checked":[1-9]' || fail "$name: $mode $*: nothing was compared"
	is '"ops":[1-9]' || is '"gbit":' ||
		fail "$name: $mode $*: nothing was done: $result"
}

all_modes() {
	good "$1" "$2" crr -c 8
	good "$1" "$2" crr -c 8 -R 200
	good "$1" "$2" rr -c 8 -R 500
	good "$1" "$2" rr -c 4 -s 100000
	good "$1" "$2" idle -c 4 -m 50 -M
	is '"silent":50,' || fail "$1: idle: not all stand: $result"
	good "$1" "$2" bulk -k 2
	good "$1" "$2" bulk -k 2 -u
	good "$1" "$2" mix -c 4 -R 200 -C 50 -m 10 -k 1 -G 0.5
	good "$1" "$2" hold -c 8 -R 400 -b 2
	is '"ops":8,' || fail "$1: hold: not all stand: $result"
}

# caught MODE OPTION...: a wrong byte is found and named, nothing else is.
caught() {
	if result=$("$LOAD" "$@" -a "$through" -t "$secs" -w 0.02 -v 1 \
	    -N 1000000000 </dev/null); then
		fail "$*: a wrong byte was not seen: $result"
	fi
	is '"f_wrong":[1-9]' || fail "$*: not called wrong: $result"
}

serve
all_modes direct "$direct"
all_modes shuttled "$through"
stop
serve -x 5
caught crr
caught rr -c 2
caught rr -c 2 -s 100000
caught bulk
caught bulk -u
echo "all modes, directly and through shuttled; every wrong byte was found"
