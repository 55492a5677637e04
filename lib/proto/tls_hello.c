/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * tls_hello.c: writes a ClientHello and judges the answer (RFC 8446, sections
 * 4.1.2 and 5.1; RFC 5246, section 7.4.1.2). Offers everything, because the
 * purpose is an answer and not a secret.
 */
#include "proto/tls_hello.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RECORD_ALERT		21
#define RECORD_HANDSHAKE	22
#define SERVER_HELLO		2
#define WARNING			1
#define CLOSE_NOTIFY		0

/* Appends bytes; those that do not fit are only counted. */
struct writer {
	unsigned char	*out;
	size_t		 size, n;
};

static void
put_byte(struct writer *w, unsigned value)
{
	if (w->n < w->size)
		w->out[w->n] = (unsigned char)value;
	w->n++;
}

static void
put_bytes(struct writer *w, const void *bytes, size_t n)
{
	const unsigned char *b = bytes;

	while (n-- > 0)
		put_byte(w, *b++);
}

static void
put_random(struct writer *w, size_t n)
{
	unsigned char bytes[32];

	arc4random_buf(bytes, sizeof(bytes));
	put_bytes(w, bytes, n);
}

/* Reserves a length of two bytes; and fills it in once the end is known. */
static size_t
begin_vector(struct writer *w)
{
	put_byte(w, 0);
	put_byte(w, 0);
	return w->n;
}

static void
end_vector(struct writer *w, size_t from)
{
	size_t n = w->n - from;

	if (from > w->size)
		return;
	w->out[from - 2] = (unsigned char)(n >> 8);
	w->out[from - 1] = (unsigned char)n;
}

/* RFC 6066, section 3. */
static void
put_host_name(struct writer *w, const char *name)
{
	size_t all, list, one;

	put_bytes(w, "\0\0", 2);
	all = begin_vector(w);
	list = begin_vector(w);
	put_byte(w, 0);
	one = begin_vector(w);
	put_bytes(w, name, strlen(name));
	end_vector(w, one);
	end_vector(w, list);
	end_vector(w, all);
}

/* A list of two-byte numbers behind its length. */
static void
put_list(struct writer *w, const uint16_t *list, size_t n)
{
	size_t from = begin_vector(w), i;

	for (i = 0; i < n; i++) {
		put_byte(w, list[i] >> 8);
		put_byte(w, list[i] & 0xff);
	}
	end_vector(w, from);
}

static void
put_list_extension(struct writer *w, unsigned type, const uint16_t *list,
    size_t n)
{
	size_t from;

	put_byte(w, type >> 8);
	put_byte(w, type & 0xff);
	from = begin_vector(w);
	put_list(w, list, n);
	end_vector(w, from);
}

#define COUNT(list)	(sizeof(list) / sizeof((list)[0]))

/* X25519 first, with a share: other groups cost the server a round trip. */
static const uint16_t groups[] = {
	29, 23, 24, 25, 30,		/* x25519, P-256, P-384, P-521, x448 */
	256, 257, 258, 259, 260,	/* ffdhe2048 to ffdhe8192 */
	0x11ec, 0x11eb, 0x11ed,		/* X25519, P-256, P-384 and ML-KEM */
	0x200, 0x201, 0x202,		/* ML-KEM alone */
	26, 27, 28, 31, 32, 33,		/* Brainpool, of 1.2 and 1.3 */
	22, 21, 19, 41			/* secp256k1, P-224, P-192, SM2 */
};

static const uint16_t signatures[] = {
	0x0403, 0x0503, 0x0603,		/* ECDSA */
	0x0807, 0x0808,			/* Ed25519, Ed448 */
	0x0804, 0x0805, 0x0806,		/* PSS with a key of RSA … */
	0x0809, 0x080a, 0x080b,		/* … and with one of its own */
	0x0401, 0x0501, 0x0601,		/* PKCS #1 */
	0x0904, 0x0905, 0x0906,		/* ML-DSA */
	0x081a, 0x081b, 0x081c,		/* ECDSA, Brainpool */
	0x0708, 0x0303, 0x0301,		/* SM2; SHA-224 */
	0x0402, 0x0502, 0x0602, 0x0302,	/* DSA */
	0x0203, 0x0201, 0x0202		/* SHA-1 */
};

/*
 * All suites that a server may support, the good ones first; none without
 * encryption or without a server key.
 */
static const uint16_t suites[] = {
	0x1301, 0x1302, 0x1303, 0x1304, 0x1305, 0x00c6, 0x00c7,	/* 1.3 */
	/* ECDHE: GCM, ChaCha20, CCM */
	0xc02b, 0xc02f, 0xc02c, 0xc030, 0xcca9, 0xcca8,
	0xc0ac, 0xc0ad, 0xc0ae, 0xc0af,
	/* ECDHE: CBC */
	0xc009, 0xc013, 0xc00a, 0xc014, 0xc023, 0xc027, 0xc024, 0xc028,
	/* DHE: GCM, ChaCha20, CCM; CBC */
	0x009e, 0x009f, 0xccaa, 0xc09e, 0xc09f, 0xc0a2, 0xc0a3,
	0x0033, 0x0039, 0x0067, 0x006b,
	/* DHE with DSA */
	0x00a2, 0x00a3, 0x0032, 0x0038, 0x0040, 0x006a,
	/* RSA: GCM, CCM, CBC */
	0x009c, 0x009d, 0xc09c, 0xc09d, 0xc0a0, 0xc0a1,
	0x002f, 0x0035, 0x003c, 0x003d,
	/* ECDH, fixed */
	0xc02d, 0xc031, 0xc02e, 0xc032, 0xc004, 0xc00e, 0xc005, 0xc00f,
	/* Camellia and ARIA */
	0xc072, 0xc076, 0xc073, 0xc077, 0xc086, 0xc08a, 0xc087, 0xc08b,
	0x0041, 0x0084, 0x0045, 0x0088, 0x00ba, 0x00c0, 0x00be, 0x00c4,
	0xc07a, 0xc07b, 0xc07c, 0xc07d,
	0xc05c, 0xc05d, 0xc060, 0xc061, 0xc052, 0xc053, 0xc050, 0xc051,
	/* Pre-shared keys: the server answers before it needs the key. */
	0x00a8, 0x00a9, 0x00aa, 0x00ab, 0x008c, 0x008d, 0x00ae, 0x00af,
	0xccab, 0xccac, 0xccad, 0xc0a4, 0xc0a5, 0xc035, 0xc036, 0xc037,
	0xc038, 0xd001, 0xd002, 0xd005,
	/* SEED, IDEA, triple DES, RC4 */
	0x0096, 0x009a, 0x0007, 0xc008, 0xc012, 0x0016, 0x0013, 0x000a,
	0xc007, 0xc011, 0x0005, 0x0004,
	0x00ff				/* RFC 5746 */
};

/* Any 32 bytes are a public key of X25519 (RFC 7748, section 5). */
static void
put_extensions(struct writer *w, const char *name)
{
	static const unsigned char rest[] = {
		0, 11, 0, 2, 1, 0,		/* points: uncompressed */
		0, 23, 0, 0,			/* RFC 7627 */
		0, 43, 0, 9, 8, 3, 4, 3, 3, 3, 2, 3, 1,	/* versions */
		0, 51, 0, 38, 0, 36, 0, 29, 0, 32	/* key share */
	};

	if (name != NULL)
		put_host_name(w, name);
	put_list_extension(w, 10, groups, COUNT(groups));
	put_list_extension(w, 13, signatures, COUNT(signatures));
	put_bytes(w, rest, sizeof(rest));
	put_random(w, 32);
}

size_t
tls_hello_make(const char *name, unsigned char *out, size_t size)
{
	struct writer w = { .out = out, .size = size };
	size_t record, hello, extensions;

	put_byte(&w, RECORD_HANDSHAKE);
	put_bytes(&w, "\3\1", 2);
	record = begin_vector(&w);
	put_bytes(&w, "\1\0", 2);		/* ClientHello; 3 bytes of length */
	hello = begin_vector(&w);
	put_bytes(&w, "\3\3", 2);
	put_random(&w, 32);
	put_byte(&w, 32);	/* session id (RFC 8446 D.4) */
	put_random(&w, 32);
	put_list(&w, suites, COUNT(suites));
	put_bytes(&w, "\1\0", 2);		/* no compression */
	extensions = begin_vector(&w);
	put_extensions(&w, name);
	end_vector(&w, extensions);
	end_vector(&w, hello);
	end_vector(&w, record);
	return w.n <= size ? w.n : 0;
}

/* RFC 8446, section 6: the alerts that can answer a hello. */
static const char *
alert_name(unsigned code)
{
	static const struct {
		unsigned    code;
		const char *name;
	} names[] = {
		{ 0, "close_notify" }, { 10, "unexpected_message" },
		{ 40, "handshake_failure" }, { 47, "illegal_parameter" },
		{ 50, "decode_error" }, { 70, "protocol_version" },
		{ 71, "insufficient_security" }, { 80, "internal_error" },
		{ 86, "inappropriate_fallback" }, { 90, "user_canceled" },
		{ 109, "missing_extension" }, { 112, "unrecognized_name" },
		{ 116, "certificate_required" },
		{ 120, "no_application_protocol" },
	};
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (names[i].code == code)
			return names[i].name;
	return "unknown";
}

/*
 * A warning, such as unrecognized_name, may precede the ServerHello: RFC 5246,
 * section 7.2.
 */
static bool
is_warning(const unsigned char *r)
{
	return r[0] == RECORD_ALERT && r[5] == WARNING && r[6] != CLOSE_NOTIFY;
}

int
tls_hello_judge(const unsigned char *r, size_t n, char *why, size_t size)
{
	size_t whole;

	for (;; r += whole, n -= whole) {
		if ((n > 0 && r[0] != RECORD_ALERT &&
		    r[0] != RECORD_HANDSHAKE) || (n > 1 && r[1] != 3)) {
			strlcpy(why, "the answer is not TLS", size);
			return 0;
		}
		if (n < 6 || (r[0] == RECORD_ALERT && n < 7))
			return -1;
		whole = 5 + ((size_t)r[3] << 8 | r[4]);
		if (!is_warning(r))
			break;
		if (n < whole)
			return -1;
	}
	if (r[0] == RECORD_ALERT)
		snprintf(why, size, "TLS alert %u (%s)", r[6],
		    alert_name(r[6]));
	else if (r[5] != SERVER_HELLO)
		snprintf(why, size, "TLS handshake message %u, not "
		    "ServerHello", r[5]);
	else
		strlcpy(why, "TLS ServerHello", size);
	return r[0] == RECORD_HANDSHAKE && r[5] == SERVER_HELLO;
}
