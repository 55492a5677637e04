#!/bin/sh
# SPDX-License-Identifier: ISC
# Copyright (c) 2026 The shuttled authors
#
# session_log.sh: the line of each session: every field, for every end.
# shellcheck source-path=SCRIPTDIR disable=SC1091
KEEPALIVE=1s
. "$(dirname "$0")/../lib.sh"

number='[0-9][0-9]*'
stamp='^[0-9-]*T[0-9:]*\.[0-9]\{3\}Z'

# ends END SERVER-SCRIPT CLIENT-SCRIPT [ARGS...]: one session with this end.
ends() {
	end=$1
	peer_start b "listen 127.0.0.1:0; port-file $T/b; accept; $2"
	client=$3
	shift 3
	shuttled_start -l 127.0.0.1:0 -s "$(address b),name=it" \
	    -w "$workers" "$@"
	peer "connect $LISTEN; $client"
	assert_log "session end id=[-0-9a-f]* client=127\\.0\\.0\\.1:$number \
listener=$LISTEN servers_tried=it bytes_up=$number bytes_down=$number connect_ms=$number \
first_byte_ms=[-0-9]* total_ms=$number end=$end\$"
	assert_eq 'lines' 1 "$(log_count 'session end')"
	peer_wait b
	shuttled_stop
}

client_close() {
	ends client.close 'expect 300 seed 1; expect-eof; send 7; close' \
	    'send 300 seed 1; half-close; expect 7 seed 0; expect-eof'
	assert_eq up 300 "$(session_field bytes_up)"
	assert_eq down 7 "$(session_field bytes_down)"
}

server_close() {
	ends server.close 'send 300 seed 1; half-close; expect-eof' \
	    'expect 300 seed 1; expect-eof; close'
	assert_eq up 0 "$(session_field bytes_up)"
	assert_eq down 300 "$(session_field bytes_down)"
}

client_reset() {
	ends client.reset 'expect 50 seed 1; expect-reset' \
	    'send 50 seed 1; flush; reset'
	assert_eq up 50 "$(session_field bytes_up)"
}

server_reset() {
	ends server.reset 'send 50 seed 1; flush; reset' \
	    'expect 50 seed 1; expect-reset'
	assert_eq down 50 "$(session_field bytes_down)"
}

idle_timeout() {
	ends proxy.idle_timeout 'expect-end' 'expect-end' \
	    --idle-timeout 300ms
}

fin_timeout() {
	rm -f "$T/cut"
	ends proxy.fin_timeout "expect-eof; wait-file $T/cut" \
	    "half-close; expect-end; touch $T/cut" --fin-timeout 300ms
}

refused() {
	peer_refusing r
	shuttled_start -l 127.0.0.1:0 -s "$(address r),name=r" -w "$workers"
	peer "connect $LISTEN; expect-eof"
	assert_log "listener=$LISTEN servers_tried=r bytes_up=0 bytes_down=0 connect_ms=- \
first_byte_ms=- total_ms=$number end=server.refused\$"
}

connect_timeout() {
	peer_silent s
	shuttled_start -l 127.0.0.1:0 -s "$(address s),name=s" \
	    -w "$workers" --connect-timeout 300ms
	peer "connect $LISTEN; expect-eof"
	assert_log "servers_tried=s bytes_up=0 bytes_down=0 connect_ms=- first_byte_ms=- total_ms=$number \
end=proxy.connect_timeout\$"
	assert_between total_ms 300 5000 "$(session_field total_ms)"
}

# The client leaves while the server has not answered yet.
client_leaves_early() {
	peer_silent s
	shuttled_start -l 127.0.0.1:0 -s "$(address s),name=s" \
	    -w "$workers" --connect-timeout 300ms
	peer "connect $LISTEN; reset"
	assert_log "session end "
}

# held_open END SIGNAL: a session ended by one of the master.
held_open() {
	peer_start b "listen 127.0.0.1:0; port-file $T/b; accept; \
	    send 5 seed 1; expect-end"
	end=$1
	signal=$2
	shift 2
	rm -f "$T/open"
	shuttled_start -l 127.0.0.1:0 -s "$(address b)" -w "$workers" "$@"
	peer_start c "connect $LISTEN; expect 5 seed 1; touch $T/open; \
	    timeout 30000; expect-end"
	wait_for 10 test -e "$T/open"
	shuttled_end "$signal"
	peer_wait b c
	assert_log "bytes_down=5 .*end=$end\$"
}

stop() {
	held_open proxy.stop TERM
	held_open proxy.stop INT
}

drain() {
	held_open proxy.drain QUIT --drain-timeout 300ms
}

the_form_of_a_line() {
	shuttled_start -l 127.0.0.1:0 -s builtin:hello -w "$workers"
	peer "connect $LISTEN; cat"
	if [ "$workers" -gt 0 ]; then
		assert_log "$stamp worker $number\\[$number\\] info: session end "
	else
		assert_log "$stamp [a-z0-9 ]*\\[$PID\\] info: session end "
	fi
	assert_log "$stamp [a-z0-9 ]*\\[$PID\\] notice: listening on $LISTEN\$"
	assert_not_log 'session start'
}

verbose_has_the_start_too() {
	shuttled_start -l 127.0.0.1:0 -s builtin:hello -w "$workers" -v
	peer "connect $LISTEN; cat"
	assert_log "session start id=[-0-9a-f]* client=127.0.0.1:$number listener=$LISTEN\$"
	assert_log 'session end '
}

quiet_has_neither() {
	shuttled_start -l 127.0.0.1:0 -s builtin:hello -w "$workers" -q
	peer "connect $LISTEN; cat"
	shuttled_stop
	assert_not_log 'session start'
	assert_not_log 'session end'
}

names_default_to_addresses() {
	peer_behind b 'send 1' -w "$workers"
	peer "connect $LISTEN; cat"
	assert_log "servers_tried=$(address b) "
}

for workers in 2 0; do
	say "with -w $workers"
	run_cases client_close server_close client_reset server_reset \
	    idle_timeout fin_timeout refused connect_timeout \
	    client_leaves_early stop drain the_form_of_a_line \
	    verbose_has_the_start_too quiet_has_neither \
	    names_default_to_addresses
done
