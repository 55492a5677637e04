/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * dialog_tls.c: the hello and the look at its answer (RFC 8446, sections 4.1.2
 * and 5.1; RFC 5246, section 7.4.1.2). Offers what servers of the last fifteen
 * years have, since what is wanted is an answer, not a secret.
 */
#include "dialog_tls.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RECORD_ALERT		21
#define RECORD_HANDSHAKE	22
#define SERVER_HELLO		2

/* Bytes go in one after the other; what does not fit is counted only. */
struct writer {
	unsigned char	*out;
	size_t		 size, n;
};

static void
put(struct writer *w, unsigned value)
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
		put(w, *b++);
}

static void
put_random(struct writer *w, size_t n)
{
	unsigned char bytes[32];

	arc4random_buf(bytes, sizeof(bytes));
	put_bytes(w, bytes, n);
}

/* Room for a length of two bytes, and that length when its end is known. */
static size_t
begin(struct writer *w)
{
	put(w, 0);
	put(w, 0);
	return w->n;
}

static void
end(struct writer *w, size_t from)
{
	size_t n = w->n - from;

	if (from > w->size)
		return;
	w->out[from - 2] = (unsigned char)(n >> 8);
	w->out[from - 1] = (unsigned char)n;
}

/* RFC 6066, section 3. */
static void
put_name(struct writer *w, const char *name)
{
	size_t all, list, one;

	put_bytes(w, "\0\0", 2);
	all = begin(w);
	list = begin(w);
	put(w, 0);
	one = begin(w);
	put_bytes(w, name, strlen(name));
	end(w, one);
	end(w, list);
	end(w, all);
}

/* Any 32 bytes are a public key of X25519 (RFC 7748, section 5). */
static void
put_extensions(struct writer *w, const char *name)
{
	static const unsigned char rest[] = {
		0, 10, 0, 8, 0, 6,		/* groups */
		0, 29, 0, 23, 0, 24,		/* x25519, P-256, P-384 */
		0, 11, 0, 2, 1, 0,		/* points: uncompressed */
		0, 13, 0, 20, 0, 18,		/* signatures */
		4, 3, 8, 4, 4, 1, 5, 3, 8, 5, 5, 1, 8, 6, 6, 1, 8, 7,
		0, 43, 0, 5, 4, 3, 4, 3, 3,	/* versions 1.3, 1.2 */
		0, 51, 0, 38, 0, 36, 0, 29, 0, 32	/* a share */
	};

	if (name != NULL)
		put_name(w, name);
	put_bytes(w, rest, sizeof(rest));
	put_random(w, 32);
}

size_t
tls_hello(const char *name, unsigned char *out, size_t size)
{
	static const unsigned char ciphers[] = {
		0, 24,
		0x13, 0x01, 0x13, 0x02, 0x13, 0x03,	/* of 1.3 */
		0xc0, 0x2b, 0xc0, 0x2f, 0xc0, 0x2c, 0xc0, 0x30,
		0xcc, 0xa9, 0xcc, 0xa8,			/* ECDHE, AEAD */
		0xc0, 0x13, 0x00, 0x9c,			/* what is left */
		0x00, 0xff				/* RFC 5746 */
	};
	struct writer w = { .out = out, .size = size };
	size_t record, hello, extensions;

	put(&w, RECORD_HANDSHAKE);
	put_bytes(&w, "\3\1", 2);
	record = begin(&w);
	put_bytes(&w, "\1\0", 2);		/* ClientHello; 3 bytes of length */
	hello = begin(&w);
	put_bytes(&w, "\3\3", 2);
	put_random(&w, 32);
	put(&w, 32);				/* a session: what middle boxes like */
	put_random(&w, 32);
	put_bytes(&w, ciphers, sizeof(ciphers));
	put_bytes(&w, "\1\0", 2);		/* no compression */
	extensions = begin(&w);
	put_extensions(&w, name);
	end(&w, extensions);
	end(&w, hello);
	end(&w, record);
	return w.n <= size ? w.n : 0;
}

/* RFC 8446, section 6: those that a hello can be answered with. */
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

enum verdict
tls_judge(const unsigned char *r, size_t n, char why[DIALOG_WHY])
{
	if ((n > 0 && r[0] != RECORD_ALERT && r[0] != RECORD_HANDSHAKE) ||
	    (n > 1 && r[1] != 3)) {
		strlcpy(why, "what it answers is not TLS", DIALOG_WHY);
		return VERDICT_FAILED;
	}
	if (n < 6 || (r[0] == RECORD_ALERT && n < 7))
		return VERDICT_OPEN;
	if (r[0] == RECORD_ALERT)
		snprintf(why, DIALOG_WHY, "TLS alert %u (%s)", r[6],
		    alert_name(r[6]));
	else if (r[5] != SERVER_HELLO)
		snprintf(why, DIALOG_WHY, "TLS handshake message %u, not "
		    "ServerHello", r[5]);
	else
		strlcpy(why, "TLS ServerHello", DIALOG_WHY);
	return r[0] == RECORD_HANDSHAKE && r[5] == SERVER_HELLO ?
	    VERDICT_PASSED : VERDICT_FAILED;
}
