/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * client_key.h: whom limits take for one client. An IPv4 address, through whatever
 * socket; a network of 64 bits of IPv6, since a host has as many addresses of it
 * as it likes; and all who come over a unix socket.
 */
#ifndef CLIENT_KEY_H
#define CLIENT_KEY_H

#include <stdint.h>

#include "net/addr.h"

/*
 * A hash, different for each listener. Without the *seed* nobody can tell which
 * clients are taken for one, or share a bucket.
 */
uint64_t client_key_of(const uint64_t seed[2], uint32_t listener,
	    const struct endpoint *);

/* SipHash-2-4 (Aumasson, Bernstein, 2012) of these 16 bytes, for that. */
uint64_t client_key_hash(const uint64_t key[2], const uint64_t words[2]);

#endif
