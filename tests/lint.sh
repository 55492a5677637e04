#!/bin/sh
# SPDX-License-Identifier: ISC
# Copyright (c) 2026 The shuttled authors
#
# lint.sh: the man pages and all shell scripts are free of lint. A part whose
# tool is missing is left out, or has failed with REQUIRE_TOOLS=1.
# usage: lint.sh            (srcdir from make check)
set -eu
LC_ALL=C
export LC_ALL
top=${srcdir:-$(dirname "$0")/..}
man=$top/doc/shuttled.8
page=$top/doc/shuttled.yaml.5
failed=0

bad() {
	echo "lint.sh: $*"
	failed=1
}

# with TOOL WHAT: is there this tool? If not, WHAT is not checked.
with() {
	if command -v "$1" >/dev/null; then
		return 0
	fi
	if [ -n "${REQUIRE_TOOLS:-}" ]; then
		bad "no $1: $2 not checked"
	else
		echo "lint.sh: skipped: $2 (no $1)"
	fi
	return 1
}

# shell_files script|sourced: one a line.
shell_files() {
	find "$top/bootstrap" "$top/.ci" "$top/contrib" "$top/tests" \
	    -type f ! -name '*.[ch]' 2>/dev/null |
	while read -r file; do
		case $1:$(head -n 1 "$file") in
		script:'#!'*sh | script:'#!'*'sh '*)
			echo "$file"
			;;
		sourced:'#!'*openrc-run)
			echo "$file"
			;;
		sourced:'#!'*)
			;;
		sourced:*)
			! grep -q '^# shellcheck shell=' "$file" ||
				echo "$file"
			;;
		esac
	done
}

lint_pages() {
	mandoc -Tlint -Wwarning "$man" "$page" || bad "doc: lint"
	# There they are syntax of the page, which does not show them.
	! grep -n '^[.]Dl.*"' "$man" "$page" || bad "doc: write \\(dq"
}

# Not asked for: "$@" where a function has defaults (2119), life without
# ulimit -n, which every sh has (3045), and, in files that others source, use of
# what they set (2034). All processors work: it takes most of a minute.
lint_shell() {
	shell_files script | xargs -n 4 -P "$(nproc)" \
	    shellcheck -x -P SCRIPTDIR -e SC2119,SC3045 ||
		bad "shellcheck: see above"
	shell_files sourced | xargs \
	    shellcheck -x -P SCRIPTDIR -e SC2119,SC3045,SC2034 ||
		bad "shellcheck: see above"
}

! with mandoc "lint of the man pages" || lint_pages
! with shellcheck "lint of the shell scripts" || lint_shell
[ "$failed" -eq 0 ] || exit 1
echo "lint.sh: no lint"
