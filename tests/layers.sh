#!/bin/sh
# SPDX-License-Identifier: ISC
# Copyright (c) 2026 The shuttled authors
#
# layers.sh: the folder is the layer: each includes only from folders below it
# and from itself. Some system calls belong to one file; nothing but main.c keeps
# state of its own; files and functions stay short. First it proves on bad
# examples that each rule can fail.
# usage: layers.sh            in a build directory (srcdir from make check)
set -eu
LC_ALL=C
export LC_ALL
top=${srcdir:-$(dirname "$0")/..}

# The folders from the bottom up. Those on one line never include each other.
folders='
lib/util
lib/sys
lib/net
lib/event
lib/log
lib/relay
lib/proto
src/board
src/upstream
src/tls
src/session
src/sandbox
src/config
src/process
src/worker src/prober src/console src/keeper
src/master
src/shuttlectl
src
'

# Calls that belong to certain files: a regular expression for these files,
# what the rule says, the calls.
calls='
^lib/(event/poller[a-z_]*|sys/descriptor|sys/signals)[.]c$|waiting is for lib/event/poller*.c|select pselect poll ppoll epoll_create epoll_create1 epoll_ctl epoll_wait epoll_pwait epoll_pwait2
^(lib/(relay/shuttle[a-z_]*|net/socket|sys/channel|log/log_sink)|src/(session/session_proxy|upstream/builtin|prober/(check|dns_socket)))[.]c$|moving bytes is for lib/relay/shuttle*.c, of headers for src/session/session_proxy.c, of checks for src/prober/check.c, of look-ups for src/prober/dns_socket.c|splice vmsplice tee sendfile recv recvfrom recvmsg recvmmsg send sendto sendmsg sendmmsg
^(lib/net/socket|src/prober/dns_socket)[.]c$|opening connections is for lib/net/socket.c|accept accept4 connect bind listen
^src/(master/[a-z_]*|prober/check_runner)[.]c$|processes are for src/master, programs of checks for src/prober/check_runner.c|fork vfork clone daemon execve execv execvp execvpe execl execlp fexecve posix_spawn posix_spawnp system popen wait wait3 wait4 waitid waitpid
^src/(master/[a-z_]*|prober/check_runner|board/board)[.]c$|processes are for src/master, programs of checks for src/prober/check_runner.c, wakeups for src/board/board.c|kill killpg tgkill pidfd_send_signal
^src/sandbox/privileges[.]c$|privileges are for src/sandbox/privileges.c|setuid seteuid setreuid setresuid setgid setegid setregid setresgid setgroups initgroups chroot prctl capset
^src/sandbox/(privileges|sandbox)[.]c$|calls without a name are for src/sandbox|syscall
^src/(main|master/[a-z_]*|prober/check_runner)[.]c$|only main.c, the master and its children end the process|exit _exit _Exit quick_exit abort err errx errc verr verrx verrc
'

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
trap 'exit 1' INT TERM HUP

# One violation a line: FILE:LINE: what is wrong.
cat >"$tmp/check.awk" <<'EOF'
function bad(line, text) {
	printf "%s:%d: %s\n", file, line, text
}

# The line without comments and the insides of strings and characters.
function code(s,    out, c, two, quote) {
	out = ""
	while (s != "") {
		if (comment) {
			if ((c = index(s, "*/")) == 0)
				return out
			s = substr(s, c + 2)
			comment = 0
			out = out " "
			continue
		}
		if (!match(s, /["'\/]/))
			return out s
		out = out substr(s, 1, RSTART - 1)
		s = substr(s, RSTART)
		two = substr(s, 1, 2)
		if (two == "/*") {
			comment = 1
			s = substr(s, 3)
		} else if (two == "//") {
			return out
		} else if (two ~ /^\//) {
			out = out "/"
			s = substr(s, 2)
		} else {
			quote = substr(s, 1, 1)
			s = substr(s, 2)
			while (s != "" && (c = substr(s, 1, 1)) != quote)
				s = substr(s, c == "\\" ? 3 : 2)
			s = substr(s, 2)
			out = out quote quote
		}
	}
	return out
}

function start_file(    name) {
	file = substr(FILENAME, length(top) + 2)
	comment = fn_start = 0
	fn_name = ""
	dir = file
	sub(/\/[^\/]*$/, "", dir)
	if (!(dir in layer_of))
		bad(1, "unknown folder " dir ": give it a layer in tests/layers.sh")
}

function check_include(line,    name, to) {
	name = line
	sub(/^[^"]*"/, "", name)
	sub(/".*/, "", name)
	if (name == "config.h")
		return
	if (("lib/" name) in header)
		to = "lib/" name
	else if (("src/" name) in header)
		to = "src/" name
	else {
		bad(FNR, "\"" name "\" is no header of lib/ or src/")
		return
	}
	sub(/\/[^\/]*$/, "", to)
	if (!(dir in layer_of) || !(to in layer_of) || dir == to)
		return
	if (layer_of[to] > layer_of[dir])
		bad(FNR, dir " must not include \"" name "\": " to \
		    " stands above it")
	else if (layer_of[to] == layer_of[dir])
		bad(FNR, dir " must not include \"" name \
		    "\": they are processes apart")
}

function check_calls(s,    name, before) {
	before = ""
	while (match(s, /[A-Za-z_][A-Za-z0-9_]*[ \t]*\(/)) {
		name = substr(s, RSTART, RLENGTH - 1)
		sub(/[ \t]*$/, "", name)
		before = before substr(s, 1, RSTART - 1)
		s = substr(s, RSTART + RLENGTH - 1)
		# x->poll() and x.poll() are a member of ours
		if (name in rule_of && before !~ /([.]|->)[ \t]*$/ &&
		    before !~ /[A-Za-z0-9_]$/ && file !~ files[rule_of[name]])
			bad(FNR, name "(): " text[rule_of[name]])
		before = before name
	}
}

BEGIN {
	n = split(folders, l, "\n")
	for (i = 1; i <= n; i++) {
		m = split(l[i], w, " ")
		for (j = 1; j <= m; j++)
			layer_of[w[j]] = i
	}
	n = split(headers, l, "\n")
	for (i = 1; i <= n; i++)
		header[l[i]] = 1
	n = split(calls, l, "\n")
	for (i = 1; i <= n; i++) {
		if (l[i] == "")
			continue
		# the text and the names stand behind the last two bars
		m = split(l[i], w, "|")
		text[i] = w[m - 1]
		files[i] = w[1]
		for (j = 2; j < m - 1; j++)
			files[i] = files[i] "|" w[j]
		m = split(w[m], names, " ")
		for (j = 1; j <= m; j++)
			rule_of[names[j]] = i
	}
}
FNR == 1 { start_file() }
FNR == 601 { bad(601, "file of more than 600 lines: has it two jobs?") }
!comment && /^[ \t]*#[ \t]*include[ \t]*"/ { check_include($0); next }
{
	line = code($0)
	check_calls(line)
	if (line ~ /^[A-Za-z_].*\(/) {
		fn_name = line
		sub(/[ \t]*\(.*/, "", fn_name)
		sub(/.*[ \t*]/, "", fn_name)
	}
	if (line ~ /^\{/)
		fn_start = FNR
	if (line ~ /^\}/) {
		if (fn_start && FNR - fn_start > (fn_name == "main" ? 80 : 60))
			bad(fn_start, fn_name "(): " FNR - fn_start \
			    " lines (at most " (fn_name == "main" ? 80 : 60) ")")
		fn_start = 0
	}
}
EOF

# Print what the C files below $1 do against the rules. A header that stands in
# the bad example or in the tree is one.
check_sources() {
	headers=$(cd "$top" && find lib src -name '*.h')
	headers="$headers
$(cd "$1" && find lib src -name '*.h')"
	# shellcheck disable=SC2046 # our file names have no spaces
	awk -v top="$1" -v folders="$folders" -v calls="$calls" \
	    -v headers="$headers" -f "$tmp/check.awk" /dev/null \
	    $(find "$1/lib" "$1/src" -name '*.[ch]' | sort)
}

# Print the variables that the objects or archive $1 keep, with their place
# in the sources below $2. Constant tables with addresses in them lie in
# .data.rel.ro; what a sanitizer or a coverage build adds is not ours.
check_state() {
	nm -A -f sysv "$1" | awk -F '|' '
	$7 ~ /^[ \t]*([.](l|t)?(data|bss)|[*]COM[*])/ &&
	    $7 !~ /[.]data[.]rel[.]ro/ {
		gsub(/[ \t]/, "", $1)
		n = split($1, p, ":")
		name = p[n]
		object = p[n - 1]
		if (name == "" || name ~ /[aut]san|sancov|gcov|llvm|^__prof/ ||
		    name ~ /^([.]|__unnamed)/)
			next
		# in a function: gcc says name.N, clang says function.name
		sub(/[.][0-9]+$/, "", name)
		sub(/.*[.]/, "", name)
		sub(/.*[\/-]/, "", object)
		sub(/[.]o$/, "", object)
		print object, name
	}' | sort -u | while read -r object name; do
		file=$(cd "$2" && find lib src -name "$object.c" | head -n 1)
		line=$(grep -nw "$name" "$2/$file" 2>/dev/null |
		    head -n 1 | cut -d : -f 1)
		echo "$file:${line:-1}: nothing below main() keeps state:" \
		    "variable '$name' can change"
	done
}

# expect TEXT: the bad example in $tmp/t must be found, with this text.
expect() {
	if ! check_sources "$tmp/t" >"$tmp/out" ||
	    ! grep -qF "$1" "$tmp/out"; then
		echo "layers.sh: self-test: not found: $1" >&2
		cat "$tmp/out" >&2
		exit 1
	fi
	example
}

lines() {
	awk -v n="$1" 'BEGIN { while (n-- > 0) print "\t;" }'
}

# An empty tree for the next bad example.
example() {
	rm -rf "$tmp/t"
	for folder in $folders; do
		mkdir -p "$tmp/t/$folder"
	done
}

self_test() {
	example
	echo '#include "session/session.h"' >"$tmp/t/lib/relay/shuttle.c"
	expect 'lib/relay/shuttle.c:1: lib/relay must not include "session/session.h": src/session stands above it'
	printf '\n#  include "worker/worker.h"\n' >"$tmp/t/src/session/session.h"
	expect 'src/session/session.h:2: src/session must not include'
	echo '#include "worker/worker.h"' >"$tmp/t/src/prober/prober.c"
	expect 'src/prober/prober.c:1: src/prober must not include "worker/worker.h": they are processes apart'
	echo '#include "nothing/of_it.h"' >"$tmp/t/src/worker/worker.c"
	expect 'src/worker/worker.c:1: "nothing/of_it.h" is no header'
	mkdir "$tmp/t/lib/misc"
	echo 'int x;' >"$tmp/t/lib/misc/helper.c"
	expect 'lib/misc/helper.c:1: unknown folder lib/misc: give it a layer'
	echo '	n = epoll_wait (ep, ev, 1, -1);' >"$tmp/t/src/master/master.c"
	expect 'src/master/master.c:1: epoll_wait(): waiting is for'
	printf '/* poll()\n */	x = 1; if (recv(fd, b, n, 0) == -1)\n' \
	    >"$tmp/t/src/session/session.c"
	expect 'src/session/session.c:2: recv(): moving bytes is for'
	echo '	if (x->fd != -1 && connect(x->fd, a, n))' \
	    >"$tmp/t/src/upstream/server.c"
	expect 'src/upstream/server.c:1: connect(): opening connections'
	echo '	(void)kill(pid, SIGTERM);' >"$tmp/t/src/worker/worker.c"
	expect 'src/worker/worker.c:1: kill(): processes are for src/master'
	echo '	setgroups(0, NULL);' >"$tmp/t/src/main.c"
	expect 'src/main.c:1: setgroups(): privileges are for'
	echo '	(void)syscall(SYS_execve, a, b);' >"$tmp/t/src/worker/worker.c"
	expect 'src/worker/worker.c:1: syscall(): calls without a name are for'
	echo '	puts("\"x"); exit(1);' >"$tmp/t/lib/log/log.c"
	expect 'lib/log/log.c:1: exit(): only main.c, the master'
	lines 601 >"$tmp/t/lib/log/log.c"
	expect 'lib/log/log.c:601: file of more than 600 lines'
	{ printf 'static int\nlong_one(int a)\n{\n'; lines 60; echo '}'; } \
	    >"$tmp/t/lib/log/log.c"
	expect 'lib/log/log.c:3: long_one(): 61 lines (at most 60)'
	{ printf 'int\nmain(void)\n{\n'; lines 80; echo '}'; } \
	    >"$tmp/t/src/main.c"
	expect 'src/main.c:3: main(): 81 lines (at most 80)'

	# And what is right must pass.
	cat >"$tmp/t/src/session/session.c" <<'EOF'
#include "config.h"
#include <sys/select.h>
#include "relay/shuttle.h"
/* fork() here, exit(1) there,
 * select(1) and "open quotes */
static const char *s = "kill(1) \" /* accept(2)", q = '"', r = '\'';
	p->engine->poll(p); ops.connect(x); poller_select(p); socket_accept(l);
EOF
	printf '#include "event/poller.h"\n\tselect(n, r, w, NULL, t);\n' \
	    >"$tmp/t/lib/event/poller_select.c"
	printf '#include "log/log.h"\n\tif (fork() == 0)\n\t\t_exit(0);\n' \
	    >"$tmp/t/src/master/process_table.c"
	{ printf 'void\nf(void)\n{\n'; lines 59; echo '}'; } \
	    >"$tmp/t/lib/log/log.c"
	check_sources "$tmp/t" >"$tmp/out"
	if [ -s "$tmp/out" ]; then
		echo "layers.sh: self-test: these are not wrong:" >&2
		cat "$tmp/out" >&2
		exit 1
	fi
}

self_test_state() {
	cat >"$tmp/t/lib/event/timer.c" <<'EOF'
extern int other;
static const char *const names[] = { "a", "b" };
static int *const places[] = { &other, 0 };
static int counter;
int shared = 1;
int
f(int i)
{
	static int calls;

	return names[i][0] + ++counter + ++calls + *places[i];
}
EOF
	${CC:-cc} -fPIE -c -o "$tmp/timer.o" "$tmp/t/lib/event/timer.c"
	check_state "$tmp/timer.o" "$tmp/t" >"$tmp/out"
	cut -d : -f 1,2,4- "$tmp/out" | sed "s/ variable '\(.*\)' .*/\1/" |
	    sort >"$tmp/got"
	printf '%s\n' lib/event/timer.c:4:counter lib/event/timer.c:5:shared \
	    lib/event/timer.c:9:calls >"$tmp/want"
	if ! cmp -s "$tmp/want" "$tmp/got"; then
		echo "layers.sh: self-test of the rule of no state:" >&2
		diff "$tmp/want" "$tmp/got" >&2
		exit 1
	fi
}

self_test
check_sources "$top" >"$tmp/found"
if [ ! -e libshuttle.a ] || [ ! -e libbalancer.a ]; then
	echo "note: no archives here: their variables are not checked"
elif ! command -v nm >/dev/null || ! command -v "${CC:-cc}" >/dev/null; then
	echo "note: no nm or cc: variables are not checked"
else
	self_test_state
	for archive in libshuttle.a libbalancer.a; do
		check_state "$archive" "$top" >>"$tmp/found"
	done
fi
if [ -s "$tmp/found" ]; then
	cat "$tmp/found"
	echo "layers.sh: $(wc -l <"$tmp/found") violations"
	exit 1
fi
echo "layers.sh: the layers hold"
