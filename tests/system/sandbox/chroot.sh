#!/bin/sh
# SPDX-License-Identifier: ISC
# Copyright (c) 2026 The shuttled authors
#
# chroot.sh: workers with a root directory of their own; and what is said of
# one that cannot be.
. "$(dirname "$0")/../lib.sh"
# To look for leaks it would read /proc, which is not there.
ASAN_OPTIONS=${ASAN_OPTIONS:+$ASAN_OPTIONS:}detect_leaks=0
export ASAN_OPTIONS

# A unix socket of a server is looked for below the new root.
root_directory() {
	mkdir "$T/root"
	peer_start there "listen unix:$T/root/there; port-file $T/there; \
	    serve any { exchange 1000 1000 seed 1 seed 1; expect-eof }"
	chmod 777 "$T/root/there"
	shuttled_start -l 127.0.0.1:0 -s unix:/there -w 2 --chroot "$T/root"
	for pid in $(worker_pids); do
		assert_eq root "$T/root" "$(readlink "/proc/$pid/root")"
		assert_eq directory "$T/root" "$(readlink "/proc/$pid/cwd")"
	done
	assert_eq 'root of the master' / "$(readlink "/proc/$PID/root")"
	serves || fail 'it does not serve'
	mv "$T/log" "$T/log.old"
	signal USR1
	wait_for 5 log_has reopened
	serves || fail 'it does not serve'
	assert_log 'session end .*servers_tried=unix:/there .*end=client.close'
}

# wrong_root STATUS TEXT DIR
wrong_root() {
	shuttled_try -l 127.0.0.1:0 -s builtin:echo --chroot "$3"
	assert_eq "status with $3" "$1" "$STATUS"
	assert_eq "what it says of $3" "shuttled: $2" \
	    "$(head -n 1 "$T/try.out")"
}

wrong_roots() {
	wrong_root 69 "chroot $T/nope: No such file or directory" "$T/nope"
	: >"$T/file"
	wrong_root 69 "chroot $T/file: this is not a directory" "$T/file"
}

root_for_a_user() {
	as_user=
	! can_change_user || as_user=$AS_USER
	with_wrap "$as_user" wrong_root 77 "chroot $T: only root can do that" \
	    "$T"
}

[ -z "$SHUTTLED_WRAP" ] || skip 'the wrapper has files of its own'
if [ "$(id -u)" -eq 0 ]; then
	run_cases root_directory wrong_roots
fi
if [ "$(id -u)" -ne 0 ] || can_change_user; then
	run_cases root_for_a_user
fi
