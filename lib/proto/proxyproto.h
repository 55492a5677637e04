/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * proxyproto.h: the header of the PROXY protocol, versions 1 and 2, as it is in
 * proxy-protocol.txt of HAProxy. Bytes in memory only: no sockets, no
 * allocation. Whether a header is due, and from whom, is not known here.
 */
#ifndef PROXYPROTO_H
#define PROXYPROTO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "net/addr.h"

#define PROXYPROTO_V1	107		/* the longest line, with its CRLF */
#define PROXYPROTO_MAX	4096		/* the longest header that is taken */
#define PROXYPROTO_ID	128		/* the longest unique id */
#define PROXYPROTO_PATH	108		/* bytes of the path of a unix socket */

enum proxyproto_kind {
	PROXYPROTO_UNKNOWN,		/* those of the connection itself */
	PROXYPROTO_LOCAL,		/* nobody's: the sender checks */
	PROXYPROTO_STREAM		/* source and destination */
};

/* Bytes of somebody else's, with any value in them; at NULL: there are none. */
struct proxyproto_bytes {
	const unsigned char	*at;
	size_t			 n;
};

/*
 * What a header says. Version 1 has no LOCAL, which is written UNKNOWN, no unix
 * sockets and none of what is below *paths*.
 */
struct proxyproto {
	unsigned		 version;	/* 1 or 2 */
	enum proxyproto_kind	 kind;
	/* Of PROXYPROTO_STREAM: both IP, or both AF_UNIX. */
	struct endpoint		 source, destination;
	/* Two of PROXYPROTO_PATH bytes for AF_UNIX, NULL: not known. */
	const unsigned char	*paths;
	/* All TLVs as they have come, and to be passed on. */
	struct proxyproto_bytes	 tlvs;
	/* Found in them; to be written, instead of those in them. */
	struct proxyproto_bytes	 id, authority;
	bool			 crc;	/* there was one, or is to be */
};

/*
 * Read the header that *bytes* begin with, of which there are *n* up to now.
 * Returns how many it takes, with *h* pointing into them; 0: more have to come,
 * at most PROXYPROTO_MAX in all; or -1 as soon as they cannot become one, *why*
 * being a constant text that says what is wrong.
 */
int	proxyproto_decode(const void *bytes, size_t n, struct proxyproto *h,
	    const char **why);

/*
 * Write *h*. Addresses are IPv4 if both can be, so mapped ones, too; of one
 * IPv4 and one IPv6 address version 1 says UNKNOWN, version 2 both as IPv6.
 * Returns how many bytes; 0: there is no room for it in *size*, which is then
 * half filled, or in PROXYPROTO_MAX, or the id is too long.
 */
size_t	proxyproto_encode(const struct proxyproto *h, void *out, size_t size);

/* CRC32c (RFC 3720, appendix B.4) of what has *crc*, 0 at first, and this. */
uint32_t proxyproto_crc32c(uint32_t crc, const void *bytes, size_t n);

#endif
