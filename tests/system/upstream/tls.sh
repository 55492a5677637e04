#!/bin/sh
# SPDX-License-Identifier: ISC
# Copyright (c) 2026 The shuttled authors
#
# tls.sh: check: "tls", finds a server up whatever it is restricted to: versions,
# groups, suites, kinds of keys.
. "$(dirname "$0")/../lib.sh"

command -v openssl >/dev/null || skip 'no openssl'

# key NAME OPTION...: a key and its certificate, where this openssl makes them.
key() {
	name=$1
	shift
	openssl req -x509 -nodes -subj /CN=x -keyout "$T/$name.key" \
	    -out "$T/$name.cert" "$@" 2>/dev/null
}

# serve NAME KEY OPTION...: a server that can do no more than this. Those that
# this openssl cannot run are left out.
names=
serve() {
	name=$1
	key=$2
	shift 2
	[ -s "$T/$key.cert" ] || return 0
	openssl s_server -accept 127.0.0.1:0 -cert "$T/$key.cert" \
	    -key "$T/$key.key" "$@" >"$T/$name" 2>&1 <"$T/never" &
	also_end $!
	names="$names $name"
}

# up_all: one pool of all of them, each of which has to come up.
up_all() {
	servers=
	number=0
	for name in $names; do
		wait_for 10 has_begun "$name"
		port=$(sed -n 's/^ACCEPT.*:\([0-9]*\)$/\1/p' "$T/$name")
		if [ -z "$port" ]; then
			say "left out: $name"
			continue
		fi
		servers="$servers $name: { address: \"127.0.0.1:$port\" },"
		number=$((number + 1))
	done
	[ $number -ge 6 ] || skip 'this openssl serves nothing'
	cat >"$T/conf" <<-EOF
	workers: 1
	listen: { a: { address: "127.0.0.1:0" } }
	pool: { p: { check: "tls", interval: "10s", check_timeout: "10s",
	    server: { $servers } } }
	EOF
	shuttled_start -c "$T/conf"
	wait_for 10 log_reaches $number 'server p/.*: \(up\|down\): '
	assert_eq "of $number servers up" "$number" \
	    "$(log_count 'up: TLS ServerHello')"
	assert_not_log ': down: '
	say "$number servers"
	shuttled_stop
}

has_begun() {
	grep -q '^ACCEPT\|rror\|usage' "$T/$1"
}

restricted() {
	mkfifo "$T/never"
	# It is there until the end, and nothing comes out of it.
	exec 9<>"$T/never"
	key ec -newkey ec -pkeyopt ec_paramgen_curve:P-256
	key p521 -newkey ec -pkeyopt ec_paramgen_curve:P-521
	key rsa -newkey rsa:2048
	key pss -newkey rsa-pss -pkeyopt rsa_keygen_bits:2048
	key ed25519 -newkey ed25519
	key ed448 -newkey ed448
	for group in X25519 P-256 P-384 P-521 X448 ffdhe2048 ffdhe3072; do
		serve "group-$group" ec -tls1_3 -groups "$group"
	done
	for group in P-521 X448 X25519; do
		serve "group12-$group" rsa -tls1_2 -groups "$group"
	done
	for suite in TLS_AES_256_GCM_SHA384 TLS_CHACHA20_POLY1305_SHA256 \
	    TLS_AES_128_CCM_SHA256 TLS_AES_128_CCM_8_SHA256; do
		serve "$suite" ec -tls1_3 -ciphersuites "$suite"
	done
	for suite in AES256-GCM-SHA384 AES128-SHA AES256-SHA256 AES128-CCM \
	    DHE-RSA-AES128-GCM-SHA256 DHE-RSA-AES256-SHA \
	    DHE-RSA-CHACHA20-POLY1305 DHE-RSA-AES256-CCM \
	    ECDHE-RSA-AES256-SHA384 ECDHE-RSA-AES128-SHA \
	    ECDHE-RSA-CHACHA20-POLY1305 CAMELLIA128-SHA \
	    ARIA256-GCM-SHA384; do
		serve "$suite" rsa -tls1_2 -cipher "$suite"
	done
	for suite in ECDHE-ECDSA-AES128-CCM ECDHE-ECDSA-AES256-CCM8 \
	    ECDHE-ECDSA-AES256-SHA ECDHE-ECDSA-AES128-SHA256 \
	    ECDHE-ECDSA-CHACHA20-POLY1305; do
		serve "$suite" ec -tls1_2 -cipher "$suite"
	done
	for key in p521 pss ed25519 ed448; do
		serve "key-$key-1_3" "$key" -tls1_3
		serve "key-$key-1_2" "$key" -tls1_2
	done
	serve tls-1_1 rsa -tls1_1 -cipher DEFAULT:@SECLEVEL=0
	serve tls-1_0 rsa -tls1 -cipher DEFAULT:@SECLEVEL=0
	serve any rsa
	up_all
}

run_cases restricted
