#!/bin/sh
# SPDX-License-Identifier: ISC
# Copyright (c) 2026 The shuttled authors
#
# log_format.sh: session lines in other formats than text, not of all sessions,
# and of those that last. What text says is tested in session_log.sh.
# shellcheck source-path=SCRIPTDIR disable=SC1091
KEEPALIVE=1s
. "$(dirname "$0")/../lib.sh"

number='[0-9][0-9]*'
rfc3339='[0-9-]\{10\}T[0-9:]\{8\}\.[0-9]\{3\}Z'

# one_session FORMAT ARGS...: of a client that sends 300 bytes and gets 7.
one_session() {
	peer_start b "listen 127.0.0.1:0; port-file $T/b; accept; \
	    expect 300 seed 1; expect-eof; send 7; close"
	format=$1
	shift
	shuttled_start -l 127.0.0.1:0 -s "$(address b),name=it" \
	    -w "$workers" --log-format "$format" "$@"
	peer "connect $LISTEN; send 300 seed 1; half-close; \
	    expect 7 seed 0; expect-eof"
	peer_wait b
}

# Every line is an object, of whatever process.
json() {
	one_session json
	assert_log "^{\"time\":\"$rfc3339\",\"process\":\"[a-z0-9 ]*\",\
\"pid\":$number,\"level\":\"info\",\"event\":\"end\",\
\"unique_id\":\"[-0-9a-f]*\",\"pp_unique_id\":null,\
\"start\":\"$rfc3339\",\"client\":\"127.0.0.1:$number\",\
\"client_ip\":\"127.0.0.1\",\"client_port\":$number,\
\"listener\":\"$LISTEN\",\"address\":\"$LISTEN\",\"pool\":\"main\",\"server\":\"it\",\
\"servers_tried\":\"it\",\"attempts\":1,\"retries\":0,\"bytes_up\":300,\"bytes_down\":7,\
\"connect_ms\":$number,\"first_byte_ms\":$number,\"queue_ms\":0,\"total_ms\":$number,\"end\":\"client.close\",\
\"worker\":$number}\$"
	shuttled_stop
	assert_eq 'lines that are no objects' '' \
	    "$(grep -v "^{\"time\":\"$rfc3339\",.*}\$" "$T/log" || :)"
	assert_log '"process":"\(master\|single\)".*"message":"listening on '
}

# As the tools that read HAProxy's logs from files of syslog want it.
haproxy() {
	head="^[A-Z][a-z][a-z] [ 123][0-9] [0-9:]\\{8\\} [^ ]* shuttled\\[$number\\]: "
	one_session haproxy
	assert_log "${head}127.0.0.1:$number \\[[0-9]\\{2\\}/[A-Z][a-z]*/[0-9]\\{4\\}:[0-9:]\\{8\\}\\.[0-9]\\{3\\}\\] \
$LISTEN main/it 0/$number/$number 7 -- 1/1/1/1/0 0/0\$"
	shuttled_stop
	assert_eq 'lines with another head' '' "$(grep -v "$head" "$T/log" || :)"
}

# Nothing stands around such a line; other lines are as ever.
own_format() {
	one_session '%{client_ip} > %{server}: %{bytes_up}+%{bytes_down} bytes, 100%% %{end}'
	assert_log '^127.0.0.1 > it: 300+7 bytes, 100% client.close$'
	assert_log "^$rfc3339 [a-z]*\\[$PID\\] notice: listening on "
}

# some_sessions ARGS...: six that end well, and two that the client resets.
some_sessions() {
	shuttled_start -l 127.0.0.1:0 -s builtin:echo -w "$workers" "$@"
	for how in close close reset close close reset close close; do
		peer "connect $LISTEN; exchange 10 10 seed 1 seed 1; $how"
	done
	wait_for 5 no_sessions
	shuttled_stop
}

# The resets have come: with errors they are what is logged last.
no_sessions() {
	[ "$errors" = no ] || log_reaches 2 'end=client.reset$'
}

which_sessions() {
	errors=yes
	some_sessions
	assert_eq 'ends in good order' 6 "$(log_count 'end=client.close$')"
	some_sessions --log-sessions errors
	assert_eq 'ends in good order' 0 "$(log_count 'end=client.close$')"
	assert_eq 'resets' 2 "$(log_count 'end=client.reset$')"
	# Each worker counts by itself.
	some_sessions --log-sessions 1/3
	assert_between 'ends in good order' 2 3 \
	    "$(log_count 'end=client.close$')"
	assert_eq 'resets' 2 "$(log_count 'end=client.reset$')"
	errors=no
	some_sessions --log-sessions none
	assert_eq 'session lines' 0 "$(log_count 'session end')"
	assert_log 'info: ready: \|notice: listening on '
}

# A session that lasts says how far it has come.
lines_in_between() {
	peer_start b "listen 127.0.0.1:0; port-file $T/b; accept; \
	    expect 300 seed 1; send 7; expect-eof; close"
	shuttled_start -l 127.0.0.1:0 -s "$(address b),name=it" \
	    -w "$workers" --log-interval 200ms
	rm -f "$T/enough"
	peer_start c "connect $LISTEN; send 300 seed 1; expect 7 seed 0; \
	    wait-file $T/enough; half-close; expect-eof"
	wait_for 10 log_reaches 3 "session still id=[-0-9a-f]* client=127.0.0.1:$number \
listener=$LISTEN servers_tried=it bytes_up=300 bytes_down=7 connect_ms=$number first_byte_ms=$number total_ms=$number\$"
	: >"$T/enough"
	peer_wait b c
	assert_log 'session end .*end=client.close$'
	assert_eq 'lines after the end' 0 "$(sed '1,/session end/d' "$T/log" |
	    grep -c 'session still' || :)"
}

workers=2
run_cases json haproxy own_format which_sessions lines_in_between
workers=0
run_cases json lines_in_between
