#!/bin/sh
# SPDX-License-Identifier: ISC
# Copyright (c) 2026 The shuttled authors
#
# changes.sh: everything that an operator and the world do to a service, while
# 50 clients come and go to servers that are checked and take few at a time:
# reloads, of which a third with a file that is wrong, upgrades, WINCH and back,
# workers and probers that are killed, a name that cannot be looked up, local
# ports that run out, urgent bytes in the stream. Nobody but the sessions of the
# killed workers notices, no generation is left, and the counters add up.
# From the environment, for a longer run (a release is worth a minute):
#   CHANGES_SECONDS   how long it goes on [4]
#   CHANGES_SEED      of what happens when [the process id]
# Ports run out where root has a network of its own.
if [ -z "${OWN_NETWORK:-}" ] && [ "$(id -u)" -eq 0 ] &&
    unshare -n ip link set lo up 2>/dev/null; then
	OWN_NETWORK=yes exec unshare -n "$0"
fi
. "$(dirname "$0")/../lib.sh"
DNS=${DNS:-$TOOLS/dns}
# So few that they can all be taken, and enough for all that come and go.
PORTS=4000
if [ -n "${OWN_NETWORK:-}" ]; then
	ip link set lo up
	if [ "$(within $PORTS 1)" -lt $PORTS ]; then
		OWN_NETWORK=
	else
		echo "20000 $((19999 + PORTS))" \
		    >/proc/sys/net/ipv4/ip_local_port_range
	fi
fi

[ -z "$SHUTTLED_WRAP" ] || skip 'a wrapper would not be started again'

seconds=${CHANGES_SECONDS:-4}
seed=${CHANGES_SEED:-$$}

# right PORT, wrong: the configuration from now on, there at once and whole.
right() {
	cat >"$T/conf.new" <<EOF
workers: 3
resolvers: ["$RESOLVER"]
resolve_timeout: 300ms
resolve_retries: 0
resolve_min_ttl: 50ms
resolve_max_ttl: 100ms
listen: { web: { address: "$1", pool: "echo" } }
pool: { echo: { balance: "leastconn", check: "tcp", interval: "100ms",
                server: { a: { address: "$SERVER", max_sessions: 4 },
                          b: { address: "$SERVER", max_sessions: 20,
                               weight: 2 },
                          n: { address: "n.test:${SERVER##*:}",
                               resolve: "on", max_sessions: 4 },
                          h: { address: "$SERVER", max_sessions: 4,
                               source_address: "127.0.0.77" } } } }
EOF
	mv "$T/conf.new" "$T/conf"
}

# One is found when it is read, the other when it is run.
wrong() {
	wrongs=$((${wrongs:-0} + 1))
	case $((wrongs % 2)) in
	0) sed 's/weight: 2/weight: two/' "$T/conf" >"$T/conf.new" ;;
	1) sed 's/^listen: {/& no: { address: "192.0.2.1:1", pool: "echo" },/' \
		"$T/conf" >"$T/conf.new" ;;
	esac
	mv "$T/conf.new" "$T/conf"
}

# zone LINE...: what the name server says from now on.
zone() {
	printf '%s\n' "$@" >"$T/zone.new"
	mv "$T/zone.new" "$T/zone"
}

# What becomes of the name, by turns; it is there again after each failure.
names() {
	case $((names % 6)) in
	0) zone servfail ;;
	2) zone silent ;;
	4) zone nxdomain ;;
	*) zone 'n.test A 0 127.0.0.1' ;;
	esac
	names=$((names + 1))
}

# From the address of server h nobody can connect to it, or everybody again.
ports() {
	[ -n "${OWN_NETWORK:-}" ] || return 0
	if [ -n "$hog" ]; then
		ports_release
		return 0
	fi
	: >"$T/hog.out"
	"$PEER" -c "exhaust $SERVER 127.0.0.77:0" >"$T/hog.out" 2>&1 </dev/null &
	hog=$!
	started="$started $hog"
	wait_for 10 test -s "$T/hog.out"
	shortages=$((shortages + 1))
}

ports_release() {
	[ -n "$hog" ] || return 0
	kill "$hog"
	wait "$hog" 2>/dev/null || :
	forget "$hog"
	hog=
}

# Clients one by one whose stream has an urgent byte; a word for each in
# $T/urgent: how it ended.
urgent() {
	until [ -e "$T/over" ]; do
		"$PEER" -t 20000 -l 300 -c "connect $LISTEN;
		    send 60000 seed 1; send-urgent seed 1 from 60000;
		    send 60000 seed 1 from 60001; expect 120001 seed 1;
		    half-close; expect-eof" >"$T/urgent.last" 2>&1 || {
			say bad >>"$T/urgent"
			cat "$T/urgent.last" >>"$T/urgent.why"
			continue
		}
		say ok >>"$T/urgent"
	done
}

# pid_is_not PID: the pidfile has another one; it is empty for a moment in between.
pid_is_not() {
	PID=$(cat "$T/pid") && [ -n "$PID" ] && [ "$PID" != "$1" ]
}

# A line for each change to come: after how many ms, and what. Upgrades, kills
# and the rest are spread evenly; a third of the reloads is wrong.
plan() {
	awk -v seed="$seed" -v end="$((seconds * 1000))" 'BEGIN {
		srand(seed)
		split("right names wrong ports right names winch ports", rest)
		upgrades = end / 5
		kills = end / 8
		if (upgrades > 5000)
			upgrades = 5000
		if (kills > 3000)
			kills = 3000
		for (at = n = 0; at < end; at += wait) {
			wait = int(10 + rand() * 240)
			if (at > (u + 0.5) * upgrades) {
				what = "upgrade"
				u++
			} else if (at > (k + 0.7) * kills) {
				what = "kill"
				k++
			} else {
				what = rest[n++ % 8 + 1]
			}
			print wait, what
		}
	}'
}

change() {
	case $1 in
	names | ports) "$1" ;;
	right)
		right 127.0.0.1:0
		signal HUP
		;;
	wrong)
		wrong
		signal HUP
		;;
	upgrade)
		# A wrong file would stop it, as it should.
		right 127.0.0.1:0
		before=$PID
		masters="$masters $before"
		signal USR2
		wait_for 15 pid_is_not "$before"
		also_end "$PID"
		wait_for 15 log_has "process $PID serves"
		;;
	winch)
		right 127.0.0.1:0
		signal WINCH
		wait_for 5 log_reaches "$((winches += 1))" 'draining all'
		signal HUP
		;;
	kill)
		# The prober is back before anybody misses it.
		pid=$(prober)
		kill -KILL "$pid" 2>/dev/null || : # it may be gone already
		# shellcheck disable=SC2046 # the first of them
		set -- $(worker_pids)
		if kill -KILL "$1" 2>/dev/null; then
			kills=$((kills + 1))
		fi
		;;
	esac
}

winches=0
kills=0
names=0
shortages=0
hog=
masters=
DEATHS=wanted
echo_start
zone 'n.test A 0 127.0.0.1'
"$DNS" "$T/zone" >"$T/dns.out" 2>&1 </dev/null &
started="$started $!"
wait_for 5 test -s "$T/dns.out"
RESOLVER=$(head -n 1 "$T/dns.out")
right 127.0.0.1:0
shuttled_daemon -c "$T/conf"
[ "$STATUS" -eq 0 ] || fail "$(cat "$T/start.out")"
load_start busy -c 50 -p 40 -l $((seconds * 4 + 60))
: >"$T/urgent"
urgent &
urgent_pid=$!
started="$started $!"
plan >"$T/plan"
say "seed $seed: $(cut -d ' ' -f 2 "$T/plan" | sort | uniq -c | tr '\n' ' ')"
while read -r wait what; do
	sleep "$(awk -v ms="$wait" 'BEGIN { print ms / 1000 }')"
	change "$what"
done <"$T/plan"
ports_release
zone 'n.test A 0 127.0.0.1'
# Reloads that come too close together are one: see the last two through.
refused=$(log_count 'reload: .*stays in use$')
wrong
signal HUP
wait_for 15 log_reaches $((refused + 1)) 'reload: .*stays in use$'
right 127.0.0.1:0
reloads=$(log_count 'reloaded: generation')
signal HUP
wait_for 15 log_reaches $((reloads + 1)) 'reloaded: generation'
load_end busy
: >"$T/over"
wait_for 30 gone "$urgent_pid"
forget "$urgent_pid"
wait_for 5 workers_are 4 # the prober is one
assert_eq 'workers of old generations' 0 "$(titles | grep -c draining || :)"
for pid in $masters; do
	wait_for 5 gone "$pid"
done
assert_eq 'connections refused' 0 "$(load_count busy loop refused)"
assert_eq 'other failures' 0 "$(load_count busy loop timeout wrong other)"
urgent_ok=$(grep -c ok "$T/urgent" || :)
urgent_bad=$(grep -c bad "$T/urgent" || :)
ok=$(($(load_count busy loop ok) + urgent_ok))
failed=$(($(load_count busy loop reset cut) + urgent_bad))
signal QUIT
wait_for 15 gone "$PID"
forget "$PID"
totals=$(grep -o '[0-9]* sessions* in all, [0-9]* lost' "$T/log" | tail -n 1)
lost=${totals#*all, }
lost=${lost% lost}
say "$ok connections, $urgent_ok of them with urgent bytes," \
    "$failed failed; $names changes of the name, $shortages shortages of" \
    "ports; $kills workers killed; $totals;" \
    "$(log_count 'reloaded: gen') reloads, $(log_count 'reload: .*stays in use$') refused," \
    "$(log_count 'process [0-9]* serves') upgrades"
say "ends: $(sed -n 's/.* session end .* end=\([a-z_.]*\)$/\1/p' "$T/log" |
    sort | uniq -c | awk '{ printf "%s%s %s", sep, $1, $2; sep = ", " }')"
[ "$urgent_ok" -gt 0 ] || fail "no urgent byte came: $(cat "$T/urgent.why")"
# Nobody but those that we killed may have lost a session.
killed=$(sed -n 's/.*killed by signal 9 .* \([0-9]*\) sessions* lost.*/\1/p' \
    "$T/log" | awk '{ n += $1 } END { print n + 0 }')
assert_eq 'sessions lost' "$killed" "$lost"
# One that was killed between accepting and counting is counted nowhere.
assert_between 'failed connections' 0 $((lost + kills)) "$failed"
assert_between 'sessions counted' $((ok + failed - kills)) $((ok + failed)) \
    "${totals%% *}"
