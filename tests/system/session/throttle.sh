#!/bin/sh
# SPDX-License-Identifier: ISC
# Copyright (c) 2026 The shuttled authors
#
# throttle.sh: sessions with a rate, a longest life, and sides that say nothing, in
# two workers. From the environment:
#   PACE_SECONDS   how long each rate is measured; default 1. From 10 on it has
#                  to be right within 3 %; else it may be late by two seconds,
#                  as a machine that does much else is.
# shellcheck source-path=SCRIPTDIR disable=SC1091
. "$(dirname "$0")/../lib.sh"

seconds=${PACE_SECONDS:-1}
percent=15
late=2000
if [ "$seconds" -ge 10 ]; then
	percent=3
	late=0
fi
copied=$((200 * 1024))		# reads of less than 32 KiB
spliced=$((2 * 1024 * 1024))

# limited TEXT: two workers, a listener with this and one without, over server b.
limited() {
	cat >"$T/pace.yaml" <<-EOF
		workers: 2
		listen: {
		    slow: { address: "127.0.0.1:0", $1 },
		    fast: { address: "127.0.0.1:0" }
		}
		pool: { app: { server: { b: { address: "$(address b)" } } } }
	EOF
	shuttled_start -c "$T/pace.yaml"
}

# pipes: how many ends of pipes the workers have open: who has spliced keeps some.
pipes() {
	for pid in $(worker_pids); do
		find "/proc/$pid/fd" -lname 'pipe:*' 2>/dev/null
	done | wc -l
}

# took WHAT RATE BEGUN BEFORE: so much time, and those pipes.
took() {
	ms=$(($(now_ms) - $3))
	say "$1, $2 bytes a second: $(($2 * seconds * 1000 / ms)) in $ms ms"
	if ! slow; then
		assert_between "$1: ms" $((seconds * (1000 - 10 * percent))) \
		    $((seconds * (1000 + 10 * percent) + late)) "$ms"
	fi
	[ "$2" = "$copied" ] || [ "$(pipes)" -gt "$4" ] ||
		fail "$1: nothing was spliced"
	[ "$2" != "$copied" ] || [ "$(pipes)" -eq "$4" ] ||
		fail "$1: bytes were spliced"
}

rates_are_kept() {
	for rate in $copied $spliced; do
		n=$((rate * seconds))
		peer_serve b "send $n seed 1; close"
		limited "download_rate: \"$((rate / 1024))k\","
		before=$(pipes) begun=$(now_ms)
		peer -t 60000 "connect $LISTEN; expect $n seed 1; expect-eof"
		took download "$rate" "$begun" "$before"
		peer_stop b
		shuttled_stop
		rm -f "$T/got"
		peer_serve b "expect $n seed 1; touch $T/got; expect-eof; close"
		limited "upload_rate: $rate,"
		before=$(pipes) begun=$(now_ms)
		peer_start c "timeout 60000; connect $LISTEN; send $n seed 1; \
		    half-close; expect-eof"
		try_for $((seconds + 10)) test -e "$T/got" ||
			fail 'the bytes do not come'
		took upload "$rate" "$begun" "$before"
		peer_wait c
		peer_stop b
		shuttled_stop
	done
}

# A slow one keeps nobody else from anything, and costs next to nothing. It would
# need 100 s, so that whatever the machine does the other one is done first.
others_are_not_slowed_down() {
	peer_serve b 'expect-eof; send 20000000 seed 1; close'
	limited 'download_rate: "100k", upload_rate: "100k",'
	peer_start c "timeout 60000; connect $LISTEN; half-close; \
	    expect 10000000 seed 1"
	begun=$(now_ms)
	peer -t 60000 "connect $(listener 2); half-close; \
	    expect 20000000 seed 1; expect-eof"
	say "20 MB beside a slow one: $(($(now_ms) - begun)) ms"
	# shellcheck disable=SC2154 # peer_start sets it
	alive "$peer_c" || fail 'the slow one was done first'
	# shellcheck disable=SC2046 # two numbers
	before=$(cpu_ticks $(worker_pids))
	sleep 1
	# shellcheck disable=SC2046
	ticks=$(($(cpu_ticks $(worker_pids)) - before))
	say "a second of the slow one: $ticks ticks"
	instrumented || [ $ticks -le 20 ] || fail "a pause is not idle"
	# Its server finds out, sooner or later: that is a failure to it.
	peer_end c
	assert_log 'end=client.reset'
	peer_end b
}

# The end of what was sent comes when the bytes before it have come.
ends_come_through() {
	peer_serve b 'expect 30000 seed 1; expect-eof; close'
	limited 'upload_rate: "50k",'
	peer "connect $LISTEN; send 30000 seed 1; half-close; expect-eof"
	assert_log 'end=client.close'
	peer_stop b
	shuttled_stop
	peer_serve b 'expect 10000 seed 1; expect-reset'
	limited 'upload_rate: "50k",'
	peer "connect $LISTEN; send 10000 seed 1; reset"
	assert_log 'end=client.reset'
}

silent_sides_are_cut() {
	peer_serve b 'send-text "hello\n"; send 9000 seed 1 rate 2000; expect-end'
	limited 'client_idle_timeout: "400ms",'
	peer "connect $LISTEN; expect-text \"hello\\n\"; expect-end"
	assert_log 'end=proxy.client_idle'
	assert_between total_ms 400 4000 "$(session_field total_ms)"
	# It may have noticed by now.
	peer_end b
	shuttled_stop
	peer_serve b 'expect 9000 seed 1; expect-end'
	limited 'server_idle_timeout: "400ms", idle_timeout: "1h",'
	peer_start c "connect $LISTEN; send 9000 seed 1 rate 2000"
	assert_log 'end=proxy.server_idle'
	assert_between total_ms 400 4000 "$(session_field total_ms)"
	peer_end c
	peer_end b
}

# None lives too long, and they do not end together.
lives_are_spread() {
	peer_serve b 'send-text "x"; expect-eof; close'
	limited 'max_lifetime: "3s", lifetime_jitter: 50,'
	peer "parallel 20 { connect $LISTEN; expect-text \"x\"; expect-eof }"
	wait_for 5 log_reaches 20 'end=proxy.max_lifetime'
	sed -n 's/.* total_ms=\([0-9]*\) .*/\1/p' "$T/log" | sort -n >"$T/ages"
	low=$(head -n 1 "$T/ages")
	high=$(tail -n 1 "$T/ages")
	say "lives of $low to $high ms"
	assert_between 'the longest life' 2200 $((4500 * TEST_SLOW)) "$high"
	assert_between 'the shortest one' 1490 $((3000 * TEST_SLOW)) "$low"
	slow || assert_between 'the difference' 200 3000 $((high - low))
}

# What does not end in time is cut, and keeps its reason.
a_life_without_an_end() {
	rm -f "$T/cut"
	peer_serve b "expect-eof; wait-file $T/cut"
	limited 'max_lifetime: "300ms", fin_timeout: "300ms",
	    lifetime_jitter: 0,'
	peer "connect $LISTEN; expect-eof; wait-file $T/log; \
	    expect-end; touch $T/cut"
	wait_for 5 log_has 'end=proxy.max_lifetime'
}

run_cases rates_are_kept others_are_not_slowed_down ends_come_through \
    silent_sides_are_cut lives_are_spread a_life_without_an_end
