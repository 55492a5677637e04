#!/bin/sh
# SPDX-License-Identifier: ISC
# Copyright (c) 2026 The shuttled authors
#
# select.sh: the data-path tests again over the portable engine; they run over
# the default one by themselves.
set -eu
# What a tool such as valgrind looks for is not in the engine.
[ -z "${SHUTTLED_WRAP:-}" ] || exit 77
here=$(dirname "$0")
SHUTTLED_ARGS="${SHUTTLED_ARGS:-} -e select"
export SHUTTLED_ARGS
for test in relay reset ../upstream/servers ../upstream/preconnect timeouts many pressure; do
	echo "== $test.sh"
	"$here/$test.sh"
done
