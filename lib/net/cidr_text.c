/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * cidr_text.c: reads networks from a text or a file. An error says what would
 * be right.
 */
#include "net/cidr.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "net/cidr_network.h"
#include "sys/file_text.h"

#define BLANKS		" \t\r\n\v\f"
#define MAPPED		96		/* bits of ::ffff:0:0 */

static int
fail_text(char *why, const char *text)
{
	strlcpy(why, text, CIDR_WHY);
	errno = EINVAL;
	return -1;
}

static int
fail_errno(char *why)
{
	int err = errno;

	strlcpy(why, strerror(err), CIDR_WHY);
	errno = err;
	return -1;
}

/* Text that is not an address gets the hint for what it most resembles. */
static int
bad_address(const char *ip, char *why)
{
	const char *colon = strchr(ip, ':');

	if (ip[0] == '[')
		return fail_text(why, "a network has no brackets: "
		    "2001:db8::/32");
	if (strchr(ip, '%') != NULL)
		return fail_text(why, "a network has no interface: fe80::/10");
	if (colon != NULL && strchr(ip, '.') != NULL &&
	    strchr(colon + 1, ':') == NULL)
		return fail_text(why, "a network has no port: 10.0.0.0/8");
	if (colon != NULL)
		return fail_text(why, "an IPv6 network is written "
		    "2001:db8::/32");
	if (ip[0] != '\0' && ip[strspn(ip, "0123456789.")] == '\0')
		return fail_text(why, "an IPv4 network has four numbers from 0 "
		    "to 255: 10.0.0.0/8");
	return fail_text(why, "a network is written 10.0.0.0/8, 2001:db8::/32, "
	    "unix: or all");
}

/* The bits of an address. */
static unsigned
address_bits(const struct network *net)
{
	return net->family == AF_INET ? 32 : 128;
}

static int
parse_network(const char *text, struct network *net, char *why)
{
	size_t n = strcspn(text, "/");
	const char *prefix = text + n + 1, *err = NULL;
	char ip[INET6_ADDRSTRLEN];

	if (n >= sizeof(ip))
		return bad_address(text, why);
	memcpy(ip, text, n);
	ip[n] = '\0';
	net->family = AF_INET;
	if (inet_pton(AF_INET, ip, net->ip) != 1)
		net->family = AF_INET6;
	if (net->family == AF_INET6 && inet_pton(AF_INET6, ip, net->ip) != 1)
		return bad_address(ip, why);
	net->len = address_bits(net);
	if (text[n] == '\0')
		return 0;
	net->len = (unsigned)strtonum(prefix, 0, address_bits(net), &err);
	/* Digits only: strtonum() accepts blanks and signs. */
	if (err != NULL || prefix[strspn(prefix, "0123456789")] != '\0')
		return fail_text(why, net->family == AF_INET ?
		    "the prefix is a number from 0 to 32: 10.0.0.0/8" :
		    "the prefix is a number from 0 to 128: 2001:db8::/32");
	return 0;
}

/*
 * IPv4-mapped clients are looked up as IPv4, so their networks are IPv4, too.
 */
static void
unmap_ipv4(struct network *net)
{
	struct endpoint e = { .family = (uint16_t)net->family };
	const unsigned char *ipv4;

	memcpy(e.ip, net->ip, sizeof(e.ip));
	ipv4 = endpoint_ipv4(&e);
	if (net->family != AF_INET6 || net->len < MAPPED || ipv4 == NULL)
		return;
	memcpy(net->ip, ipv4, 4);
	net->len -= MAPPED;
	net->family = AF_INET;
}

/* Clears the bits behind the prefix. */
static void
zero_host_bits(struct network *net)
{
	unsigned i = net->len / 8;

	if (net->len == address_bits(net))
		return;
	net->ip[i] &= (unsigned char)~(0xff >> net->len % 8);
	memset(net->ip + i + 1, 0, address_bits(net) / 8 - i - 1);
}

/* Rejects an address with a prefix that is not the address of its network. */
static int
check_bits(const struct network *net, char *why)
{
	struct network right = *net;
	char is[INET6_ADDRSTRLEN], in[INET6_ADDRSTRLEN];

	zero_host_bits(&right);
	if (memcmp(net->ip, right.ip, address_bits(net) / 8) == 0)
		return 0;
	snprintf(why, CIDR_WHY, "an address with a prefix: write %s/%u for the "
	    "network, %s for the address",
	    inet_ntop(net->family, right.ip, in, sizeof(in)), net->len,
	    inet_ntop(net->family, net->ip, is, sizeof(is)));
	errno = EINVAL;
	return -1;
}

int
cidr_add(struct cidr *c, const char *text, enum cidr_verdict v,
    char why[CIDR_WHY])
{
	struct network net = { .family = AF_UNSPEC };

	if (strcmp(text, "unix:") == 0)
		net.family = AF_UNIX;
	else if (strcmp(text, "all") != 0) {
		if (parse_network(text, &net, why) == -1)
			return -1;
		unmap_ipv4(&net);
		if (check_bits(&net, why) == -1)
			return -1;
	}
	return cidr_append(c, &net, v) == -1 ? fail_errno(why) : 0;
}

/* Returns the number of networks in this line, or -1. */
static int
read_network_line(struct cidr *c, char *line, size_t len, enum cidr_verdict v,
    char *why)
{
	char *word = line + strspn(line, BLANKS), *end;

	if (strlen(line) != len)
		return fail_text(why, "a NUL byte: this is not a list of "
		    "networks");
	word[strcspn(word, "#")] = '\0';
	if (word[0] == '\0')
		return 0;
	end = word + strcspn(word, BLANKS);
	if (end[strspn(end, BLANKS)] != '\0')
		return fail_text(why, "one network a line, followed only by a "
		    "comment after #");
	*end = '\0';
	return cidr_add(c, word, v, why) == -1 ? -1 : 1;
}

int
cidr_read(struct cidr *c, const char *file, enum cidr_verdict v,
    char why[CIDR_WHY])
{
	char reason[CIDR_WHY], *text, *line, *end;
	int got = 0, all = 0, number = 0, err;
	struct stat st;
	size_t len;

	if ((text = file_text(file, &len, &st)) == NULL) {
		err = errno;
		snprintf(why, CIDR_WHY, "%s: %s", file, file_text_why(err));
		errno = err;
		return -1;
	}
	for (line = text; line < text + len; line = end + 1) {
		if ((end = memchr(line, '\n', (size_t)(text + len - line))) ==
		    NULL)
			end = text + len;
		*end = '\0';
		number++;
		got = read_network_line(c, line, (size_t)(end - line), v,
		    reason);
		if (got == -1)
			break;
		all += got;
	}
	err = errno;
	if (got == -1)
		snprintf(why, CIDR_WHY, "%s:%d: %.200s", file, number, reason);
	free(text);
	errno = err;
	return got == -1 ? -1 : all;
}
