/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * client_key.h: what limits count as one client: an IPv4 address, through any
 * socket; an IPv6 network of 64 bits, because a host has as many of its
 * addresses as it likes; all peers of a unix socket together.
 */
#ifndef CLIENT_KEY_H
#define CLIENT_KEY_H

#include <stdint.h>

#include "net/addr.h"

/*
 * A hash, different for each listener. Without *seed* it cannot be predicted
 * which clients share a hash or a bucket.
 */
uint64_t client_key_of(const uint64_t seed[2], uint32_t listener,
	    const struct endpoint *);

/* SipHash-2-4 (Aumasson, Bernstein, 2012) of these 16 bytes. */
uint64_t client_key_hash(const uint64_t key[2], const uint64_t words[2]);

#endif
