/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * proxyproto.h: encodes and decodes the header of the PROXY protocol, versions
 * 1 and 2 (proxy-protocol.txt of HAProxy). Works on bytes in memory: no
 * sockets, no allocation. The caller knows whether a header is due and from
 * which peer.
 */
#ifndef PROXYPROTO_H
#define PROXYPROTO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "net/addr.h"

#define PROXYPROTO_V1	107		/* the longest line, with its CRLF */
#define PROXYPROTO_MAX	4096		/* the longest header accepted */
#define PROXYPROTO_ID	128		/* the longest unique id */
#define PROXYPROTO_PATH	108		/* bytes of the path of a unix socket */

enum proxyproto_kind {
	PROXYPROTO_UNKNOWN,		/* addresses of the connection itself */
	PROXYPROTO_LOCAL,		/* no client: a check by the sender */
	PROXYPROTO_STREAM		/* source and destination */
};

/* Bytes of the caller with any value; at NULL: absent. */
struct proxyproto_bytes {
	const unsigned char	*at;
	size_t			 n;
};

/*
 * The contents of a header. Version 1 has no LOCAL (written as UNKNOWN), no
 * unix sockets and none of the members from *paths* on.
 */
struct proxyproto {
	unsigned		 version;	/* 1 or 2 */
	enum proxyproto_kind	 kind;
	/* Of PROXYPROTO_STREAM: both IP, or both AF_UNIX. */
	struct endpoint		 source, destination;
	/* Two of PROXYPROTO_PATH bytes for AF_UNIX, NULL: not known. */
	const unsigned char	*paths;
	/* All TLVs as received, to be passed on. */
	struct proxyproto_bytes	 tlvs;
	/* Found in the TLVs; written instead of those in *tlvs*. */
	struct proxyproto_bytes	 id, authority;
	bool			 crc;	/* found, or to be written */
};

/*
 * Decodes the header at the beginning of *n* bytes. Returns its length, with
 * *h* pointing into *bytes*; 0: incomplete, at most PROXYPROTO_MAX in all; -1
 * as soon as it cannot be a header, with *why set to a constant text.
 */
int	proxyproto_decode(const void *bytes, size_t n, struct proxyproto *h,
	    const char **why);

/*
 * Encodes *h*. Addresses are written as IPv4 if both can be, including mapped
 * ones. A pair of IPv4 and IPv6 becomes UNKNOWN in version 1 and IPv6 in
 * version 2. Returns the length; 0: *size* (whose contents are then undefined)
 * or PROXYPROTO_MAX is too small, or the id is too long.
 */
size_t	proxyproto_encode(const struct proxyproto *h, void *out, size_t size);

/*
 * CRC32c (RFC 3720, appendix B.4), continued from *crc*, which is 0 at first.
 */
uint32_t proxyproto_crc32c(uint32_t crc, const void *bytes, size_t n);

#endif
