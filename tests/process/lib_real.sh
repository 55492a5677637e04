# shellcheck shell=sh disable=SC2034 # some variables are for the tests
# SPDX-License-Identifier: ISC
# Copyright (c) 2026 The shuttled authors
#
# lib_real.sh: what the tests with programs of others share beyond lib.sh: who is
# here, and how they are started.
# shellcheck source-path=SCRIPTDIR disable=SC1091
. "$(dirname "$0")/lib.sh"

cases=0

have() {
	for tool in "$@"; do
		if ! command -v "$tool" >/dev/null; then
			say "left out: no $tool"
			return 1
		fi
	done
	cases=$((cases + 1))
}

# free_port: these programs take no port 0. Somebody else may get it first.
free_port() {
	"$PEER" -c "listen 127.0.0.1:0; port-file $T/free"
	sed 's/.*://' "$T/free"
}

# listens ADDRESS PID: somebody does, or the one who should has died.
listens() {
	try_peer "connect $1" || ! alive "$2"
}

# serve_with NAME COMMAND...: try ports until it serves; %PORT% is the port.
# The address is then in $ADDRESS.
serve_with() {
	name=$1
	shift
	for attempt in 1 2 3 4 5; do
		port=$(free_port)
		ADDRESS=127.0.0.1:$port
		"start_$name" "$port" >"$T/$name.$attempt.out" 2>&1 \
		    </dev/null &
		server=$!
		started="$started $server"
		wait_for 10 listens "$ADDRESS" "$server"
		! alive "$server" || return 0
	done
	fail "$name does not start: $(cat "$T/$name.5.out")"
}
