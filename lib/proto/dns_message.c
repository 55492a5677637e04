/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * dns_message.c: walks a DNS message. Never reads behind its end, and follows
 * pointers only backwards, so it terminates. Does not check the owner of the
 * records: a name server may send anything.
 */
#include "proto/dns_message.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>

#define HEADER		12
#define IN		1

/* minimum of a SOA: two names of a byte, five numbers */
#define SOA_LEAST	(2 + 5 * 4)

/* Maximum length of a chain of aliases in one message. */
#define ALIASES		16

static unsigned
read_be16(const unsigned char *p)
{
	return (unsigned)p[0] << 8 | p[1];
}

static uint32_t
read_be32(const unsigned char *p)
{
	return (uint32_t)read_be16(p) << 16 | read_be16(p + 2);
}

/*
 * Appends one label; rejects characters that no host name has. -1: it does not
 * fit.
 */
static int
add_label(const unsigned char *label, size_t n, char *name, size_t *used)
{
	size_t i;

	if (*used + n + 2 > DNS_MESSAGE_NAME)
		return -1;
	if (*used > 0)
		name[(*used)++] = '.';
	for (i = 0; i < n; i++) {
		if (!isalnum(label[i]) && label[i] != '-' && label[i] != '_')
			return -1;
		name[(*used)++] = (char)label[i];
	}
	return 0;
}

/*
 * Reads the name at *at* and moves behind it. With *name* NULL the name is
 * skipped, whatever it is. -1: malformed.
 */
static int
read_name(const struct answer *a, size_t *at, char *name)
{
	size_t i = *at, least = i, used = 0, n;
	bool jumped = false;

	for (;;) {
		if (i >= a->len)
			return -1;
		n = a->message[i];
		if (n >= 0xc0) {
			if (i + 2 > a->len)
				return -1;
			if (!jumped)
				*at = i + 2;
			jumped = true;
			i = read_be16(a->message + i) & 0x3fff;
			/*
			 * Each pointer leads further to the front, so this
			 * terminates.
			 */
			if (name == NULL || i >= least)
				return name == NULL ? 0 : -1;
			least = i;
			continue;
		}
		i++;
		if (n > 63 || i + n > a->len)
			return -1;
		if (n == 0)
			break;
		if (name != NULL && add_label(a->message + i, n, name,
		    &used) == -1)
			return -1;
		i += n;
	}
	if (!jumped)
		*at = i;
	if (name != NULL)
		name[used] = '\0';
	return 0;
}

int
dns_message_begin(struct answer *a, const unsigned char *message, size_t len)
{
	unsigned questions;

	memset(a, 0, sizeof(*a));
	a->message = message;
	a->len = len;
	a->ttl = UINT32_MAX;
	if (len < HEADER)
		return -1;
	a->at = HEADER;
	a->left = read_be16(message + 6);
	for (questions = read_be16(message + 4); questions > 0; questions--) {
		if (read_name(a, &a->at, NULL) == -1 || a->at + 4 > len)
			return -1;
		a->at += 4;
	}
	return 0;
}

int
dns_message_asked(const unsigned char *message, size_t len,
    char name[DNS_MESSAGE_NAME], int *type)
{
	struct answer a = { .message = message, .len = len };
	size_t at = HEADER;

	/* QR, and one question. */
	if (len < HEADER || (message[2] & 0x80) == 0 ||
	    read_be16(message + 4) != 1 || read_name(&a, &at, name) == -1 ||
	    at + 4 > len || read_be16(message + at + 2) != IN)
		return -1;
	*type = (int)read_be16(message + at);
	return message[3] & 0xf;
}

const char *
dns_message_rcode_name(int rcode)
{
	static const char *const names[] = { "NOERROR", "FORMERR", "SERVFAIL",
	    "NXDOMAIN", "NOTIMP", "REFUSED", "YXDOMAIN", "YXRRSET", "NXRRSET",
	    "NOTAUTH", "NOTZONE" };

	return rcode < 0 || (size_t)rcode >= sizeof(names) / sizeof(*names) ?
	    NULL : names[rcode];
}

/* Parses the record of *n* bytes at *at* of this type. 1, or -1: truncated. */
static int
read_record(const struct answer *a, int type, size_t at, size_t n,
    struct record *r)
{
	const unsigned char *p = a->message + at;

	memset(r, 0, sizeof(*r));
	if (type == DNS_RR_A || type == DNS_RR_AAAA) {
		if (n != (type == DNS_RR_A ? 4 : 16))
			return -1;
		memcpy(r->ip, p, n);
		return 1;
	}
	if (n < 7)
		return -1;
	r->priority = (uint16_t)read_be16(p);
	r->weight = (uint16_t)read_be16(p + 2);
	r->port = (uint16_t)read_be16(p + 4);
	at += 6;
	return read_name(a, &at, r->target) == -1 ? -1 : 1;
}

/* RFC 2181, section 8: with the highest bit set it means 0. */
static uint32_t
get_ttl(const unsigned char *p)
{
	uint32_t ttl = read_be32(p);

	return ttl > INT32_MAX ? 0 : ttl;
}

/*
 * Skips the next record. 1: it has this type, and its *n* bytes end at a->at;
 * 0: another type; -1: malformed.
 */
static int
pass_record(struct answer *a, int type, size_t *n)
{
	const unsigned char *p;
	uint32_t ttl;

	if (read_name(a, &a->at, NULL) == -1 || a->at + 10 > a->len)
		return -1;
	p = a->message + a->at;
	*n = read_be16(p + 8);
	if (a->at + 10 + *n > a->len)
		return -1;
	a->at += 10 + *n;
	a->left--;
	ttl = get_ttl(p + 4);
	a->ttl = ttl < a->ttl ? ttl : a->ttl;
	return read_be16(p) == (unsigned)type && read_be16(p + 2) == IN;
}

int
dns_message_next(struct answer *a, int type, struct record *r)
{
	size_t n;
	int got = 0;

	while (got == 0 && a->left > 0)
		got = pass_record(a, type, &n);
	return got != 1 ? got : read_record(a, type, a->at - n, n, r);
}

/* Finds the alias of *name*. 1; 0: none; -1: malformed. */
static int
find_alias(struct answer a, const char *name, char *target)
{
	char owner[DNS_MESSAGE_NAME];
	size_t from, n;
	int got;

	while (a.left > 0) {
		from = a.at;
		if ((got = pass_record(&a, DNS_MESSAGE_CNAME, &n)) == -1)
			return -1;
		/* An owner that is not a host name is not the wanted one. */
		if (got == 0 || read_name(&a, &from, owner) == -1 ||
		    strcasecmp(owner, name) != 0)
			continue;
		from = a.at - n;
		return read_name(&a, &from, target) == -1 ||
		    target[0] == '\0' ? -1 : 1;
	}
	return 0;
}

int
dns_message_alias(const unsigned char *message, size_t len,
    char target[DNS_MESSAGE_NAME])
{
	char name[DNS_MESSAGE_NAME];
	struct answer a;
	size_t at = HEADER;
	int got, i;

	if (dns_message_begin(&a, message, len) == -1)
		return -1;
	if (read_be16(message + 4) == 0 || read_name(&a, &at, name) == -1)
		return 0;
	for (i = 0; i < ALIASES; i++) {
		if ((got = find_alias(a, name, target)) != 1)
			break;
		memcpy(name, target, sizeof(name));
	}
	if (i == ALIASES || got == -1)
		return -1;
	memcpy(target, name, sizeof(name));
	return i > 0;
}

int
dns_message_nothing_ttl(const unsigned char *message, size_t len, uint32_t *ttl)
{
	struct answer a;
	size_t n;
	int got = 0;

	if (dns_message_begin(&a, message, len) == -1)
		return -1;
	while (a.left > 0)
		if (pass_record(&a, 0, &n) == -1)
			return -1;
	a.left = read_be16(message + 8);
	while (got == 0 && a.left > 0) {
		a.ttl = UINT32_MAX;
		got = pass_record(&a, DNS_MESSAGE_SOA, &n);
	}
	if (got != 1)
		return got;
	if (n < SOA_LEAST)
		return -1;
	/* MINIMUM is the last of the numbers. */
	*ttl = get_ttl(message + a.at - 4);
	*ttl = a.ttl < *ttl ? a.ttl : *ttl;
	return 1;
}
