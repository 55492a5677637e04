#!/bin/sh
# SPDX-License-Identifier: ISC
# Copyright (c) 2026 The shuttled authors
#
# changes.sh: everything that an operator does to a service, while 50 clients
# come and go to servers that are checked and take 24 at a time: reloads, of
# which a third with a file that is wrong, upgrades, WINCH and back, workers and
# probers that are killed. Nobody but the sessions of those workers notices, no
# generation is left, and the counters add up.
# From the environment, for a longer run (a release is worth a minute):
#   CHANGES_SECONDS   how long it goes on [4]
#   CHANGES_SEED      of what happens when [the process id]
. "$(dirname "$0")/lib.sh"

[ -z "$SHUTTLED_WRAP" ] || skip 'a wrapper would not be started again'

seconds=${CHANGES_SECONDS:-4}
seed=${CHANGES_SEED:-$$}

# right PORT, wrong: the configuration from now on, there at once and whole.
right() {
	cat >"$T/conf.new" <<EOF
workers = 3
listen: { web: { address = "$1"  pool = "echo" } }
pool: { echo: { balance = "leastconn"  check = "tcp"  interval = "100ms"
                server: { a: { address = "$BACKEND"  max_sessions = 4 }
                          b: { address = "$BACKEND"  max_sessions = 20
                               weight = 2 } } } }
EOF
	mv "$T/conf.new" "$T/conf"
}

# One is found when it is read, the other when it is run.
wrong() {
	wrongs=$((${wrongs:-0} + 1))
	case $((wrongs % 2)) in
	0) sed 's/weight = 2/weight = "two"/' "$T/conf" >"$T/conf.new" ;;
	1) sed 's/^listen: {/& no: { address = "192.0.2.1:1"  pool = "echo" }/' \
		"$T/conf" >"$T/conf.new" ;;
	esac
	mv "$T/conf.new" "$T/conf"
}

# pid_is_not PID: the pidfile has another one; it is empty for a moment in between.
pid_is_not() {
	PID=$(cat "$T/pid") && [ -n "$PID" ] && [ "$PID" != "$1" ]
}

# A line for each change to come: after how many ms, and what. Upgrades and
# kills are spread evenly; the rest is reloads.
plan() {
	awk -v seed="$seed" -v end="$((seconds * 1000))" 'BEGIN {
		srand(seed)
		upgrades = end / 5
		kills = end / 8
		for (at = n = 0; at < end; at += wait) {
			wait = int(10 + rand() * 490)
			what = n++ % 3 == 2 ? "wrong" : "right"
			if (at > (u + 0.5) * upgrades) {
				what = "upgrade"
				u++
			} else if (at > (k + 0.7) * kills) {
				what = "kill"
				k++
			} else if (n % 15 == 9) {
				what = "winch"
			}
			print wait, what
		}
	}'
}

change() {
	case $1 in
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
masters=
DEATHS=wanted
echo_start
right 127.0.0.1:0
shuttled_daemon -c "$T/conf"
[ "$STATUS" -eq 0 ] || fail "$(cat "$T/start.out")"
load_start busy -c 50
plan >"$T/plan"
say "seed $seed: $(cut -d ' ' -f 2 "$T/plan" | sort | uniq -c | tr '\n' ' ')"
while read -r wait what; do
	sleep "$(awk -v ms="$wait" 'BEGIN { print ms / 1000 }')"
	change "$what"
done <"$T/plan"
# Reloads that come too close together are one: see the last two through.
refused=$(log_count 'reload: .*goes on$')
wrong
signal HUP
wait_for 15 log_reaches $((refused + 1)) 'reload: .*goes on$'
right 127.0.0.1:0
reloads=$(log_count 'reloaded: generation')
signal HUP
wait_for 15 log_reaches $((reloads + 1)) 'reloaded: generation'
load_end busy
wait_for 5 workers_are 4 # the prober is one
assert_eq 'workers of old generations' 0 "$(titles | grep -c draining || :)"
for pid in $masters; do
	wait_for 5 gone "$pid"
done
assert_eq 'connections refused' 0 "$(load_count busy loop refused)"
assert_eq 'other failures' 0 "$(load_count busy loop timeout wrong other)"
ok=$(load_count busy loop ok)
failed=$(load_count busy loop reset cut)
signal QUIT
wait_for 15 gone "$PID"
forget "$PID"
totals=$(grep -o '[0-9]* sessions* in all, [0-9]* lost' "$T/log" | tail -n 1)
lost=${totals#*all, }
lost=${lost% lost}
say "$ok connections, $failed failed; $kills workers killed; $totals;" \
    "$(log_count 'reloaded: gen') reloads, $(log_count 'reload: .*goes on$') refused," \
    "$(log_count 'process [0-9]* serves') upgrades"
# Nobody but those that we killed may have lost a session.
killed=$(sed -n 's/.*killed by signal 9 .* \([0-9]*\) sessions* lost.*/\1/p' \
    "$T/log" | awk '{ n += $1 } END { print n + 0 }')
assert_eq 'sessions lost' "$killed" "$lost"
# One that was killed between accepting and counting is counted nowhere.
assert_between 'failed connections' 0 $((lost + kills)) "$failed"
assert_between 'sessions counted' $((ok + failed - kills)) $((ok + failed)) \
    "${totals%% *}"
