/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * addr.c: text to socket addresses and back. addr_parse() resolves host names
 * and may block, so only start-up code may call it.
 */
#include "net/addr.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define UNIX_PREFIX	"unix:"
#define UNIX_NAME	offsetof(struct sockaddr_un, sun_path)
#define ABSTRACT	'@'		/* stands for the leading zero byte */

static int
parse_unix(const char *path, struct addr *out, const char **why)
{
	bool abstract = path[0] == ABSTRACT;
	size_t len = strlen(path);

	if (path[0] != '/' && !abstract) {
		*why = "a unix socket is an absolute path, unix:/run/x.sock, "
		    "or abstract, unix:@name";
		return -1;
	}
	if (abstract && len == 1) {
		*why = "an abstract socket has a name: unix:@name";
		return -1;
	}
	if (len >= sizeof(out->un.sun_path)) {
		*why = "the path of a unix socket has at most 107 bytes";
		return -1;
	}
	memset(out, 0, sizeof(*out));
	out->un.sun_family = AF_UNIX;
	memcpy(out->un.sun_path, path, len);
	out->len = sizeof(out->un);
	if (abstract) {
		out->un.sun_path[0] = '\0';
		out->len = (socklen_t)(UNIX_NAME + len);
	}
	return 1;
}

/*
 * Splits `host:port` into *host* and *port*. The host of "[::1]:80" is returned
 * without its brackets.
 */
static int
split_host_port(const char *text, enum addr_use use, char *host, size_t size,
    const char **port, const char **why)
{
	const char *from = text, *end;

	if (text[0] == '[') {
		from = text + 1;
		end = strchr(from, ']');
		if (end == NULL || (end[1] != ':' &&
		    (use != ADDR_SERVER || end[1] != '\0'))) {
			*why = "an IPv6 address is written [::1]:80";
			return -1;
		}
		*port = end[1] == '\0' ? NULL : end + 2;
	} else if (use == ADDR_SERVER && text[0] != '\0' &&
	    strchr(text, ':') == NULL) {
		end = text + strlen(text);
		*port = NULL;
	} else {
		if ((end = strchr(text, ':')) == NULL) {
			*why = use != ADDR_LISTEN ?
			    "an address is host:port or unix:/path" :
			    "an address is host:port, :port or unix:/path";
			return -1;
		}
		if (strchr(end + 1, ':') != NULL) {
			*why = "an IPv6 address needs brackets: [::1]:80";
			return -1;
		}
		*port = end + 1;
	}
	if (text[0] == '[' && memchr(from, ':', (size_t)(end - from)) == NULL) {
		*why = "brackets are for IPv6 addresses: [::1]:80";
		return -1;
	}
	if ((size_t)(end - from) >= size) {
		*why = "the host name is too long";
		return -1;
	}
	memcpy(host, from, (size_t)(end - from));
	host[end - from] = '\0';
	return 0;
}

/* Name servers know a name with other letters by its ASCII form. */
static const char *
spelling_mistake(const char *name)
{
	const char *c;

	for (c = name; *c != '\0'; c++)
		if ((unsigned char)*c > '~')
			return "a host name has ASCII letters only; others "
			    "are written in the form xn--...";
	return "a host name has letters, digits, dots and hyphens";
}

/* A name that consists of digits and dots is an address. */
static bool
is_numeric(const char *name)
{
	const char *last = strrchr(name, '.');

	last = last == NULL ? name : last + 1;
	return *last != '\0' && last[strspn(last, "0123456789")] == '\0';
}

const char *
addr_name_mistake(const char *name)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz"
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_";
	struct in_addr ip;
	const char *c = name;
	size_t n;

	for (;; c += n + 1) {
		n = strspn(c, letters);
		if (c[n] != '.' && c[n] != '\0')
			return spelling_mistake(name);
		if (n == 0)
			return "a host name does not begin with a dot and has "
			    "no two dots in a row";
		if (n > 63)
			return "a label of a host name has at most 63 "
			    "characters";
		if (c[n] == '\0' || c[n + 1] == '\0')
			break;
	}
	return is_numeric(name) && inet_aton(name, &ip) == 0 ?
	    "this is not an IPv4 address" : NULL;
}

static bool
is_ipv6(const char *host)
{
	char ip[INET6_ADDRSTRLEN];
	struct in6_addr in6;
	size_t n = strcspn(host, "%");

	if (n >= sizeof(ip))
		return false;
	memcpy(ip, host, n);
	ip[n] = '\0';
	return inet_pton(AF_INET6, ip, &in6) == 1;
}

/* Every address of both families, in one IPv6 socket. */
static int
any_address(uint16_t port, struct addr *out)
{
	memset(out, 0, sizeof(*out));
	out->in6.sin6_family = AF_INET6;
	out->in6.sin6_addr = in6addr_any;
	out->in6.sin6_port = htons(port);
	out->len = sizeof(out->in6);
	return 1;
}

static bool
is_unspecified_addr(const struct addr *a)
{
	return a->sa.sa_family == AF_INET ?
	    a->in.sin_addr.s_addr == INADDR_ANY :
	    IN6_IS_ADDR_UNSPECIFIED(&a->in6.sin6_addr);
}

void
addr_look_up(struct addr_host *h, enum addr_use use)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM }, *list, *ai;
	/*
	 * An address that was written is meant; one that was resolved may be an
	 * accident.
	 */
	bool meant = use == ADDR_LISTEN || addr_is_ip(h->name);
	struct addr *a;

	h->n = 0;
	if ((h->error = getaddrinfo(h->name, NULL, &hints, &list)) != 0)
		return;
	h->error = ADDR_NEITHER;
	for (ai = list; ai != NULL && h->n < ADDR_OF_HOST; ai = ai->ai_next) {
		if (ai->ai_family != AF_INET && ai->ai_family != AF_INET6)
			continue;
		a = &h->addr[h->n];
		memset(a, 0, sizeof(*a));
		memcpy(&a->sa, ai->ai_addr, ai->ai_addrlen);
		a->len = ai->ai_addrlen;
		if (meant || !is_unspecified_addr(a))
			h->n++;
		else
			h->error = ADDR_NOWHERE;
	}
	freeaddrinfo(list);
}

const char *
addr_host_why(const struct addr_host *h)
{
	switch (h->error) {
	case ADDR_NOWHERE:
		return "the name resolves to 0.0.0.0 or ::, not to a server";
	case ADDR_NEITHER:
		return "the name has no IPv4 or IPv6 address";
	case ADDR_LATE:
		return "the lookup of the name timed out";
	default:
		return gai_strerror(h->error);
	}
}

int
addr_split(const char *text, enum addr_use use, char *host, size_t size,
    const char **why)
{
	const char *port, *err;
	long long n;

	if (strstr(text, "://") != NULL) {
		*why = use != ADDR_LISTEN ?
		    "an address has no scheme: it is host:port or unix:/path" :
		    "an address has no scheme: it is host:port, :port or "
		    "unix:/path";
		return -1;
	}
	if (split_host_port(text, use, host, size, &port, why) == -1)
		return -1;
	if (text[0] == '[')
		*why = is_ipv6(host) ? NULL : "this is not an IPv6 address";
	else
		*why = host[0] == '\0' || strcmp(host, "*") == 0 ? NULL :
		    addr_name_mistake(host);
	if (*why != NULL)
		return -1;
	if (port == NULL)
		return 0;
	if (isalpha((unsigned char)port[0])) {
		*why = "a port is a number, such as 80, not a name";
		return -1;
	}
	n = strtonum(port, use != ADDR_LISTEN ? 1 : 0, 65535, &err);
	/* Digits only: strtonum() accepts blanks and signs. */
	if (err != NULL || port[strspn(port, "0123456789")] != '\0') {
		*why = use != ADDR_LISTEN ?
		    "the port is a number from 1 to 65535" :
		    "the port is a number from 0 to 65535";
		return -1;
	}
	return (int)n;
}

unsigned
addr_ports(const char *text, char *first, size_t size, const char **why)
{
	const char *port = strrchr(text, ':'), *dash;
	char low_text[6] = "";
	const char *wrong_low, *wrong_high;
	long long low, high;

	*why = "this address is too long";
	if (strlcpy(first, text, size) >= size)
		return 0;
	if (port == NULL || (dash = strchr(port, '-')) == NULL ||
	    strchr(text, '/') != NULL ||
	    port[1 + strspn(port + 1, "0123456789-")] != '\0')
		return 1;
	if (dash - port - 1 < (int)sizeof(low_text))
		memcpy(low_text, port + 1, (size_t)(dash - port - 1));
	low = strtonum(low_text, 1, 65535, &wrong_low);
	high = strtonum(dash + 1, 1, 65535, &wrong_high);
	*why = "a range of ports is LOW-HIGH, from 1 to 65535";
	if (wrong_low != NULL || wrong_high != NULL || low > high ||
	    strchr(dash + 1, '-') != NULL)
		return 0;
	first[dash - text] = '\0';
	return (unsigned)(high - low + 1);
}

bool
addr_is_ip(const char *host)
{
	struct in6_addr ip;

	return inet_pton(AF_INET, host, &ip) == 1 ||
	    inet_pton(AF_INET6, host, &ip) == 1;
}

int
addr_parse(const char *text, enum addr_use use, struct addr *out, size_t max,
    const char **why)
{
	struct addr_host h;
	int i, port;

	if (strncmp(text, UNIX_PREFIX, strlen(UNIX_PREFIX)) == 0)
		return parse_unix(text + strlen(UNIX_PREFIX), out, why);
	port = addr_split(text, use, h.name, sizeof(h.name), why);
	if (port == -1)
		return -1;
	if (h.name[0] == '\0' || strcmp(h.name, "*") == 0) {
		if (use == ADDR_LISTEN)
			return any_address((uint16_t)port, out);
		*why = "the host is missing: host:port or unix:/path";
		return -1;
	}
	addr_look_up(&h, use);
	if (h.n == 0) {
		*why = addr_host_why(&h);
		return -1;
	}
	for (i = 0; i < h.n && (size_t)i < max; i++) {
		out[i] = h.addr[i];
		addr_set_port(&out[i], (uint16_t)port);
	}
	return i;
}

const unsigned char *
endpoint_ipv4(const struct endpoint *e)
{
	if (e->family == AF_INET)
		return e->ip;
	return e->family == AF_INET6 && memcmp(e->ip,
	    "\0\0\0\0\0\0\0\0\0\0\377\377", 12) == 0 ? e->ip + 12 : NULL;
}

/* By hand, because each session formats one. */
static void
put_ipv4(struct text *t, const unsigned char *ip)
{
	int i;

	for (i = 0; i < 4; i++) {
		if (i > 0)
			text_bytes(t, ".", 1);
		text_number(t, ip[i]);
	}
}

static void
put_ipv6(struct text *t, const struct endpoint *e)
{
	char ip[INET6_ADDRSTRLEN];

	text_string(t, inet_ntop(AF_INET6, e->ip, ip, sizeof(ip)));
	if (e->scope != 0) {
		text_bytes(t, "%", 1);
		text_number(t, e->scope);
	}
}

const char *
addr_format(const struct addr *a, char *buf, size_t size)
{
	struct endpoint e;

	if (addr_is_abstract(a)) {
		snprintf(buf, size, UNIX_PREFIX "%c%.*s", ABSTRACT,
		    (int)(a->len - UNIX_NAME - 1), a->un.sun_path + 1);
		return buf;
	}
	if (addr_is_unix(a)) {
		snprintf(buf, size, UNIX_PREFIX "%.*s",
		    (int)sizeof(a->un.sun_path), a->un.sun_path);
		return buf;
	}
	endpoint_set(&e, a);
	return endpoint_format(&e, buf, size);
}

void
endpoint_put_ip(struct text *t, const struct endpoint *e)
{
	const unsigned char *ipv4 = endpoint_ipv4(e);

	if (ipv4 != NULL)
		put_ipv4(t, ipv4);
	else if (e->family == AF_INET6)
		put_ipv6(t, e);
	else
		text_string(t, UNIX_PREFIX);
}

void
endpoint_put(struct text *t, const struct endpoint *e)
{
	bool brackets = e->family == AF_INET6 && endpoint_ipv4(e) == NULL;

	if (brackets)
		text_bytes(t, "[", 1);
	endpoint_put_ip(t, e);
	if (brackets)
		text_bytes(t, "]", 1);
	if (e->family != AF_UNIX) {
		text_bytes(t, ":", 1);
		text_number(t, e->port);
	}
}

const char *
endpoint_format(const struct endpoint *e, char *buf, size_t size)
{
	struct text t = { buf, buf + size - 1 };

	endpoint_put(&t, e);
	*t.at = '\0';
	return buf;
}

void
endpoint_set(struct endpoint *e, const struct addr *a)
{
	memset(e, 0, sizeof(*e));
	e->family = a->sa.sa_family;
	e->port = addr_port(a);
	if (e->family == AF_INET)
		memcpy(e->ip, &a->in.sin_addr, sizeof(a->in.sin_addr));
	else if (e->family == AF_INET6) {
		memcpy(e->ip, &a->in6.sin6_addr, sizeof(a->in6.sin6_addr));
		e->scope = a->in6.sin6_scope_id;
	}
}

bool
endpoint_as(const struct endpoint *e, int family, struct addr *a)
{
	const unsigned char *ipv4 = endpoint_ipv4(e);

	memset(a, 0, sizeof(*a));
	a->sa.sa_family = (sa_family_t)family;
	if (family == AF_INET && ipv4 != NULL) {
		memcpy(&a->in.sin_addr, ipv4, sizeof(a->in.sin_addr));
		a->len = sizeof(a->in);
	} else if (family == AF_INET6 && e->family == AF_INET6 &&
	    ipv4 == NULL) {
		memcpy(&a->in6.sin6_addr, e->ip, sizeof(a->in6.sin6_addr));
		a->in6.sin6_scope_id = e->scope;
		a->len = sizeof(a->in6);
	}
	return a->len != 0;
}

bool
endpoint_read(struct endpoint *e, const char *ip)
{
	memset(e, 0, sizeof(*e));
	if (inet_pton(AF_INET, ip, e->ip) == 1)
		e->family = AF_INET;
	else if (inet_pton(AF_INET6, ip, e->ip) == 1)
		e->family = AF_INET6;
	return e->family != 0;
}

bool
addr_is_unix(const struct addr *a)
{
	return a->sa.sa_family == AF_UNIX;
}

bool
addr_is_path(const struct addr *a)
{
	return addr_is_unix(a) && a->un.sun_path[0] != '\0';
}

bool
addr_is_abstract(const struct addr *a)
{
	return addr_is_unix(a) && a->un.sun_path[0] == '\0' &&
	    a->len > UNIX_NAME + 1;
}

uint16_t
addr_port(const struct addr *a)
{
	switch (a->sa.sa_family) {
	case AF_INET:
		return ntohs(a->in.sin_port);
	case AF_INET6:
		return ntohs(a->in6.sin6_port);
	default:
		return 0;
	}
}

void
addr_set_port(struct addr *a, uint16_t port)
{
	if (a->sa.sa_family == AF_INET)
		a->in.sin_port = htons(port);
	else if (a->sa.sa_family == AF_INET6)
		a->in6.sin6_port = htons(port);
}
