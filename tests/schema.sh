#!/bin/sh
# SPDX-License-Identifier: ISC
# Copyright (c) 2026 The shuttled authors
#
# schema.sh: contrib/schema/shuttled.schema.json is what the table of directives
# makes, takes all examples and what -T prints of them, and refuses mistakes.
# usage: schema.sh            in a build directory (srcdir from make check)
set -eu
LC_ALL=C
export LC_ALL
top=${srcdir:-$(dirname "$0")/..}
schema=$top/contrib/schema/shuttled.schema.json
shuttled=${SHUTTLED:-./shuttled}

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
trap 'exit 1' INT TERM HUP

contrib/schema/make_schema >"$tmp/schema"
if ! diff "$schema" "$tmp/schema" >"$tmp/diff"; then
	head -n 20 "$tmp/diff"
	echo "schema.sh: the schema is not that of the directives; make it anew:" \
	    "contrib/schema/make_schema >contrib/schema/shuttled.schema.json"
	exit 1
fi

if ! python3 -c 'import jsonschema, yaml' 2>/dev/null; then
	echo 'schema.sh: the schema is current; without jsonschema and yaml of' \
	    'Python it is not tried on examples'
	exit 77
fi
for example in "$top"/contrib/examples/*.yaml; do
	name=${example##*/}
	cp "$example" "$tmp/$name"
	"$shuttled" -F -T -c "$example" >"$tmp/told-$name" 2>"$tmp/err" ||
		{ cat "$tmp/err"; exit 1; }
done
python3 "$top/tests/schema.py" "$schema" "$tmp"/*.yaml
