#!/bin/sh
# SPDX-License-Identifier: ISC
# Copyright (c) 2026 The shuttled authors
#
# usage.sh: a table of command lines that are wrong. Each gives one line on
# stderr, which names the option, and status 64; nothing is started or made.
. "$(dirname "$0")/../lib.sh"

l='-l 127.0.0.1:0'
b='-s builtin:echo'

# wrong NAMED ARGS...: the one line must have this text.
wrong() {
	named=$1
	shift
	count=$((count + 1))
	status=0
	# It must not even begin: a limit of time for the case that it does.
	timeout $((10 * TEST_SLOW)) "$SHUTTLED" "$@" -F >"$T/out" \
	    2>"$T/err" </dev/null || status=$?
	assert_eq "status of: $*" "${expected:-64}" "$status"
	assert_eq "output of: $*" '' "$(cat "$T/out")"
	assert_eq "lines of: $* ($(cat "$T/err"))" 1 "$(grep -c '' "$T/err")"
	case $(cat "$T/err") in
	"shuttled: "*"$named"*) ;;
	*) fail "no '$named' in: $(cat "$T/err")" ;;
	esac
}

missing_parts() {
	wrong --listen
	# shellcheck disable=SC2086 # these are lists, here and below
	wrong --server $l
	# shellcheck disable=SC2086
	wrong --listen $b
	for option in -l -s -w -p -L -e -u --listen --server --workers \
	    --pidfile --log --engine --user --ports-file --connect-timeout \
	    --idle-timeout --fin-timeout --drain-timeout --buffers \
	    --busy-poll --defer-accept --chroot --sandbox --max-sessions-per-worker \
	    --log-format --log-sessions --log-interval; do
		# -F, which wrong() appends, must not become the value.
		status=0
		# shellcheck disable=SC2086
		"$SHUTTLED" $l $b -F "$option" 2>"$T/err" </dev/null ||
			status=$?
		assert_eq "status of $option alone" 64 "$status"
		assert_eq "$option alone" 1 \
		    "$(grep -c -e "^shuttled: option $option: " "$T/err")"
	done
}

unknown_options() {
	for option in -x -Z --nope --worker=2x --listenn=:80 -Fx; do
		case $option in
		--worker=2x) named=--workers ;;
		-Fx) named=-x ;;
		*) named=$option ;;
		esac
		# shellcheck disable=SC2086
		wrong "$named" $l $b "$option"
	done
	# The word that is wrong, not the one before it.
	# shellcheck disable=SC2086
	wrong 'option -x:' $l $b --verbose -xF
	# shellcheck disable=SC2086
	wrong 'option -x:' $l $b -vxF
	# Short for two options.
	# shellcheck disable=SC2086
	wrong 'option --v:' $l $b --v
	# shellcheck disable=SC2086
	wrong extra $l $b extra
	# shellcheck disable=SC2086
	wrong --foreground $l $b --foreground=yes
	# shellcheck disable=SC2086
	wrong --fast-open $l $b --fast-open=5
}

# values OPTION VALUE...: none of which it takes.
values() {
	option=$1
	shift
	for value in "$@"; do
		# shellcheck disable=SC2086
		wrong "--${option#--}" $l $b "$option" "$value"
		case $(cat "$T/err") in
		*"\"$value\""*) ;;
		*) fail "no \"$value\" in: $(cat "$T/err")" ;;
		esac
	done
}

wrong_values() {
	values --workers -1 129 many '' ' 2' +2 2x 0x2 1.5 99999999999999999999
	values --engine epoll '' SELECT 'select '
	values --log '' relative/file syslog: syslog:nowhere \
	    syslog+udp:// syslog+udp://10.0.0.1:0 udp://10.0.0.1 \
	    syslog+tcp://10.0.0.1/nowhere syslog+tcp://::1
	values --log-format '' txt JSON '%' '%d' '%{nothing}' '%{up' \
	    '100% %{bytes_up}' "$(printf '%%{bytes_up}%065d' 0 | sed 's/0/%{bytes_up}/g')"
	values --log-sessions '' some error 1/1 1/0 1/x 2/3 1/1000001 1/
	values --log-interval '' 5 -5s 1.5s
	values --pidfile ''
	values --ports-file ''
	for timeout in connect idle fin drain; do
		values --$timeout-timeout '' 5 -5s 5d 1.5s s 's 5' 5sec \
		    99999999999999999999h 367000000h
	done
	values --connect-timeout 0 off 0s
	values --buffers 0 -1 '' many 1048577
	values --busy-poll '' -1 1000001 50us 1.5 off
	values --chroot '' relative/directory
	values --sandbox '' ON yes 1 'on '
	values --max-sessions-per-worker '' 0 -1 300001 many 1.5
	values --defer-accept '' 5 -5s 1.5s 61s 60001ms 2m 367000000h
}

wrong_addresses() {
	for value in '' nonsense 127.0.0.1 :99999 :-1 :http0 127.0.0.1: \
	    '[::1' '[::1]80' '[::1:80' 1.2.3.4.5:80 unix: unix:relative \
	    "unix:/$(printf '%0110d' 0)" builtin:echo \
	    no.such.host.invalid:80; do
		# shellcheck disable=SC2086
		wrong --listen -l "$value" $b
	done
	for value in '' 10.0.0.1:0 10.0.0.1:65536 :80 '*:80' \
	    unix:relative builtin: builtin:nothing '10.0.0.1:80,' \
	    10.0.0.1:80,weight=257 \
	    10.0.0.1:80,weight=x 10.0.0.1:80,weight 10.0.0.1:80,name= \
	    "10.0.0.1:80,name=$(printf '%064d' 0)" '10.0.0.1:80,name=a b' \
	    10.0.0.1:80,preconnect 10.0.0.1:80,preconnect= 10.0.0.1:80,preconnect=65 \
	    builtin:echo,preconnect=1 "$(printf '%0600d' 0):80"; do
		# shellcheck disable=SC2086
		wrong --server $l -s "$value"
	done
	# shellcheck disable=SC2086
	wrong --server $l -s 10.0.0.1:80,name=a -s 10.0.0.2:80,name=a
}

# -F, which wrong() appends, would hide that one.
stderr_of_a_daemon() {
	status=0
	# shellcheck disable=SC2086
	"$SHUTTLED" $l $b -L stderr 2>"$T/err" </dev/null || status=$?
	assert_eq status 64 "$status"
	grep -q -e '--log' "$T/err" || fail "it does not say why"
}

unknown_users() {
	if [ "$(id -u)" -ne 0 ]; then
		# shellcheck disable=SC2086
		wrong --user $l $b -u root
		return 0
	fi
	# shellcheck disable=SC2086
	wrong '--user: "no-such-user": there is no such user' $l $b \
	    -u no-such-user
	# shellcheck disable=SC2086
	wrong --user $l $b -u nobody:no-such-group
	# shellcheck disable=SC2086
	wrong --user $l $b -u ''
}

# Good ones, for -t; and -V and -h whatever else there is.
right_ones() {
	root=
	[ "$(id -u)" -ne 0 ] || root='--chroot /'
	while read -r line; do
		# shellcheck disable=SC2086
		"$SHUTTLED" -t $line >"$T/out" 2>&1 ||
			fail "-t $line: $(cat "$T/out")"
	done <<-END
	$l $b
	$l $b -w auto -q -L syslog:local3
	$l $b -w 0 -F -L stderr -vv
	-l :0 -l *:0 -l [::1]:0 -l unix:$T/x.sock -s unix:/run/y.sock
	$l -s 10.0.0.1:80,weight=256,backup,preconnect=64,name=one -s 10.0.0.1:80 -s 10.0.0.1:80
	$l $b --connect-timeout 300ms --idle-timeout off --fin-timeout 0 --drain-timeout 1h
	$l $b --busy-poll 0 --busy-poll 1000000
	$l $b --defer-accept 1m --fast-open --pin-cpus
	$l $b --defer-accept 1ms --defer-accept off
	$l $b --work 3 --buffers=1
	$l $b $root --sandbox on --sandbox off --max-sessions-per-worker 300000
	$l $b -L syslog+udp://127.0.0.1 --log-format json --log-sessions all
	$l $b -L syslog+tcp://[::1]:601/local7 --log-format haproxy --log-sessions errors
	$l $b -L $T/x.log --log-format %{client_ip}:%{end}%% --log-sessions 1/1000 --log-interval 10m
	$l $b --log-sessions none --log-interval off --log-format text
	END
	"$SHUTTLED" -V | grep -q '^shuttled [0-9]' || fail 'no version'
	"$SHUTTLED" -h | grep -q '^usage: shuttled ' || fail 'no help'
}

# The default pidfile of an instance stands in no option and no file.
default_pidfile() {
	say 'instance: foo' >"$T/foo.conf"
	for args in '--instance foo' "-c $T/foo.conf"; do
		status=0
		# shellcheck disable=SC2086
		"$SHUTTLED" -t $l $b $args >"$T/out" 2>&1 || status=$?
		if [ -w /run/shuttled ]; then
			assert_eq "status of $args" 0 "$status"
			continue
		fi
		assert_eq "status of $args ($(cat "$T/out"))" 73 "$status"
		assert_eq lines 1 "$(grep -c '' "$T/out")"
		grep -q '^shuttled: pidfile /run/shuttled/foo.pid (default): ' \
		    "$T/out" || fail "$args: $(cat "$T/out")"
		[ -e /run/shuttled ] || grep -q 'the directory /run/shuttled does' \
		    "$T/out" || fail "$args: $(cat "$T/out")"
	done
}

count=0
expected=
run_cases missing_parts unknown_options wrong_values wrong_addresses \
    stderr_of_a_daemon default_pidfile right_ones unknown_users
say "$count wrong command lines"
