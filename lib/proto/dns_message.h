/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * dns_message.h: parses the reply of a name server (RFC 1035, section 4),
 * record by record of the answer section. The message is untrusted.
 */
#ifndef DNS_MESSAGE_H
#define DNS_MESSAGE_H

#include <stddef.h>
#include <stdint.h>

/* Types of records. */
enum {
	DNS_RR_A = 1,
	DNS_MESSAGE_CNAME = 5,
	DNS_MESSAGE_SOA = 6,
	DNS_RR_AAAA = 28,
	DNS_RR_SRV = 33
};

#define DNS_MESSAGE_NAME	256	/* bytes of a name with the NUL */

struct record {
	unsigned char	ip[16];		/* A, AAAA */
	uint16_t	priority, weight, port;	/* SRV (RFC 2782) … */
	/* … "": there is no service */
	char		target[DNS_MESSAGE_NAME];
};

struct answer {
	const unsigned char *message;
	size_t		 len, at;
	unsigned	 left;		/* records */
	uint32_t	 ttl;		/* s, the lowest of those read */
};

/* 0; -1: the message is not an answer. */
int	dns_message_begin(struct answer *, const unsigned char *message,
	    size_t len);

/*
 * The next record of this type. 1; 0: there are no more; -1: the rest is
 * malformed.
 */
int	dns_message_next(struct answer *, int type, struct record *);

/*
 * Finds the canonical name if the name of the question is an alias (CNAME) in
 * this message. 1; 0: it is not; -1: malformed or circular.
 */
int	dns_message_alias(const unsigned char *message, size_t len,
	    char target[DNS_MESSAGE_NAME]);

/*
 * The name and type that the message answers. Returns its RCODE (RFC 1035, section
 * 4.1.1); -1: malformed, or not the answer to one question.
 */
int	dns_message_asked(const unsigned char *message, size_t len,
	    char name[DNS_MESSAGE_NAME], int *type);

/* SERVFAIL and so on (RFC 1035, RFC 2136); NULL: it has no name. */
const char *dns_message_rcode_name(int rcode);

/*
 * The time in s for which a negative answer is valid, from the SOA of the
 * authority section (RFC 2308, section 5). 1; 0: not given; -1: malformed.
 */
int	dns_message_nothing_ttl(const unsigned char *message, size_t len,
	    uint32_t *ttl);

#endif
