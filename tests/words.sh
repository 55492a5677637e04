#!/bin/sh
# SPDX-License-Identifier: ISC
# Copyright (c) 2026 The shuttled authors
#
# words.sh: one word has one meaning, and a component is no person. Static
# functions have names of two words that no other file has, words that were
# replaced do not come back, and neither comments nor messages nor documents
# speak of processes, sessions and servers as if they were persons. First it
# proves on bad examples that each rule can fail.
# usage: words.sh [-v]       -v: every place, not the first twenty of each rule
# shellcheck disable=SC2016 # awk's own dollar signs
set -eu
LC_ALL=C
export LC_ALL
top=${srcdir:-$(dirname "$0")/..}
shown=20
[ "${1:-}" != -v ] || shown=1000000

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
trap 'exit 1' INT TERM HUP

# Static functions of one word: less than so many percent of all.
one_word_percent=3

# Words that names in code do not have, and what is said instead. A name is taken
# apart at its underscores, and compared in lower case; two words with a space
# stand for two that follow each other in a name.
replaced='
backend		server
backends	servers
bell		wakeup
bells		wakeups
bury		reap
census		concurrency
complain	diagnostics_add, record_failure
complaint	diagnostic
complaints	diagnostics
departure	connect_request
dialog		exchange
outlet		egress
seat		slot
seated		assigned
seating		assign
seats		slots
site		resolved_addr
sites		resolved_addr
spare		preconnect
spares		preconnects
question	lookup
held off	ejected
in doubt	on_probation
give place	release_slot
check spread	check_jitter
turn away	reject
per source	per_client
'

# Names that have such a word all the same: another protocol says it so.
names_that_stay='
default_backend
questions
'

# What messages, comments and documents do not say, and what they say instead.
replaced_in_text='
backend			server
backends		servers
held off		ejected
turned away		rejected
spare connection	preconnected connection
spare connections	preconnected connections
max_sessions_per_source	max_sessions_per_client
session_rate_per_source	session_rate_per_client
check_spread		check_jitter
accept_proxy_others	accept_proxy_untrusted
'

# Where such a word is one of another program: its configuration, its manual.
text_that_stays='
tests/bench/proxies[.]sh:
tests/system/session/real[.]sh:
tests/system/session/proxy_real[.]sh:
default_backend
HAProxy
haproxy
'

persons='who whom whoever whomever nobody somebody everybody anybody someone
everyone anyone we us our ours ourselves i he she his her him'

# Persons that are meant: word, and what its line has. "nobody" is a user of the
# system, "us" a unit of time, "I" a letter; and users, authors and reporters of
# errors are persons.
persons_meant='
nobody	^nobody$
nobody	"nobody"
nobody	`nobody`
nobody	user nobody
nobody	else nobody
nobody	[.]Cm nobody
nobody	[.]Sy nobody
nobody	nobody[.]sock
nobody	nobody:
us	[0-9] us
us	%[a-z0-9.]* us
us	[(]us[)]
us	, us[^a-z]
us	in us
us	us,
i	I/O
i	[.]I
i	EVIOCG
i	-I
'

failed=0

bad() {
	echo "words.sh: $*"
	failed=1
}

# c_files TOP: the C files; text_files TOP: documents and scripts.
c_files() {
	find "$1/lib" "$1/src" "$1/tests" -name '*.[ch]' 2>/dev/null | sort
}

text_files() {
	find "$1" -path "$1/build" -prune -o -path "$1/.git" -prune -o \
	    -path "$1/autom4te.cache" -prune -o -path "$1/build-aux" -prune -o \
	    -path "$1/m4" -prune -o -path "$1/tests/fuzz/corpus" -prune -o \
	    -type f \( -name '*.md' -o -name '*.[58]' -o -name NEWS -o \
	    -name '*.sh' -o -name '*.conf' -o -name '*.mk' -o \
	    -path "$1/contrib/*" -o -path "$1/tests/bench/*" -o \
	    -name bootstrap \) ! -name '*.[ch]' ! -name '*.svg' \
	    ! -name words.sh -print 2>/dev/null | sort
}

# statics TOP: "NAME FILE" of each static function that is defined.
statics() {
	find "$1/lib" "$1/src" -name '*.[ch]' | sort | xargs awk '
	FNR == 1 { before = "" }
	before ~ /^(static|_Noreturn static)[ \t]/ && before !~ /[;={(,]/ &&
	    match($0, /^[a-z_][a-z_0-9]*\(/) {
		name = substr($0, 1, RLENGTH - 1)
		head = 1
	}
	head && /[;{][ \t]*$|^{/ {
		if (/^{/ || /{[ \t]*$/)
			print name, FILENAME
		head = 0
	}
	{ before = $0 }'
}

check_statics() {
	statics "$1" >"$tmp/statics"
	awk -v percent="$one_word_percent" '
	{ all++; if ($1 !~ /_/) one[++n] = $1 " in " $2 }
	END {
		printf "static functions: %d, of one word: %d\n", all, n
		if (all > 0 && n * 100 >= all * percent)
			for (i = 1; i <= n; i++)
				print "+" one[i] ": a name of one word"
	}' "$tmp/statics" >"$tmp/one"
	sed -n '/^[^+]/p' "$tmp/one"
	report 'static functions of one word' "$(sed -n 's/^+//p' "$tmp/one")"
	report 'static functions that recur' "$(sort -u "$tmp/statics" |
	    awk '{ n[$1]++; in_[$1] = in_[$1] " " $2 }
	    END { for (i in n) if (n[i] > 1) print i ":" in_[i] }' | sort)"
}

# report RULE LINES: fails if there are any.
report() {
	[ -n "$2" ] || return 0
	printf '%s\n' "$2" | head -n "$shown"
	bad "$1: $(printf '%s\n' "$2" | wc -l)"
}

# c_parts TOP: code, comments and strings of C apart, as "FILE:LINE:KIND:TEXT"
# with the kinds N (names), C and S.
c_parts() {
	c_files "$1" | xargs awk '
	function out(kind, text) {
		if (text ~ /[A-Za-z]/)
			print FILENAME ":" FNR ":" kind ":" text
	}
	FNR == 1 { comment = 0 }
	{
		rest = $0
		if (rest ~ /^[ \t]*#[ \t]*include/)
			next
		while (rest != "") {
			if (comment) {
				i = index(rest, "*/")
				out("C", i ? substr(rest, 1, i - 1) : rest)
				rest = i ? substr(rest, i + 2) : ""
				comment = !i
			} else if (match(rest, /\/\*|"|\047/)) {
				out("N", substr(rest, 1, RSTART - 1))
				mark = substr(rest, RSTART, 1)
				rest = substr(rest, RSTART + RLENGTH)
				if (mark == "/") {
					comment = 1
					continue
				}
				for (i = 1; i <= length(rest) &&
				    (c = substr(rest, i, 1)) != mark; i++)
					if (c == "\\")
						i++
				if (mark == "\"")
					out("S", substr(rest, 1, i - 1))
				rest = substr(rest, i + 1)
			} else {
				out("N", rest)
				rest = ""
			}
		}
	}' |
	    sed "s|^$1/||"
}

# text_parts TOP: the same of documents and of the comments and messages of
# scripts, all of kind T.
text_parts() {
	text_files "$1" | xargs awk '{ print FILENAME ":" FNR ":T:" $0 }' |
	    sed "s|^$1/||"
}

check_names() {
	printf '%s\n' "$replaced" >"$tmp/table"
	printf '%s\n' "$names_that_stay" >"$tmp/stay"
	grep '^[^:]*:[0-9]*:N:' "$tmp/c" | awk -v table="$tmp/table" \
	    -v stay="$tmp/stay" '
	BEGIN {
		while ((getline line <table) > 0)
			if (split(line, f, /\t+/) == 2)
				say[f[1]] = f[2]
		while ((getline line <stay) > 0)
			stays[line] = 1
	}
	{
		match($0, /^[^:]*:[0-9]*:/)
		where = substr($0, 1, RLENGTH)
		n = split(substr($0, RLENGTH + 3), name, /[^A-Za-z_0-9]+/)
		for (i = 1; i <= n; i++) {
			if (name[i] in stays)
				continue
			m = split(tolower(name[i]), w, /_+/)
			for (k = 1; k <= m; k++) {
				two = k < m ? w[k] " " w[k + 1] : ""
				if (w[k] in say)
					print where " " name[i] ": say " say[w[k]]
				else if (two in say)
					print where " " name[i] ": say " say[two]
			}
		}
	}' | sort -u >"$tmp/hits"
	report 'names with words that were replaced' "$(cat "$tmp/hits")"
}

check_text() {
	printf '%s\n' "$replaced_in_text" >"$tmp/table"
	printf '%s\n' "$text_that_stays" | grep . >"$tmp/stay"
	grep -v '^[^:]*:[0-9]*:N:' "$tmp/all" | grep -v -f "$tmp/stay" |
	awk -v table="$tmp/table" '
	BEGIN {
		while ((getline line <table) > 0)
			if (split(line, f, /\t+/) == 2)
				say[f[1]] = f[2]
	}
	{
		match($0, /^[^:]*:[0-9]*:/)
		where = substr($0, 1, RLENGTH)
		n = split(tolower(substr($0, RLENGTH + 3)), w, /[^a-z_0-9]+/)
		for (k = 1; k <= n; k++) {
			two = k < n ? w[k] " " w[k + 1] : ""
			if (w[k] in say)
				print where " " w[k] ": say " say[w[k]]
			else if (two in say)
				print where " " two ": say " say[two]
		}
	}' >"$tmp/hits"
	report 'text with words that were replaced' "$(cat "$tmp/hits")"
}

check_persons() {
	printf '%s\n' "$persons_meant" | grep . >"$tmp/meant"
	# Comments of the tests themselves are not held to it.
	grep -v '^[^:]*:[0-9]*:N:\|^tests/' "$tmp/all" | awk -v persons="$persons" \
	    -v table="$tmp/meant" '
	BEGIN {
		n = split(persons, p, /[ \t\n]+/)
		for (i = 1; i <= n; i++)
			person[p[i]] = 1
		while ((getline line <table) > 0) {
			split(line, f, /\t+/)
			meant[++m] = f[1]
			by[m] = f[2]
		}
	}
	{
		match($0, /^[^:]*:[0-9]*:/)
		where = substr($0, 1, RLENGTH)
		text = substr($0, RLENGTH + 3)
		n = split(text, w, /[^A-Za-z_0-9]+/)
		for (k = 1; k <= n; k++) {
			low = tolower(w[k])
			# A small i is a number, a large US a country.
			if (!(low in person) || w[k] == "i" || w[k] == "US")
				continue
			ok = 0
			for (i = 1; i <= m && !ok; i++)
				ok = meant[i] == low && text ~ by[i]
			if (!ok)
				print where " " w[k] ":" text
		}
	}' >"$tmp/hits"
	cut -d : -f 1 "$tmp/hits" | awk '
	{
		kind = "documents and contrib"
		if ($0 ~ /^tests/)
			kind = "scripts of tests"
		if ($0 ~ /[.][ch]$/)
			kind = $0 ~ /^tests/ ? "C of tests" : "lib and src"
		n[kind]++
	}
	END { for (i in n) print "persons in " i ": " n[i] }' | sort
	report 'persons in place of components' "$(cat "$tmp/hits")"
}

# check TOP: all rules.
check() {
	check_statics "$1"
	c_parts "$1" >"$tmp/c"
	{ cat "$tmp/c"; text_parts "$1"; } >"$tmp/all"
	check_names
	check_text
	check_persons
}

# --- the rules can fail ------------------------------------------------------

# expect TEXT: the check of the example says this.
expect() {
	failed=0
	check "$tmp/t" >"$tmp/said" 2>&1
	if [ $failed = 0 ] || ! grep -qF "$1" "$tmp/said"; then
		cat "$tmp/said"
		echo "words.sh: the example does not show: $1"
		exit 1
	fi
	failed=0
}

# passes: nothing is wrong with the example.
passes() {
	failed=0
	check "$tmp/t" >"$tmp/said" 2>&1
	if [ $failed = 1 ]; then
		cat "$tmp/said"
		echo "words.sh: a good example is called a bad one"
		exit 1
	fi
}

# fn NAME: a static function of this name.
fn() {
	printf 'static int\n%s(int a)\n{\n\treturn a;\n}\n\n' "$1"
}

prove() {
	mkdir -p "$tmp/t/lib" "$tmp/t/src" "$tmp/t/tests" "$tmp/t/doc"
	fn read_line >"$tmp/t/lib/a.c"
	fn read_byte >"$tmp/t/src/b.c"
	cat >>"$tmp/t/src/b.c" <<'END'
/* Runs as user nobody; 5 us at most. */
static const char *const theirs = "default_backend";
END
	echo 'A server is ejected.' >"$tmp/t/doc/x.md"
	passes
	fn line >>"$tmp/t/lib/a.c"
	expect 'line in'
	fn read_line >>"$tmp/t/src/b.c"
	fn read_line >"$tmp/t/lib/a.c"
	expect 'read_line:'
	fn read_more >"$tmp/t/lib/a.c"
	echo 'int	backend_take(int);' >"$tmp/t/lib/a.h"
	expect 'backend_take: say server'
	echo '#define BOARD_SEATS 3' >"$tmp/t/lib/a.h"
	expect 'BOARD_SEATS: say slots'
	echo 'int	server_held_off(int);' >"$tmp/t/lib/a.h"
	expect 'server_held_off: say ejected'
	echo 'static const char a[] = "the backend \"x\"";' >"$tmp/t/lib/a.h"
	expect 'backend: say server'
	printf '/*\n * The session is\n * turned away.\n */\n' >"$tmp/t/lib/a.h"
	expect 'turned away: say rejected'
	echo '/* Whoever comes waits. */' >"$tmp/t/lib/a.h"
	expect 'Whoever'
	echo 'int who; /* it */ const char *m = "nobody waits";' >"$tmp/t/lib/a.h"
	expect 'nobody:'
	rm "$tmp/t/lib/a.h"
	echo 'The worker asks us.' >"$tmp/t/doc/x.md"
	expect 'us:'
	echo 'The worker asks the master.' >"$tmp/t/doc/x.md"
	passes
	rm -r "$tmp/t"
}

prove
check "$top"
exit $failed
