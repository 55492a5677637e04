#!/bin/sh
# SPDX-License-Identifier: ISC
# Copyright (c) 2026 The shuttled authors
#
# changes_told.sh: lines of the log that are not of sessions: which configuration runs
# and what changed in it, as words and as fields of JSON.
. "$(dirname "$0")/../lib.sh"

# conf SERVERS [LISTENERS] [MORE]: a file of the name web.yaml.
conf() {
	front='front: { address: "127.0.0.1:0" }'
	{
		say "{ workers: 1, ${3:+$3,}"
		say "listen: { ${2:-$front} },"
		say "pool: { app: { server: { $1 } } } }"
	} >"$T/web.new"
	mv "$T/web.new" "$T/web.yaml"
}

server() {
	say "$1: { address: \"builtin:hello\", ${2:-} },"
}

# changes CAUSE TEXT: the last line of that cause says so.
changes() {
	line=$(sed -n "s/.*configuration: shuttled [0-9.]*, $1, //p" "$T/log" |
	    tail -n 1)
	case $line in
	*"$2"*) return 0 ;;
	esac
	fail "no \"$2\" in: $line"
}

a_start_says_what_runs() {
	conf "$(server a) $(server b)"
	shuttled_start -c "$T/web.yaml"
	wait_for 5 log_has 'configuration: '
	changes start "generation 1, $T/web.yaml; 1 listener, 1 pool, 2 servers"
	assert_eq lines 1 "$(log_count 'configuration: ')"
	shuttled_stop
	shuttled_start -l 127.0.0.1:0 -s builtin:hello -w 0
	wait_for 5 log_has 'configuration: '
	changes start 'generation 1, options; 1 listener, 1 pool, 1 server'
}

a_reload_says_what_changed() {
	conf "$(server a) $(server b) $(server c)"
	shuttled_start -c "$T/web.yaml"
	conf "$(server a) $(server b 'weight: 2') $(server d)"
	reload
	wait_for 5 log_reaches 2 'configuration: '
	changes reload "generation 2, $T/web.yaml; servers added: app/d; \
servers removed: app/c; servers changed: app/b"
	reload
	wait_for 5 log_reaches 3 'configuration: '
	changes reload "generation 3, $T/web.yaml; nothing changed"
	conf "$(server a) $(server b 'weight: 2') $(server d)" \
	    'edge: { address: "127.0.0.1:0" }' 'idle_timeout: "1h"'
	reload
	wait_for 5 log_reaches 4 'configuration: '
	changes reload "; settings changed: idle_timeout; listeners added: edge; \
listeners removed: front"
	# Back to a default is a change, too; of two places the option counts.
	sed -i 's/workers: 1,/log_interval: 1h, max_generations: 3,/
	    s/idle_timeout: "1h",//' "$T/web.yaml"
	reload
	wait_for 5 log_reaches 5 'configuration: '
	changes reload "; settings changed: idle_timeout, log_interval, \
max_generations, workers"
}

# What is read from elsewhere is part of what is set.
contents_of_lists_changed() {
	say '10.0.0.0/8' >"$T/nets"
	say '127.0.0.1' >"$T/all"
	conf "$(server a)" "front: { address: \"127.0.0.1:0\",
		deny: \"file:nets\" }" 'allow: "file:all"'
	shuttled_start -c "$T/web.yaml"
	printf '# the same\n10.0.0.0/8\n' >"$T/nets"
	reload
	wait_for 5 log_reaches 2 'configuration: '
	changes reload '; nothing changed'
	say '10.0.0.0/9' >"$T/nets"
	reload
	wait_for 5 log_reaches 3 'configuration: '
	changes reload '; listeners changed: front'
	say 'all' >"$T/all"
	reload
	wait_for 5 log_reaches 4 'configuration: '
	changes reload '; settings changed: allow'
}

# addresses HOST ADDRESS...: what the name means from now on.
addresses() {
	name=$1
	shift
	for ip in "$@"; do
		say "$ip $name"
	done >"$T/hosts"
}

# Names that mean something else; a server is one, whatever addresses it has.
addresses_of_names_changed() {
	if [ "$(id -u)" -ne 0 ] || ! unshare -m true 2>/dev/null; then
		say 'no mounts of our own: left out'
		return 0
	fi
	cp /etc/resolv.conf "$T/resolv.conf"
	cat >"$T/mount" <<-END
	#!/bin/sh
	mount --bind '$T/hosts' /etc/hosts &&
	mount --bind '$T/resolv.conf' /etc/resolv.conf || exit 125
	exec "\$@"
	END
	chmod +x "$T/mount"
	addresses some.test 127.0.0.1 127.0.0.2
	wrap=$SHUTTLED_WRAP
	SHUTTLED_WRAP="unshare -m $T/mount $SHUTTLED_WRAP"
	conf "x: { address: \"some.test:1\" }, $(server b)"
	shuttled_start -c "$T/web.yaml"
	assert_log '1 worker, 2 servers: ready'
	changes start '; 1 listener, 1 pool, 2 servers'
	addresses some.test 127.0.0.2 127.0.0.1
	reload
	wait_for 5 log_reaches 2 'configuration: '
	changes reload '; nothing changed'
	assert_log 'reloaded: .*, 1 listener, 2 servers;'
	addresses some.test 127.0.0.2 127.0.0.3
	reload
	wait_for 5 log_reaches 3 'configuration: '
	changes reload '; servers changed: app/x'
	say '# another one' >>"$T/resolv.conf"
	reload
	wait_for 5 log_reaches 4 'configuration: '
	changes reload '; nothing changed'
	shuttled_stop
	resolver_changed
	SHUTTLED_WRAP=$wrap
}

# It is asked where a name is looked up again and again.
resolver_changed() {
	conf "x: { address: \"some.test:1\", resolve: on }, $(server b)"
	# Perhaps there is no resolver.
	"$SHUTTLED" -t -c "$T/web.yaml" >"$T/t.out" 2>&1 || return 0
	shuttled_start -c "$T/web.yaml"
	say '# and another one' >>"$T/resolv.conf"
	reload
	wait_for 5 log_reaches 2 'configuration: '
	changes reload '; settings changed: resolv.conf'
	shuttled_stop
}

# One that still has a session is not empty.
a_drained_server_is_empty_at_last() {
	echo_start
	say_it() {
		say "a: { address: \"$SERVER\", ${1:-} }, $(server b)"
	}
	conf "$(say_it)"
	shuttled_start -c "$T/web.yaml"
	load_keep kept 1
	peer "connect $LISTEN; cat"
	conf "$(say_it 'state: "drain"')"
	reload
	wait_for 5 log_reaches 2 'configuration: '
	changes reload '; servers changed: app/a'
	assert_not_log 'drained and empty'
	load_end kept
	reload
	wait_for 5 log_reaches 3 'configuration: '
	changes reload 'nothing changed; servers drained and empty: app/a'
}

# The program after knows what the one before ran.
an_upgrade_says_what_changed() {
	conf "$(server a) $(server b)"
	shuttled_daemon -c "$T/web.yaml"
	[ "$STATUS" -eq 0 ] || fail "$(cat "$T/start.out")"
	first=$PID
	conf "$(server a) $(server c)"
	signal USR2
	wait_for 15 log_has 'shuttled [0-9.]*, upgrade, '
	changes upgrade "$T/web.yaml; servers added: app/c; \
servers removed: app/b"
	wait_for 15 gone "$first"
	PID=$(cat "$T/pid")
	also_end "$PID"
	daemon_stop QUIT
}

# So many that no line has room for them.
many_changes_are_counted() {
	conf "$(server a)"
	shuttled_start -c "$T/web.yaml"
	conf "$(server a) $(for i in $(seq 200); do server "server$i"; done)"
	reload
	wait_for 5 log_reaches 2 'configuration: '
	changes reload '; servers added: app/server1, app/server10, '
	assert_log 'configuration: .* and 1[0-9]* more$'
}

in_json_too() {
	conf "$(server a)"
	shuttled_start -c "$T/web.yaml" --log-format json
	assert_log '"event":"configuration","cause":"start","version":"[0-9.]*",'
	conf "$(server a) $(server b)"
	signal HUP
	wait_for 10 log_has "\"event\":\"configuration\",\"cause\":\"reload\",\
\"version\":\"[0-9.]*\",\"files\":\"$T/web.yaml\",\"generation\":2,\
\"servers_added\":\"app/b\",\"message\":\".*\"}\$"
}

# event STATE CAUSE [MORE]: one of server app/b, all of it in fields.
event() {
	wait_for 10 log_has "\"event\":\"server\",\"pool\":\"app\",\
\"server\":\"b\",\"state\":\"$1\",\"cause\":\"$2\",${3:-}\"message\":\".*\"}\$"
}

# A port that refuses until there is somebody.
servers_come_and_go_in_json() {
	peer_refusing b
	conf "$(server a) b: { address: \"$(address b)\" }" '' \
	    'log_format: "json"'
	shuttled_start -c "$T/web.yaml"
	for _ in 1 2 3 4; do
		peer "connect $LISTEN; cat"
	done
	event ejected 'connect: Connection refused'
	conf "$(server a) b: { address: \"$(address b)\" }" '' \
	    'log_format: "json", check: "tcp"'
	sed -i 's/app: { /&interval: "100ms", fall: 1, rise: 1, /' "$T/web.yaml"
	signal HUP
	event down '.*' '"check":"first check","servers_up":[01],"servers":2,'
	# The port stays bound, so that nothing else can take it.
	echo_at there "$(address b)"
	echo=$!
	event up '.*' '"check":"check 1 of 1","servers_up":[12],"servers":2,'
	shuttled_stop
	kill "$echo"
	wait "$echo" || :
	forget "$echo"
}

run_cases a_start_says_what_runs a_reload_says_what_changed \
    contents_of_lists_changed addresses_of_names_changed \
    a_drained_server_is_empty_at_last an_upgrade_says_what_changed \
    many_changes_are_counted in_json_too servers_come_and_go_in_json
