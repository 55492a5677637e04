#!/bin/sh
# SPDX-License-Identifier: ISC
# Copyright (c) 2026 The shuttled authors
#
# layers.sh: holds the layout of the house. Every file of lib/ and src/ has a
# layer and includes only from its own or a lower one; some system calls
# belong to one file; lib/ keeps no state of its own; files and functions
# stay short. First it proves on bad examples that each rule can fail.
# usage: layers.sh            in a build directory (srcdir from make check)
set -eu
LC_ALL=C
export LC_ALL
top=${srcdir:-$(dirname "$0")/..}

# The layers from the bottom up: directory, layer, files (without .c or .h).
layers='
lib 0 log log_sink log_target text descriptor channel clock processors rlimit signals socket socket_option cpu_quota safe_file addr proxyproto site source rate counter timer nearest cidr cidr_network cidr_text
lib 1 outlet poller poller_select poller_hybrid bufpool pipepool shuttle
lib 2 board board_mend board_seat census backend balance balance_tier balance_first balance_hash balance_key balance_leastconn balance_maglev balance_random balance_roundrobin queue check_plan dialog dialog_tls health
lib 3 session session_step session_connect session_count session_gate session_header session_pace session_queue session_relay session_stall session_timers session_table session_log log_format log_haproxy spare builtin session_park
src 4 listener changes inherit priv sandbox filter sd console check_values outlet_values proxy_values complaints settings networks directives directive_types conf conf_listen conf_loop conf_make conf_scan conf_seats conf_file budget conf_check conf_absent conf_unused explain conf_unused_limits conf_logs instance_name process
src 5 worker prober checks check runner dns answer question names names_log seating acceptor activate pidfile socket_owner instance options notify
src 6 child children daemon reload upgrade master
src 6 children_generation children_talk phase startup
src 5 lookups
lib 0 file_text
src 4 conf_text
src 4 conf_hosts
src 4 title log_values logs
src 5 outcome
lib 0 log_missing
src 7 main
'

# Calls that belong to certain files: a regular expression for these files,
# what the rule says, the calls.
calls='
^lib/(poller[a-z_]*|descriptor)[.]c$|waiting is for lib/poller*.c|select pselect poll ppoll epoll_create epoll_create1 epoll_ctl epoll_wait epoll_pwait epoll_pwait2
^(lib/(shuttle[a-z_]*|session_header|builtin|socket|channel|log_sink)|src/check)[.]c$|moving bytes is for lib/shuttle*.c, of headers for lib/session_header.c, of checks for src/check.c|splice vmsplice tee sendfile recv recvfrom recvmsg recvmmsg send sendto sendmsg sendmmsg
^lib/socket[.]c$|opening connections is for lib/socket.c|accept accept4 connect bind listen
^src/(child|children[a-z_]*|daemon|master|upgrade|runner|lookups)[.]c$|processes are for layer 6, programs of checks for src/runner.c|fork vfork clone daemon execve execv execvp execvpe execl execlp fexecve posix_spawn posix_spawnp system popen wait wait3 wait4 waitid waitpid
^(src/(child|children[a-z_]*|daemon|master|upgrade|runner|lookups)|lib/board)[.]c$|processes are for layer 6, programs of checks for src/runner.c, bells for lib/board.c|kill killpg tgkill pidfd_send_signal
^src/priv[.]c$|privileges are for src/priv.c|setuid seteuid setreuid setresuid setgid setegid setregid setresgid setgroups initgroups chroot prctl capset
^src/(priv|sandbox)[.]c$|calls without a name are for priv and sandbox|syscall
^src/|lib/ never ends the process|exit _exit _Exit quick_exit abort err errx errc verr verrx verrc
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
	name = file
	sub(/[.][ch]$/, "", name)
	layer = (name in layer_of) ? layer_of[name] : -1
	if (layer == -1)
		bad(1, "unknown file: give it a layer in tests/layers.sh")
	dir = name
	sub(/\/.*/, "", dir)
}

function check_include(line,    name) {
	name = line
	sub(/^[^"]*"/, "", name)
	sub(/".*/, "", name)
	if (name == "config.h")
		return
	sub(/[.]h$/, "", name)
	if (!(name in where))
		bad(FNR, "\"" name ".h\" is no header of lib/ or src/")
	else if (dir == "lib" && where[name] == "src")
		bad(FNR, "lib/ must not include \"" name ".h\" of src/")
	else if (layer != -1 && layer_of[where[name] "/" name] > layer)
		bad(FNR, "layer " layer " must not include \"" name \
		    ".h\" of layer " layer_of[where[name] "/" name])
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
	n = split(layers, l, "\n")
	for (i = 1; i <= n; i++) {
		m = split(l[i], w, " ")
		for (j = 3; j <= m; j++) {
			layer_of[w[1] "/" w[j]] = w[2]
			where[w[j]] = w[1]
		}
	}
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

# Print what the C files below $1 do against the rules.
check_sources() {
	# shellcheck disable=SC2046 # our file names have no spaces
	awk -v top="$1" -v layers="$layers" -v calls="$calls" \
	    -f "$tmp/check.awk" /dev/null \
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
		line=$(grep -nw "$name" "$2/lib/$object.c" 2>/dev/null |
		    head -n 1 | cut -d : -f 1)
		echo "lib/$object.c:${line:-1}: lib/ keeps no state:" \
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
	rm -rf "$tmp/t"
	mkdir -p "$tmp/t/lib" "$tmp/t/src"
}

lines() {
	awk -v n="$1" 'BEGIN { while (n-- > 0) print "\t;" }'
}

self_test() {
	mkdir -p "$tmp/t/lib" "$tmp/t/src"
	echo '#include "session.h"' >"$tmp/t/lib/shuttle.c"
	expect 'lib/shuttle.c:1: layer 1 must not include "session.h" of layer 3'
	printf '\n#  include "worker.h"\n' >"$tmp/t/lib/session.h"
	expect 'lib/session.h:2: lib/ must not include "worker.h" of src/'
	echo '#include "master.h"' >"$tmp/t/src/worker.c"
	expect 'src/worker.c:1: layer 5 must not include "master.h" of layer 6'
	echo '#include "nobody.h"' >"$tmp/t/src/worker.c"
	expect 'src/worker.c:1: "nobody.h" is no header'
	echo 'int x;' >"$tmp/t/lib/helper.c"
	expect 'lib/helper.c:1: unknown file: give it a layer'
	echo '	n = epoll_wait (ep, ev, 1, -1);' >"$tmp/t/src/master.c"
	expect 'src/master.c:1: epoll_wait(): waiting is for'
	printf '/* poll()\n */	x = 1; if (recv(fd, b, n, 0) == -1)\n' \
	    >"$tmp/t/lib/session.c"
	expect 'lib/session.c:2: recv(): moving bytes is for'
	echo '	if (x->fd != -1 && connect(x->fd, a, n))' >"$tmp/t/lib/backend.c"
	expect 'lib/backend.c:1: connect(): opening connections'
	echo '	(void)kill(pid, SIGTERM);' >"$tmp/t/src/worker.c"
	expect 'src/worker.c:1: kill(): processes are for layer 6'
	echo '	setgroups(0, NULL);' >"$tmp/t/src/main.c"
	expect 'src/main.c:1: setgroups(): privileges are for'
	echo '	(void)syscall(SYS_execve, a, b);' >"$tmp/t/src/worker.c"
	expect 'src/worker.c:1: syscall(): calls without a name are for'
	echo '	puts("\"x"); exit(1);' >"$tmp/t/lib/log.c"
	expect 'lib/log.c:1: exit(): lib/ never ends the process'
	lines 601 >"$tmp/t/lib/log.c"
	expect 'lib/log.c:601: file of more than 600 lines'
	{ printf 'static int\nlong_one(int a)\n{\n'; lines 60; echo '}'; } \
	    >"$tmp/t/lib/log.c"
	expect 'lib/log.c:3: long_one(): 61 lines (at most 60)'
	{ printf 'int\nmain(void)\n{\n'; lines 80; echo '}'; } \
	    >"$tmp/t/src/main.c"
	expect 'src/main.c:3: main(): 81 lines (at most 80)'

	# And what is right must pass.
	cat >"$tmp/t/lib/session.c" <<'EOF'
#include "config.h"
#include <sys/select.h>
#include "shuttle.h"
/* fork() here, exit(1) there,
 * select(1) and "open quotes */
static const char *s = "kill(1) \" /* accept(2)", q = '"', r = '\'';
	p->engine->poll(p); ops.connect(x); poller_select(p); socket_accept(l);
EOF
	printf '#include "poller.h"\n\tselect(n, r, w, NULL, t);\n' \
	    >"$tmp/t/lib/poller_select.c"
	printf '#include "log.h"\n\tif (fork() == 0)\n\t\t_exit(0);\n' \
	    >"$tmp/t/src/children.c"
	{ printf 'void\nf(void)\n{\n'; lines 59; echo '}'; } \
	    >"$tmp/t/lib/log.c"
	check_sources "$tmp/t" >"$tmp/out"
	if [ -s "$tmp/out" ]; then
		echo "layers.sh: self-test: these are not wrong:" >&2
		cat "$tmp/out" >&2
		exit 1
	fi
}

self_test_state() {
	cat >"$tmp/t/lib/timer.c" <<'EOF'
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
	${CC:-cc} -fPIE -c -o "$tmp/timer.o" "$tmp/t/lib/timer.c"
	check_state "$tmp/timer.o" "$tmp/t" >"$tmp/out"
	cut -d : -f 1,2,4- "$tmp/out" | sed "s/ variable '\(.*\)' .*/\1/" |
	    sort >"$tmp/got"
	printf '%s\n' lib/timer.c:4:counter lib/timer.c:5:shared \
	    lib/timer.c:9:calls >"$tmp/want"
	if ! cmp -s "$tmp/want" "$tmp/got"; then
		echo "layers.sh: self-test of the lib/ state rule:" >&2
		diff "$tmp/want" "$tmp/got" >&2
		exit 1
	fi
}

self_test
check_sources "$top" >"$tmp/found"
archive=$(find . -name libshuttle.a | head -n 1)
if [ -z "$archive" ]; then
	echo "note: no libshuttle.a here: its variables are not checked"
elif ! command -v nm >/dev/null || ! command -v "${CC:-cc}" >/dev/null; then
	echo "note: no nm or cc: the variables of lib/ are not checked"
else
	self_test_state
	check_state "$archive" "$top" >>"$tmp/found"
fi
if [ -s "$tmp/found" ]; then
	cat "$tmp/found"
	echo "layers.sh: $(wc -l <"$tmp/found") violations"
	exit 1
fi
echo "layers.sh: the layers hold"
