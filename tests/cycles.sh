#!/bin/sh
# SPDX-License-Identifier: ISC
# Copyright (c) 2026 The shuttled authors
#
# cycles.sh: no files of lib/ and src/ call each other in a circle, but for the
# groups below. A file calls another one if its object needs a symbol that the
# object of the other one defines. First it proves that it finds a circle.
# usage: cycles.sh            in a build directory
set -eu
LC_ALL=C
export LC_ALL

# What is one thing in several files: an interface and what stands behind it, or
# a file that grew too long. A circle within such a group is let pass.
groups='
process_channel process_table
'

command -v nm >/dev/null || { echo "no nm"; exit 77; }

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
trap 'exit 1' INT TERM HUP

cat >"$tmp/circles.awk" <<'EOT'
# Files whose calls lead from one to the other and back: the strongly connected
# components of the graph (R. Tarjan, 1972).
function visit(v,    i, w, line, size) {
	at[v] = low[v] = ++count
	stack[++top] = v
	waits[v] = 1
	for (i = 1; i <= n[v]; i++) {
		w = home[needs[v, i]]
		if (w == "" || w == v)
			continue
		if (!(w in at)) {
			visit(w)
			if (low[w] < low[v])
				low[v] = low[w]
		} else if (waits[w] && at[w] < low[v]) {
			low[v] = at[w]
		}
	}
	if (low[v] != at[v])
		return
	do {
		w = stack[top--]
		waits[w] = 0
		line = line " " w
		size++
	} while (w != v)
	if (size > 1 && !is_group(line))
		print "in a circle:" line
}

function is_group(line,    f, i, g, m) {
	m = split(line, f, " ")
	g = group[f[1]]
	for (i = 1; i <= m; i++)
		if (g == "" || group[f[i]] != g)
			return 0
	return 1
}

BEGIN {
	m = split(groups, l, "\n")
	for (i = 1; i <= m; i++) {
		k = split(l[i], f, " ")
		for (j = 1; j <= k; j++)
			group[f[j]] = i
	}
}
# ARCHIVE[OBJECT]: or OBJECT: SYMBOL TYPE …; automake may name an object
# LIBRARY-FILE.o
{
	file = $1
	sub(/[.]o[]:].*$/, "", file)
	sub(/.*[-\/[]/, "", file)
	if ($3 == "U")
		needs[file, ++n[file]] = $2
	else if ($3 ~ /^[A-Z]$/)
		home[$2] = file
	files[file] = 1
}
END {
	for (v in files)
		if (!(v in at))
			visit(v)
}
EOT

# The circles of these objects or archives, one a line.
circles() {
	nm -A -P "$@" |
	    awk -v groups="$groups" -f "$tmp/circles.awk"
}

self_test() {
	mkdir "$tmp/lib"
	echo 'int b(void); int a(void); int a(void) { return b(); }' \
	    >"$tmp/lib/x.c"
	echo 'int c(void); int b(void); int b(void) { return c(); }' \
	    >"$tmp/lib/y.c"
	echo 'int c(void); int c(void) { return 0; }' >"$tmp/lib/z.c"
	for f in x y z; do
		${CC:-cc} -c -o "$tmp/lib/$f.o" "$tmp/lib/$f.c"
	done
	[ -z "$(circles "$tmp"/lib/*.o)" ] || {
		echo "cycles.sh: self-test: there is no circle" >&2
		exit 1
	}
	echo 'int a(void); int c(void); int c(void) { return a(); }' \
	    >"$tmp/lib/z.c"
	${CC:-cc} -c -o "$tmp/lib/z.o" "$tmp/lib/z.c"
	[ "$(circles "$tmp"/lib/*.o | wc -w)" -eq 6 ] || {
		echo "cycles.sh: self-test: the circle is not found" >&2
		exit 1
	}
}

if command -v "${CC:-cc}" >/dev/null; then
	self_test
fi
circles libshuttle.a libbalancer.a >"$tmp/found"
if [ -s "$tmp/found" ]; then
	cat "$tmp/found"
	exit 1
fi
echo "cycles.sh: no files call each other in a circle"
