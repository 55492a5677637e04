#!/bin/sh
# SPDX-License-Identifier: ISC
# Copyright (c) 2026 The shuttled authors
#
# docs.sh: what is written must be so. Options, fields and end reasons are the
# same in binary, man page and completion; features have their directives and
# tests; every command line in README, man page, demos and start-up files and
# every configuration in examples, pages and recipes is one that shuttled takes;
# the page shows the examples as they are, and its index is complete.
# usage: docs.sh            in a build directory (srcdir from make check)
set -eu
set -f			# addresses such as [::1]:80 are no patterns
LC_ALL=C
export LC_ALL
top=${srcdir:-$(dirname "$0")/..}
shuttled=$PWD/shuttled
man=$top/doc/shuttled.8
page=$top/doc/shuttled.yaml.5
completion=$top/contrib/completions/shuttled.bash
failed=0

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
trap 'exit 1' INT TERM HUP

if ! [ -x "$shuttled" ]; then
	echo "docs.sh: skipped: no shuttled in this directory"
	exit 77
fi

bad() {
	echo "docs.sh: $*"
	failed=1
}

# same NAME-A FILE-A NAME-B FILE-B: both must hold the same lines, and some.
same() {
	sort -u "$2" >"$tmp/a"
	sort -u "$4" >"$tmp/b"
	[ -s "$tmp/a" ] || bad "found nothing in $1"
	for only in $(comm -23 "$tmp/a" "$tmp/b"); do
		bad "$only is in $1, but not in $3"
	done
	for only in $(comm -13 "$tmp/a" "$tmp/b"); do
		bad "$only is in $3, but not in $1"
	done
}

check_options() {
	"$shuttled" --help >"$tmp/help" || bad "--help: exit status $?"
	grep -oE '(^|[ ,[|(])--?[A-Za-z][a-z-]*' "$tmp/help" |
	    sed 's/^[ ,[|(]*//' >"$tmp/help.options"
	# .It Fl w Ar workers , Fl Fl workers Ar workers
	awk '/^[.]It Fl/ {
		for (i = 2; i < NF; i++)
			if ($i == "Fl" && $(i + 1) == "Fl")
				print "--" $(i += 2)
			else if ($i == "Fl")
				print "-" $(i += 1)
	}' "$man" >"$tmp/man.options"
	same "shuttled --help" "$tmp/help.options" \
	    "doc/shuttled.8" "$tmp/man.options"
	command -v bash >/dev/null || {
		echo "docs.sh: skipped: the completion (no bash)"
		return 0
	}
	bash -c '. "$1"; COMP_WORDS=(shuttled -) COMP_CWORD=1
	    _shuttled; printf "%s\n" "${COMPREPLY[@]}"' bash "$completion" \
	    >"$tmp/completion.options"
	same "shuttled --help" "$tmp/help.options" \
	    "the completion" "$tmp/completion.options"
}

check_ends() {
	sed -n 's/.*X([A-Z_]*,[[:space:]]*"\([a-z]*[.][a-z_]*\)").*/\1/p' \
	    "$top/src/session/session_end.h" >"$tmp/source.ends"
	sed -n 's/^[.]It Cm \([a-z]*[.][a-z_]*\)$/\1/p' "$man" \
	    >"$tmp/man.ends"
	same "src/session/session_end.h" "$tmp/source.ends" \
	    "doc/shuttled.8" "$tmp/man.ends"
}

# What may stand in a --log-format.
check_fields() {
	sed -n '/^#define FIELDS/,/^$/s/X(/\n/gp' "$top/src/session/access_log_format.c" |
	    sed -n 's/^\([a-z_]*\)).*/\1/p' >"$tmp/source.fields"
	sed -n '/^[.]Sh LOG$/,/^[.]Sh /s/^[.]It Cm //p' "$man" |
	    sed 's/ , Cm /\n/g' | grep -v '[.]' >"$tmp/man.fields"
	same "src/session/access_log_format.c" "$tmp/source.fields" \
	    "doc/shuttled.8" "$tmp/man.fields"
}

# unescape: the text that a man page's literal lines stand for.
unescape() {
	sed 's/\\(ti/~/g; s/\\(ha/^/g; s/\\(ga/`/g; s/\\(dq/"/g; s/\\(aq/'\''/g
	    s/\\&//g; s/\\e/\\/g'
}

# Each directive is in the index, with all sections that have it.
check_index() {
	awk '/^[.]Sh / {
		in_index = /INDEX OF DIRECTIVES/
		section = ""
		if (/ (TOP LEVEL|LISTEN|LIMIT|POOL|SERVER)$/)
			section = $2 == "TOP" ? "top" : tolower($2)
	}
	in_index && /^[.]It Ic / { name = $3 }
	in_index && /^[.]Pq / && name != "include" {
		for (i = 2; i <= NF; i++) {
			sub(/,$/, "", $i)
			print name "/" $i >index_file
		}
	}
	section != "" && /^[.]It Ic / { print $3 "/" section >described }' \
	    index_file="$tmp/index" described="$tmp/described" "$page"
	same "the index of doc/shuttled.yaml.5" "$tmp/index" \
	    "its sections" "$tmp/described"
}

# The page shows each example as it is.
check_examples() {
	set +f
	for example in "$top"/contrib/examples/*.yaml; do
		name=contrib/examples/${example##*/}
		awk -v head="$name" '/^[.]S[sh] / { here = $NF == head }
		    /^[.]Ed/ { text = 0 }
		    here && text { print }
		    /^[.]Bd -literal/ { text = 1 }' "$page" | unescape \
		    >"$tmp/shown"
		diff "$example" "$tmp/shown" ||
			bad "doc/shuttled.yaml.5 shows another $name"
	done
	set -f
}

# quoted TEXT: what stands in backquotes there, one a line.
quoted() {
	printf '%s\n' "$1" | tr '`' '\n' | sed -n 'n;p'
}

# Rows of doc/FEATURES.md: what is there has directives and tests, and what is
# not says "no:".
check_features() {
	sed -n 's/^| *//p' "$top/doc/FEATURES.md" |
	    grep -v '^feature \|^---' >"$tmp/rows"
	[ -s "$tmp/rows" ] || bad 'doc/FEATURES.md has no rows'
	while IFS='|' read -r row here tests _; do
		for test in $(quoted "$tests"); do
			[ -e "$top/$test" ] ||
				bad "doc/FEATURES.md: $row: there is no $test"
		done
		case $here in
		' no:'*) continue ;;
		esac
		[ -n "$(quoted "$tests")" ] || bad "doc/FEATURES.md: $row: no test"
		quoted "$here" | sed 's/[: ].*//' | grep -v '=' |
		    while read -r name; do
			grep -q "^[.]It Ic $name\$" "$page" || echo "$name"
		done >"$tmp/unknown"
		while read -r name; do
			bad "doc/FEATURES.md: $row: there is no directive $name"
		done <"$tmp/unknown"
	done <"$tmp/rows"
}

# accepts WHERE ARGS...: shuttled must take this command line.
accepts() {
	where=$1
	shift
	status=0
	(cd "$top" && "$shuttled" -t "$@") >"$tmp/out" 2>&1 || status=$?
	# 77: only root may, such as a port below 1024.
	if [ "$status" -ne 0 ] && [ "$status" -ne 77 ]; then
		bad "$where: 'shuttled $*' is not taken: $(cat "$tmp/out")"
	fi
	commands=$((commands + 1))
}

check_commands() {
	commands=0
	for doc in README.md contrib/demo/README.md; do
		grep -E '^    (sudo )?(shuttled |[.]/bootstrap)' "$top/$doc" |
		    sed 's/ #.*//' >"$tmp/lines"
		while read -r name args; do
			if [ "$name" = ./bootstrap ]; then
				verb=${args%% *}
				"$top/bootstrap" help |
				    grep -q "bootstrap $verb" ||
					bad "$doc: no ./bootstrap $verb"
				case $args in
				'run '*) args=${args#run } ;;
				*) continue ;;
				esac
			fi
			# shellcheck disable=SC2086 # words of a command line
			accepts "$doc" $args
		done <"$tmp/lines"
	done
	sed -n 's/ |.*//; s/^[.]Dl shuttled //p' "$man" >"$tmp/lines"
	while read -r args; do
		# shellcheck disable=SC2086
		accepts doc/shuttled.8 $args
	done <"$tmp/lines"
	sed -n 's/^#*[A-Z_]*OPTIONS="\(..*\)"/\1/p' \
	    "$top/contrib/default/shuttled" \
	    "$top/contrib/openrc/shuttled.confd" >"$tmp/lines"
	while read -r args; do
		# As the unit starts it, with these options, but for the
		# directory that systemd makes.
		# shellcheck disable=SC2016 # the text, not the variable
		unit=$(sed -n 's/^ExecStart=[^ ]* //p' \
		    "$top/contrib/systemd/shuttled.service" |
		    sed "s/\$OPTIONS//; s|/run/shuttled|$tmp|")
		# shellcheck disable=SC2086
		accepts contrib/default/shuttled $unit $args
	done <"$tmp/lines"
	# The template is made of the unit.
	grep -q '^ExecStart=[^ ]* -F --instance %i -c /etc/shuttled/%i[.]yaml -p /run/shuttled/%i[.]pid [$]OPTIONS$' \
	    contrib/shuttled@.service ||
		bad 'contrib/shuttled@.service does not start an instance'
	set +f
	for example in "$top"/contrib/examples/*.yaml; do
		accepts "$example" -c "${example#"$top"/}"
	done
	set -f
	# What the page shows are configurations, too.
	unescape <"$page" | awk -v out="$tmp/page" '
	    /^[.]Bd -literal/ { n++; file = out n ".yaml" }
	    file && !/^[.]/ { print >file }
	    /^[.]Ed/ { file = "" }'
	set +f
	for example in "$tmp"/page*.yaml; do
		! grep -q '^listen:' "$example" || accepts "$page" -c "$example"
	done
	set -f
	[ "$commands" -ge 10 ] || bad "only $commands command lines found"
	# The check itself must be able to fail.
	if "$shuttled" -t --no-such-option >"$tmp/out" 2>&1; then
		bad "shuttled -t takes everything"
	fi
}

# Configurations in the recipes are marked. What they leave out, a listener or a
# pool, is added here.
check_recipes() {
	unescape <"$man" | awk -v out="$tmp/recipe" '
	    /^[.]S[sh] / { title = $0 }
	    /^[.]\\" snippet$/ { marked = 1; next }
	    marked && /^[.]Bd -literal/ {
		n++
		file = out n ".yaml"
		print "# " title >file
	    }
	    file && !/^[.]/ { print >file }
	    /^[.]Ed/ { file = "" }
	    { marked = 0 }
	    END { print n + 0 >(out "s") }'
	[ "$(cat "$tmp/recipes")" -ge 8 ] || bad "$man: hardly any recipe found"
	set +f
	for recipe in "$tmp"/recipe?*.yaml; do
		grep -q '^listen:' "$recipe" ||
			echo 'listen: { added: { address: "127.0.0.1:0" } }' >>"$recipe"
		grep -q '^pool:' "$recipe" ||
			echo 'pool: { added: { server: { s: { address: "builtin:echo" } } } }' \
			    >>"$recipe"
		accepts "$man: $(head -n 1 "$recipe")" -c "$recipe"
	done
	set -f
	# Signals in commands are those of the section on signals.
	sed -n '/^[.]Sh SIGNALS/,/^[.]Sh LOG/s/^[.]It Dv //p' "$man" |
	    sed 's/ , /\n/g' >"$tmp/signals"
	sed -n 's/^[.]Dl kill -\([A-Z0-9]*\) .*/\1/p' "$man" >"$tmp/sent"
	[ -s "$tmp/sent" ] || bad "$man: no recipe sends a signal"
	while read -r signal; do
		grep -qx "$signal" "$tmp/signals" ||
			bad "$man: kill -$signal: the master has no such signal"
	done <"$tmp/sent"
}

# systemd knows all that is in its units; of what it does not it only warns.
check_units() {
	command -v systemd-analyze >/dev/null || return 0
	mkdir "$tmp/units"
	printf '[Service]\nExecStart=/bin/true\n' >"$tmp/units/other.service"
	systemd-analyze verify --man=no "$tmp/units/other.service" \
	    >"$tmp/out" 2>&1 || return 0
	for unit in "$top/contrib/systemd/shuttled.service" \
	    "$top/contrib/systemd/shuttled.socket" contrib/shuttled@.service; do
		sed "s|^ExecStart=[^ ]*|ExecStart=$shuttled|" "$unit" \
		    >"$tmp/units/${unit##*/}"
	done
	for unit in shuttled.service shuttled.socket shuttled@.service; do
		systemd-analyze verify --man=no "$tmp/units/$unit" \
		    >"$tmp/out" 2>&1 || echo "$unit: status $?" >>"$tmp/out"
		# Other units of this machine are not ours.
		! grep shuttled "$tmp/out" || bad "$unit is no good"
	done
	# The check itself must be able to fail.
	echo 'Nonsense=yes' >>"$tmp/units/shuttled@.service"
	systemd-analyze verify --man=no "$tmp/units/shuttled@.service" \
	    >"$tmp/out" 2>&1 || :
	grep -q Nonsense "$tmp/out" || bad 'systemd-analyze takes everything'
}

check_options
check_ends
check_fields
check_features
check_commands
check_index
check_examples
check_recipes
check_units
[ "$failed" -eq 0 ] || exit 1
echo "docs.sh: documents and binary agree; $commands command lines tried"
