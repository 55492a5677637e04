# SPDX-License-Identifier: ISC
# Copyright (c) 2026 The shuttled authors
# shellcheck shell=bash
#
# Completion of shuttled(8) for bash. Needs nothing but bash itself.

# Words of $1 that begin with $2.
_shuttled_words() {
	mapfile -t COMPREPLY < <(compgen -W "$1" -- "$2")
}

_shuttled_files() {
	compopt -o filenames 2>/dev/null
	mapfile -t COMPREPLY < <(compgen -f -- "$1")
}

_shuttled() {
	local cur=${COMP_WORDS[COMP_CWORD]}
	local prev=
	((COMP_CWORD == 0)) || prev=${COMP_WORDS[COMP_CWORD - 1]}

	# The colon of an address and the = of --option=value break words.
	if [[ $prev == : && $COMP_CWORD -ge 2 ]]; then
		case ${COMP_WORDS[COMP_CWORD - 2]} in
		builtin)
			_shuttled_words "hello echo discard" "$cur"
			;;
		unix)
			_shuttled_files "$cur"
			;;
		syslog)
			_shuttled_words "auth authpriv cron daemon ftp
			    mail news user local0 local1 local2
			    local3 local4 local5 local6 local7" "$cur"
			;;
		esac
		return
	fi
	if [[ $prev == = && $COMP_CWORD -ge 2 ]]; then
		prev=${COMP_WORDS[COMP_CWORD - 2]}
	elif [[ $cur == = ]]; then
		cur=
	fi

	case $prev in
	-l | --listen)
		_shuttled_words "unix: :" "$cur"
		compopt -o nospace 2>/dev/null
		;;
	-s | --server)
		_shuttled_words "unix: builtin:hello builtin:echo
		    builtin:discard" "$cur"
		compopt -o nospace 2>/dev/null
		;;
	-w | --workers)
		_shuttled_words "auto 0 1 2 4 8" "$cur"
		;;
	-L | --log)
		_shuttled_words "stderr syslog syslog+udp:// syslog+tcp://" "$cur"
		((${#COMPREPLY[@]})) || _shuttled_files "$cur"
		;;
	-e | --engine)
		_shuttled_words "hybrid select" "$cur"
		;;
	-u | --user)
		mapfile -t COMPREPLY < <(compgen -u -- "$cur")
		;;
	-c | --config | -p | --pidfile | --ports-file)
		_shuttled_files "$cur"
		;;
	--connect-timeout)
		_shuttled_words "500ms 1s 5s 30s" "$cur"
		;;
	--idle-timeout | --fin-timeout | --drain-timeout | --reload-timeout | \
	--grace)
		_shuttled_words "off 30s 1m 10m 1h" "$cur"
		;;
	--buffers)
		_shuttled_words "64 512 4096" "$cur"
		;;
	--retries)
		_shuttled_words "0 1 2 4" "$cur"
		;;
	--balance)
		_shuttled_words "roundrobin leastconn random client hash
		    maglev first" "$cur"
		;;
	--check)
		_shuttled_words "off tcp http tls send_expect" "$cur"
		;;
	--chroot)
		mapfile -t COMPREPLY < <(compgen -d -- "$cur")
		;;
	--sandbox)
		_shuttled_words "on off" "$cur"
		;;
	--max-sessions-per-worker)
		_shuttled_words "1000 10000 100000" "$cur"
		;;
	--busy-poll)
		_shuttled_words "0 20 50 200" "$cur"
		;;
	--defer-accept)
		_shuttled_words "off 1s 5s 30s" "$cur"
		;;
	--log-format)
		_shuttled_words "text json haproxy" "$cur"
		;;
	--log-sessions)
		_shuttled_words "all errors none 1/10 1/100" "$cur"
		;;
	--log-interval)
		_shuttled_words "off 1m 10m 1h" "$cur"
		;;
	*)
		_shuttled_words "-c --config -l --listen -s --server -w --workers
		    -F --foreground -p --pidfile -L --log -e --engine
		    -u --user -t --test -T --explain -v --verbose -q --quiet
		    -V --version -h --help --instance --ports-file --connect-timeout
		    --retries --balance --check --idle-timeout --fin-timeout
		    --drain-timeout --reload-timeout --grace --buffers --busy-poll --defer-accept
		    --fast-open --pin-cpus --chroot --sandbox
		    --max-sessions-per-worker --log-format --log-sessions
		    --log-interval" "$cur"
		;;
	esac
}
complete -F _shuttled shuttled
