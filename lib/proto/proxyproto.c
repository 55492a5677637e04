/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * proxyproto.c: decodes a header from its beginning on each call, so that it
 * may arrive in any pieces, and encodes it. Section numbers refer to
 * proxy-protocol.txt. Invariant: nothing behind the given bytes is read.
 */
#include "proto/proxyproto.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HEAD		16		/* of version 2, without addresses */
#define SIGNATURE	"\r\n\r\n\0\r\nQUIT\n"
#define SIGNATURE_LEN	(sizeof(SIGNATURE) - 1)
#define VERSION		0x20
#define STREAM		0x1
#define TLV_HEAD	3

#define UNKNOWN		"PROXY UNKNOWN"
#define UNKNOWN_LEN	(sizeof(UNKNOWN) - 1)

enum command { COMMAND_LOCAL, COMMAND_PROXY };
enum family { FAMILY_UNSPEC, FAMILY_INET, FAMILY_INET6, FAMILY_UNIX };
enum tlv { TLV_AUTHORITY = 0x02, TLV_CRC32C = 0x03, TLV_UNIQUE_ID = 0x05 };

/* Size of the addresses of each family, including ports. */
static const size_t sizes[] = {
	[FAMILY_UNSPEC] = 0,
	[FAMILY_INET] = 2 * 4 + 2 * 2,
	[FAMILY_INET6] = 2 * 16 + 2 * 2,
	[FAMILY_UNIX] = 2 * PROXYPROTO_PATH
};

/* RFC 4291, section 2.5.5.2 */
static const unsigned char mapped[12] = { [10] = 0xff, [11] = 0xff };

/* Four bits at a time: headers are short, and a table of 16 can be reviewed. */
uint32_t
proxyproto_crc32c(uint32_t crc, const void *bytes, size_t n)
{
	static const uint32_t table[16] = {
		0x00000000, 0x105ec76f, 0x20bd8ede, 0x30e349b1,
		0x417b1dbc, 0x5125dad3, 0x61c69362, 0x7198540d,
		0x82f63b78, 0x92a8fc17, 0xa24bb5a6, 0xb21572c9,
		0xc38d26c4, 0xd3d3e1ab, 0xe330a81a, 0xf36e6f75
	};
	const unsigned char *b = bytes;

	for (crc = ~crc; n > 0; n--) {
		crc ^= *b++;
		crc = crc >> 4 ^ table[crc & 15];
		crc = crc >> 4 ^ table[crc & 15];
	}
	return ~crc;
}

static unsigned
get_be16(const unsigned char *b)
{
	return (unsigned)(b[0] << 8 | b[1]);
}

static void
set_be16(unsigned char *b, size_t n)
{
	b[0] = (unsigned char)(n >> 8);
	b[1] = (unsigned char)n;
}

static void
set_be32(unsigned char *b, uint32_t n)
{
	set_be16(b, n >> 16);
	set_be16(b + 2, n & 0xffff);
}

/*
 * Checksum of the whole header with zeros in place of the checksum: section
 * 2.2.3.
 */
static void
header_crc(const unsigned char *b, size_t n, const unsigned char *field,
    unsigned char crc[4])
{
	size_t before = (size_t)(field - b);
	uint32_t sum;

	sum = proxyproto_crc32c(0, b, before);
	sum = proxyproto_crc32c(sum, "\0\0\0", 4);
	sum = proxyproto_crc32c(sum, field + 4, n - before - 4);
	set_be32(crc, sum);
}

/* Takes the bytes up to *until* inclusive as a string; a NUL is an error. */
static bool
read_proxy_word(const char **at, const char *end, char until,
    char out[INET6_ADDRSTRLEN])
{
	const char *stop = memchr(*at, until, (size_t)(end - *at));
	size_t n;

	if (stop == NULL || (n = (size_t)(stop - *at)) >= INET6_ADDRSTRLEN ||
	    memchr(*at, '\0', n) != NULL)
		return false;
	memcpy(out, *at, n);
	out[n] = '\0';
	*at = stop + 1;
	return true;
}

static bool
read_ip(const char **at, const char *end, struct endpoint *e)
{
	char text[INET6_ADDRSTRLEN];

	return read_proxy_word(at, end, ' ', text) &&
	    inet_pton(e->family, text, e->ip) == 1;
}

static bool
read_port(const char **at, const char *end, char until, struct endpoint *e)
{
	char text[INET6_ADDRSTRLEN];
	long port;

	if (!read_proxy_word(at, end, until, text) || text[0] == '\0' ||
	    text[strspn(text, "0123456789")] != '\0' ||
	    (text[0] == '0' && text[1] != '\0') ||
	    (port = strtol(text, NULL, 10)) > UINT16_MAX)
		return false;
	e->port = (uint16_t)port;
	return true;
}

/* Parses what follows "TCP4 ", up to and including the CR. */
static const char *
read_v1_line(const char *at, const char *end, struct proxyproto *h)
{
	if (!read_ip(&at, end, &h->source))
		return "version 1: invalid source address";
	if (!read_ip(&at, end, &h->destination))
		return "version 1: invalid destination address";
	if (!read_port(&at, end, ' ', &h->source))
		return "version 1: invalid source port";
	if (!read_port(&at, end, '\r', &h->destination))
		return "version 1: invalid destination port";
	return NULL;
}

/* Matches the beginning of the line and sets its length; false: no match. */
static bool
read_protocol(const char *s, size_t n, struct proxyproto *h, size_t *len)
{
	static const char *const begin[] = {
		"PROXY TCP4 ", "PROXY TCP6 ", UNKNOWN
	};
	size_t i;

	for (i = 0; i < 3; i++) {
		*len = strlen(begin[i]);
		if (memcmp(s, begin[i], n < *len ? n : *len) == 0)
			break;
	}
	if (i == 3 || (i == 2 && n > *len && s[*len] != ' ' && s[*len] != '\r'))
		return false;
	h->kind = i == 2 ? PROXYPROTO_UNKNOWN : PROXYPROTO_STREAM;
	h->source.family = h->destination.family = i == 2 ? AF_UNSPEC :
	    i == 1 ? AF_INET6 : AF_INET;
	return true;
}

/*
 * The length of the line with its CRLF; 0 or -1 as in proxyproto_decode(). A
 * lone CR or LF is an error anywhere.
 */
static int
v1_line_length(const char *s, size_t n, const char **why)
{
	size_t i = 0, max = n < PROXYPROTO_V1 ? n : PROXYPROTO_V1;

	while (i < max && s[i] != '\r' && s[i] != '\n')
		i++;
	if (i < max && (s[i] == '\n' || (i + 1 < max && s[i + 1] != '\n'))) {
		*why = "version 1: a CR or LF that is not a CRLF";
		return -1;
	}
	if (i + 1 < max)
		return (int)i + 2;
	if (max == PROXYPROTO_V1) {
		*why = "version 1: no CRLF within 107 bytes";
		return -1;
	}
	return 0;
}

static int
decode_v1(const char *s, size_t n, struct proxyproto *h, const char **why)
{
	size_t begin;
	int len;

	h->version = 1;
	if (!read_protocol(s, n, h, &begin)) {
		*why = "version 1: neither PROXY TCP4, TCP6 nor UNKNOWN";
		return -1;
	}
	if ((len = v1_line_length(s, n, why)) <= 0)
		return len;
	if (h->kind == PROXYPROTO_STREAM &&
	    (*why = read_v1_line(s + begin, s + len - 1, h)) != NULL)
		return -1;
	return len;
}

static const unsigned char *
read_endpoint(const unsigned char *b, size_t ip, const unsigned char *port,
    struct endpoint *e)
{
	e->family = ip == 4 ? AF_INET : AF_INET6;
	memcpy(e->ip, b, ip);
	e->port = (uint16_t)get_be16(port);
	return b + ip;
}

static void
read_addresses(const unsigned char *b, enum family family, struct proxyproto *h)
{
	size_t ip = family == FAMILY_INET ? 4 : 16;

	h->kind = PROXYPROTO_STREAM;
	if (family == FAMILY_UNIX) {
		h->source.family = h->destination.family = AF_UNIX;
		h->paths = b;
		return;
	}
	b = read_endpoint(b, ip, b + 2 * ip, &h->source);
	read_endpoint(b, ip, b + ip + 2, &h->destination);
}

/* Total size of this TLV; 0: it exceeds the header. */
static size_t
tlv_size(const unsigned char *at, const unsigned char *end)
{
	size_t n, room = (size_t)(end - at);

	if (room < TLV_HEAD || (n = TLV_HEAD + get_be16(at + 1)) > room)
		return 0;
	return n;
}

/* Finds the TLVs in use. Returns what is wrong, or NULL. */
static const char *
read_tlvs(struct proxyproto *h, const unsigned char **crc)
{
	const unsigned char *at = h->tlvs.at, *end = at + h->tlvs.n;
	struct proxyproto_bytes value;
	size_t n;

	for (; at < end; at += n) {
		if ((n = tlv_size(at, end)) == 0)
			return "version 2: a TLV is longer than the header";
		value.at = at + TLV_HEAD;
		value.n = n - TLV_HEAD;
		if (at[0] == TLV_CRC32C && (value.n != 4 || *crc != NULL))
			return "version 2: not one checksum of 4 bytes";
		if (at[0] == TLV_UNIQUE_ID && value.n > PROXYPROTO_ID)
			return "version 2: a unique id of more than 128 bytes";
		if (at[0] == TLV_CRC32C)
			*crc = value.at;
		else if (at[0] == TLV_UNIQUE_ID && h->id.at == NULL)
			h->id = value;
		else if (at[0] == TLV_AUTHORITY && h->authority.at == NULL)
			h->authority = value;
	}
	return NULL;
}

/*
 * UNSPEC pairs only with UNSPEC: section 2.2 does not expect other pairs, and
 * allows to reject them.
 */
static bool
is_expected(unsigned char family_and_protocol)
{
	unsigned family = family_and_protocol >> 4,
	    protocol = family_and_protocol & 15;

	return family_and_protocol == 0 || (family >= FAMILY_INET &&
	    family <= FAMILY_UNIX && (protocol == STREAM || protocol == 2));
}

/*
 * Checks the first 16 bytes as far as they have arrived. Returns what is wrong,
 * or NULL.
 */
static const char *
read_head(const unsigned char *b, size_t n)
{
	if (memcmp(b, SIGNATURE, n < SIGNATURE_LEN ? n : SIGNATURE_LEN) != 0)
		return "not a PROXY header of version 1 or 2";
	if (n > 12 && (b[12] & 0xf0) != VERSION)
		return "version 2: unknown version number";
	if (n > 12 && (b[12] & 0x0f) > COMMAND_PROXY)
		return "version 2: the command is neither LOCAL nor PROXY";
	/* The rest of a LOCAL header must be ignored. */
	if (n > 13 && (b[12] & 0x0f) == COMMAND_PROXY && !is_expected(b[13]))
		return "version 2: unknown address family or protocol";
	if (n < HEAD)
		return NULL;
	if (get_be16(b + 14) > PROXYPROTO_MAX - HEAD)
		return "version 2: longer than 4096 bytes";
	if ((b[12] & 0x0f) == COMMAND_PROXY &&
	    get_be16(b + 14) < sizes[b[13] >> 4])
		return "version 2: shorter than its addresses";
	return NULL;
}

/*
 * Parses what follows the head. The addresses of a datagram do not apply to a
 * connection. LOCAL is accepted with any contents, but its checksum must be
 * right if present: the command could have been PROXY.
 */
static const char *
read_block(const unsigned char *b, size_t size, struct proxyproto *h)
{
	static const struct proxyproto_bytes none;
	bool local = (b[12] & 0x0f) == COMMAND_LOCAL;
	size_t skip = is_expected(b[13]) ? sizes[b[13] >> 4] : 0;
	const unsigned char *field = NULL;
	unsigned char crc[4];
	const char *wrong;

	if (local)
		h->kind = PROXYPROTO_LOCAL;
	else if ((b[13] & 0x0f) == STREAM)
		read_addresses(b + HEAD, (enum family)(b[13] >> 4), h);
	if (skip > size - HEAD)
		skip = 0;
	h->tlvs.at = b + HEAD + skip;
	h->tlvs.n = size - HEAD - skip;
	wrong = read_tlvs(h, &field);
	if (wrong != NULL && local) {
		h->tlvs = h->id = h->authority = none;
		return NULL;
	}
	if (wrong != NULL || field == NULL)
		return wrong;
	header_crc(b, size, field, crc);
	h->crc = true;
	return memcmp(crc, field, 4) == 0 ? NULL :
	    "version 2: the checksum is wrong";
}

static int
decode_v2(const unsigned char *b, size_t n, struct proxyproto *h,
    const char **why)
{
	size_t size;

	h->version = 2;
	if ((*why = read_head(b, n)) != NULL)
		return -1;
	if (n < HEAD || n < (size = HEAD + get_be16(b + 14)))
		return 0;
	*why = read_block(b, size, h);
	return *why != NULL ? -1 : (int)size;
}

int
proxyproto_decode(const void *bytes, size_t n, struct proxyproto *h,
    const char **why)
{
	const unsigned char *b = bytes;

	memset(h, 0, sizeof(*h));
	if (n == 0)
		return 0;
	return b[0] == 'P' ? decode_v1(bytes, n, h, why) :
	    decode_v2(b, n, h, why);
}

static bool
as_ipv6(const struct endpoint *e, unsigned char ip[16])
{
	if (e->family == AF_INET6)
		memcpy(ip, e->ip, 16);
	else {
		memcpy(ip, mapped, 12);
		memcpy(ip + 12, e->ip, 4);
	}
	return e->family == AF_INET6 || e->family == AF_INET;
}

/* A family for both addresses; IPv4 becomes IPv6 if they differ. */
static enum family
common_family(const struct proxyproto *h, unsigned char from[16],
    unsigned char to[16])
{
	if (h->kind != PROXYPROTO_STREAM)
		return FAMILY_UNSPEC;
	if (h->source.family == AF_UNIX && h->destination.family == AF_UNIX)
		return FAMILY_UNIX;
	if (!as_ipv6(&h->source, from) || !as_ipv6(&h->destination, to))
		return FAMILY_UNSPEC;
	return memcmp(from, mapped, 12) == 0 && memcmp(to, mapped, 12) == 0 ?
	    FAMILY_INET : FAMILY_INET6;
}

static size_t
encode_v1(const struct proxyproto *h, char *out, size_t size)
{
	char from[INET6_ADDRSTRLEN], to[INET6_ADDRSTRLEN],
	    line[PROXYPROTO_V1 + 1] = UNKNOWN "\r\n";
	unsigned char source[16], destination[16];
	enum family family = common_family(h, source, destination);
	int af = family == FAMILY_INET ? AF_INET : AF_INET6;
	size_t n = UNKNOWN_LEN + 2, at = af == AF_INET ? 12 : 0;

	if (family == FAMILY_INET || (family == FAMILY_INET6 &&
	    h->source.family == h->destination.family))
		n = (size_t)snprintf(line, sizeof(line),
		    "PROXY TCP%c %s %s %u %u\r\n", af == AF_INET ? '4' : '6',
		    inet_ntop(af, source + at, from, sizeof(from)),
		    inet_ntop(af, destination + at, to, sizeof(to)),
		    h->source.port, h->destination.port);
	if (n > size)
		return 0;
	memcpy(out, line, n);
	return n;
}

struct writer {
	unsigned char	*at, *end;
	bool		 full;		/* something did not fit */
};

static void
write_bytes(struct writer *w, const void *bytes, size_t n)
{
	if (n > (size_t)(w->end - w->at))
		w->full = true;
	else if (n > 0) {
		memcpy(w->at, bytes, n);
		w->at += n;
	}
}

static void
put_tlv(struct writer *w, enum tlv type, const void *bytes, size_t n)
{
	unsigned char head[TLV_HEAD] = { (unsigned char)type };

	if (n > PROXYPROTO_MAX) {
		w->full = true;
		return;
	}
	set_be16(head + 1, n);
	write_bytes(w, head, sizeof(head));
	write_bytes(w, bytes, n);
}

static void
put_addresses(struct writer *w, const struct proxyproto *h, enum family family,
    const unsigned char from[16], const unsigned char to[16])
{
	static const unsigned char no_paths[2 * PROXYPROTO_PATH];
	size_t at = family == FAMILY_INET ? 12 : 0;
	unsigned char ports[4];

	if (family == FAMILY_UNIX)
		write_bytes(w, h->paths != NULL ? h->paths : no_paths,
		    sizes[FAMILY_UNIX]);
	if (family != FAMILY_INET && family != FAMILY_INET6)
		return;
	set_be16(ports, h->source.port);
	set_be16(ports + 2, h->destination.port);
	write_bytes(w, from + at, 16 - at);
	write_bytes(w, to + at, 16 - at);
	write_bytes(w, ports, sizeof(ports));
}

/* A checksum that was received belongs to another header. */
static void
put_passed_on(struct writer *w, const struct proxyproto *h)
{
	const unsigned char *at = h->tlvs.at, *end;
	size_t n;

	if (at == NULL)
		return;
	for (end = at + h->tlvs.n; at < end && (n = tlv_size(at, end)) > 0;
	    at += n)
		if (at[0] != TLV_CRC32C &&
		    (at[0] != TLV_UNIQUE_ID || h->id.at == NULL) &&
		    (at[0] != TLV_AUTHORITY || h->authority.at == NULL))
			write_bytes(w, at, n);
}

static size_t
encode_v2(const struct proxyproto *h, unsigned char *out, size_t size)
{
	struct writer w = { out, out, h->id.n > PROXYPROTO_ID };
	unsigned char from[16], to[16], head[HEAD] = SIGNATURE;
	enum family family = common_family(h, from, to);
	size_t n;

	w.end += size < PROXYPROTO_MAX ? size : PROXYPROTO_MAX;
	head[12] = VERSION | (h->kind == PROXYPROTO_LOCAL ? COMMAND_LOCAL :
	    COMMAND_PROXY);
	if (family != FAMILY_UNSPEC)
		head[13] = (unsigned char)(family << 4 | STREAM);
	write_bytes(&w, head, sizeof(head));
	put_addresses(&w, h, family, from, to);
	put_passed_on(&w, h);
	if (h->id.at != NULL)
		put_tlv(&w, TLV_UNIQUE_ID, h->id.at, h->id.n);
	if (h->authority.at != NULL)
		put_tlv(&w, TLV_AUTHORITY, h->authority.at, h->authority.n);
	if (h->crc)
		put_tlv(&w, TLV_CRC32C, "\0\0\0", 4);
	if (w.full)
		return 0;
	n = (size_t)(w.at - out);
	set_be16(out + 14, n - HEAD);
	if (h->crc)
		header_crc(out, n, w.at - 4, w.at - 4);
	return n;
}

size_t
proxyproto_encode(const struct proxyproto *h, void *out, size_t size)
{
	return h->version == 1 ? encode_v1(h, out, size) :
	    encode_v2(h, out, size);
}
