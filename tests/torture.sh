#!/bin/sh
# SPDX-License-Identifier: ISC
# Copyright (c) 2026 The shuttled authors
#
# torture.sh: the tests, many times over, in circumstances that are hard for
# them. A table of runs and failed tests is the result. The machine stays as it
# is: what changes it is done in a child or in a network namespace of its own.
# What the machine cannot do is skipped, with the reason.
# usage, in a build directory after `make check TESTS=`:
#   torture.sh [-n RUNS] [-j JOBS] [-p RUNS] [-r] [-t 'TEST ...'] [NAME ...]
#     -n RUNS    in each circumstance [20]
#     -j JOBS    tests at a time in a run [twice the processors]
#     -p RUNS    runs at a time, each in a network namespace of its own [1]
#     -r         root stays root; otherwise its tests run as user 65534
#     -t TESTS   such as 'tests/unit/board/test_resolved_addr tests/system/upstream/queue.sh' [all]
#     NAME       of a circumstance [all]: descriptors hard busy one-processor
#                no-ipv6 long-tmpdir loss german dash busybox
# Logs of failed tests are left in torture/. Exit status 1: some test failed.
# shellcheck disable=SC2317 # functions are called by name
set -eu
names='descriptors hard busy one-processor no-ipv6 long-tmpdir loss german'
names="$names dash busybox"
PATH=$PATH:/usr/sbin:/sbin

say() {
	printf '%s\n' "$*"
}

die() {
	say "torture.sh: $*" >&2
	exit 2
}

have() {
	command -v "$1" >/dev/null 2>&1
}

# --- one run, as the user and where it is to be -----------------------------

# run_one TEST: from the list, by xargs.
run_one() {
	test=$1
	# shellcheck disable=SC2086 # a word or none
	case $test in
	*.sh) set -- ${TORTURE_SH-} "../$test" ;;
	*) set -- "./$test" ;;
	esac
	log=$TORTURE_OUT/$(say "$test" | tr / -).log
	status=0
	timeout -k 30 900 "$@" >"$log" 2>&1 </dev/null || status=$?
	case $status in
	0 | 77) rm -f "$log" ;;
	*) say "exit status $status" >>"$log" ;;
	esac
	say "$status $test" >>"$TORTURE_OUT/results"
}

# run_all: all tests of the list.
run_all() {
	helpers=
	trap 'trap - EXIT; [ -z "$helpers" ] || kill $helpers 2>/dev/null || :' \
	    EXIT
	trap 'exit 1' HUP INT TERM
	if [ "$TORTURE_NAME" = busy ]; then
		for _ in 1 2 3 4 5 6 7 8; do
			(trap - EXIT; while :; do :; done) &
			helpers="$helpers $!"
		done
	fi
	# In the background: a signal ends the wait for it.
	xargs -n 1 -P "$TORTURE_JOBS" "$work/tests/torture.sh" run_one <"$TORTURE_LIST" &
	wait $!
}

# --- entering a circumstance -------------------------------------------------

# isolated COMMAND...: in a network namespace with an lo of its own, set up by
# the command in $setup. Who is not root is so in there until the set-up is
# done, and then who it was.
isolated() {
	# shellcheck disable=SC2016 # expanded by the inner shell
	if [ "$(id -u)" -eq 0 ]; then
		unshare -n sh -ec "ip link set lo up; ${setup-:}
		    exec \"\$@\"" sh "$@"
	else
		unshare -r -n sh -ec "ip link set lo up; ${setup-:}
		    exec unshare -U --map-user=$(id -u) --map-group=$(id -g) \
		    \"\$@\"" sh "$@"
	fi
}

can_isolate() {
	have unshare || { say 'no unshare'; return; }
	have ip || { say 'no ip'; return; }
	isolated true 2>/dev/null || say 'no network namespaces'
}

lossy() {
	say "nft add table inet torture &&
	    nft add chain inet torture input \
	    '{ type filter hook input priority 0; }' &&
	    nft add rule inet torture input numgen random mod 100 0 drop"
}

no_ipv6() {
	say 'echo 1 >/proc/sys/net/ipv6/conf/all/disable_ipv6'
}

# lacks NAME: what this machine lacks for it; nothing: nothing.
lacks() {
	case $1 in
	descriptors | hard | busy | long-tmpdir) ;;
	one-processor) have taskset || say 'no taskset' ;;
	no-ipv6)
		setup=$(no_ipv6)
		can_isolate
		;;
	loss)
		have nft || { say 'no nft'; return; }
		setup=$(lossy)
		can_isolate
		;;
	german)
		have localedef || { say 'no localedef'; return; }
		mkdir -p "$work/locale"
		localedef -i de_DE -f UTF-8 "$work/locale/de_DE.UTF-8" \
		    2>/dev/null || say 'no source of the locale de_DE'
		;;
	dash | busybox) have "$1" || say "no $1" ;;
	*) die "no circumstance '$1'" ;;
	esac
}

# as_user COMMAND...: as whom the tests run.
as_user() {
	if [ "$(id -u)" -ne 0 ] || [ -n "$stay_root" ]; then
		exec "$@"
	fi
	exec setpriv --reuid 65534 --regid 65534 --clear-groups "$@"
}

# The processors that we may use, one a line.
processors() {
	taskset -cp $$ | sed 's/.*: //' | tr , '\n' | while IFS=- read -r a b; do
		seq "$a" "${b:-$a}"
	done
}

# enter NAME RUN: one run in this circumstance. Does not come back.
enter() {
	TORTURE_NAME=$1
	TORTURE_OUT=$work/$1.$2
	TMPDIR=$TORTURE_OUT/tmp
	setup=:
	mkdir -p "$TMPDIR"
	if [ "$1" = long-tmpdir ]; then
		rest=$((140 - ${#TMPDIR} - 1))
		TMPDIR=$TMPDIR/$(printf "%0${rest}d" 0)
		mkdir "$TMPDIR"
	else
		TMPDIR=$(mktemp -d "${tmp:-/tmp}/torture-tmp.XXXXXX")
	fi
	say "$TMPDIR" >"$TORTURE_OUT/tmpdir"
	[ "$(id -u)" -ne 0 ] || [ -n "$stay_root" ] ||
	    chown -R 65534:65534 "$TORTURE_OUT" "$TMPDIR"
	export TORTURE_NAME TORTURE_OUT TMPDIR
	set -- "$1" "$2" "$work/tests/torture.sh" run_all
	cd "$work/build"
	case $1 in
	descriptors) ulimit -n 256 ;;
	hard) ulimit -n 1024 ;;
	one-processor)
		taskset -cp "$(processors |
		    awk -v n="$2" '{ p[NR - 1] = $1 } END { print p[n % NR] }')" \
		    $$ >/dev/null
		;;
	no-ipv6) setup=$(no_ipv6) ;;
	loss)
		setup=$(lossy)
		TEST_LOSSY=yes
		export TEST_LOSSY
		;;
	german)
		unset LC_ALL
		LANG=de_DE.UTF-8 LOCPATH=$work/locale
		export LANG LOCPATH
		;;
	dash | busybox)
		mkdir -p "$work/$1"
		ln -sf "$(command -v "$1")" "$work/$1/sh"
		PATH=$work/$1:$PATH
		TORTURE_SH=$work/$1/sh
		export PATH TORTURE_SH
		;;
	esac
	shift 2
	case $TORTURE_NAME:$at_once in
	no-ipv6:* | loss:* | *:[!1]* | *:1?*)
		isolated "$work/tests/torture.sh" as_user "$@"
		;;
	*)
		as_user "$@"
		;;
	esac
}

# --- all runs ------------------------------------------------------------------

# end_group PGID: shells differ in how they are told of a group.
end_group() {
	[ -z "$1" ] || kill -s TERM -- "-$1" 2>/dev/null ||
	    kill -s TERM "-$1" 2>/dev/null || :
}

# lane N: each of the runs that fall to it, one after the other.
lane() {
	pid=
	trap 'end_group "$pid"; wait; exit 1' \
	    HUP INT TERM
	i=0
	while read -r name run; do
		i=$((i + 1))
		[ $((i % at_once)) -eq "$1" ] || continue
		setsid "$work/tests/torture.sh" enter "$name" "$run" >"$work/$name.$run.said" \
		    2>&1 </dev/null &
		pid=$!
		wait "$pid" || :
		pid=
		gather "$name" "$run"
	done <"$work/runs"
}

# gather NAME RUN: its results, and the logs of what failed.
gather() {
	out=$work/$1.$2
	sed "s/^/$1 $2 /" "$out/results" >>"$work/results" 2>/dev/null ||
		cat "$work/$1.$2.said"
	for log in "$out"/*.log; do
		[ -e "$log" ] || continue
		cp "$log" "$logs/$1.$2.${log##*/}" || :
	done
	rm -rf "$(cat "$out/tmpdir")" "$out"
	awk -v name="$1" -v run="$2" '$1 == name && $2 == run {
		n++
		if ($3 == 77)
			skipped++
		else if ($3 != 0)
			failed = failed " " $4
	} END {
		printf "%s, run %d: %d tests, %d skipped, failed:%s\n", name,
		    run, n, skipped, failed == "" ? " none" : failed
	}' "$work/results"
}

# table: of all there is. A run without all of its results has failed.
table() {
	printf '%-14s %5s %7s  %s\n' circumstance runs passed 'failed tests'
	for name; do
		awk -v name="$name" -v runs="$runs" -v all="$tests" '
		$1 == name {
			n[$2]++
			if ($3 != 0 && $3 != 77) {
				bad[$2] = 1
				failed[$4]++
			}
		}
		END {
			for (run = 1; run <= runs; run++)
				if (n[run] == all && !bad[run])
					passed++
				else if (n[run] != all)
					failed["(unfinished)"]++
			for (test in failed)
				list = list " " test " " failed[test] ","
			sub(/,$/, "", list)
			printf "%-14s %5d %7d %s\n", name, runs, passed, list
			exit passed != runs
		}' "$work/results" || bad=1
	done
	while read -r name reason; do
		printf '%-14s skipped: %s\n' "$name" "$reason"
	done <"$work/skipped"
	# All results, in the words of automake's summary.
	awk '{ n[$3 == 0 ? "PASS" : $3 == 77 ? "SKIP" : "FAIL"]++ }
	    END {
		split("PASS SKIP FAIL", word)
		for (i = 1; i <= 3; i++)
			printf "# %s: %d\n", word[i], n[word[i]]
	    }' "$work/results"
}

# What the tests read and run, where any user can reach it.
copy() {
	top=$(cd "$(dirname "$0")/.." && pwd)
	for file in "$top"/* "$top"/.ci; do
		case ${file##*/} in
		build* | autom4te.cache | shuttled-*) ;;
		*) cp -R "$file" "$work" ;;
		esac
	done
	mkdir "$work/build"
	cp -R shuttled contrib tests "$work/build"
	# Nothing of it belongs to the one who runs the tests.
	chmod -R a+rX,go-w "$work"
}

list_tests() {
	if [ -n "$chosen" ]; then
		# shellcheck disable=SC2086 # a list
		printf '%s\n' $chosen
		return 0
	fi
	# shellcheck disable=SC2016 # a variable of make
	printf 'include Makefile\ntorture-list:\n\t@echo $(TESTS)\n' |
	    make -s -f - torture-list | tr ' ' '\n'
}

end() {
	trap - EXIT
	# shellcheck disable=SC2086 # a list
	[ -z "$lanes" ] || kill $lanes 2>/dev/null || :
	wait
	for out in "$work"/*/tmpdir; do
		[ ! -e "$out" ] || rm -rf "$(cat "$out")"
	done
	rm -rf "$work"
}

case ${1-} in
run_one | run_all | as_user | enter)
	"$@"
	exit
	;;
esac

runs=20
jobs=$(($(nproc) * 2))
at_once=1
stay_root=
chosen=
while getopts n:j:p:rt: option; do
	case $option in
	n) runs=$OPTARG ;;
	j) jobs=$OPTARG ;;
	p) at_once=$OPTARG ;;
	r) stay_root=yes ;;
	t) chosen=$OPTARG ;;
	*) exit 2 ;;
	esac
done
shift $((OPTIND - 1))
[ -x ./shuttled ] || die 'no ./shuttled: run this in a build directory'
[ "$at_once" -eq 1 ] || [ -z "$(can_isolate)" ] || die "-p: $(can_isolate)"
tmp=${TMPDIR:-/tmp}
work=$(mktemp -d "$tmp/torture.XXXXXX")
logs=$PWD/torture
lanes=
trap end EXIT
trap 'exit 1' HUP INT TERM
chmod 755 "$work"
rm -rf "$logs"
mkdir "$logs"
copy
list_tests >"$work/list"
tests=$(grep -c . "$work/list") || die 'no tests'
: >"$work/results"
: >"$work/runs"
: >"$work/skipped"
chosen_names=
# shellcheck disable=SC2086 # a list
[ $# -gt 0 ] || set -- $names
for name; do
	reason=$(lacks "$name")
	if [ -n "$reason" ]; then
		say "$name $reason" >>"$work/skipped"
		continue
	fi
	chosen_names="$chosen_names $name"
	seq "$runs" | sed "s/^/$name /" >>"$work/runs"
done
TORTURE_LIST=$work/list
TORTURE_JOBS=$jobs
SHUTTLED=$work/build/shuttled
TOOLS=$work/build/tests/system/tools
srcdir=..
HOME=/
TEST_TAIL=300
export TEST_TAIL TORTURE_LIST TORTURE_JOBS SHUTTLED TOOLS srcdir HOME
export work at_once stay_root tmp
i=0
while [ $i -lt "$at_once" ]; do
	lane $i &
	lanes="$lanes $!"
	i=$((i + 1))
done
for pid in $lanes; do
	wait "$pid" || :
done
lanes=
bad=0
say
# shellcheck disable=SC2086 # a list
table $chosen_names
exit $bad
