/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * addr.h: addresses as operators write them and as the kernel takes them.
 *
 *	host:port  1.2.3.4:80  [::1]:80  :80  *:80  unix:/path  unix:@name
 *
 * IPv6 addresses have brackets (RFC 3986, section 3.2.2). An empty host or `*`
 * is every address of both families. "@" is an abstract socket: a name without
 * a file (unix(7)).
 */
#ifndef ADDR_H
#define ADDR_H

#include <sys/socket.h>
#include <sys/un.h>

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/text.h"

/* Room for any address as text, including the NUL. */
#define ADDR_TEXT	(sizeof(struct sockaddr_un) + sizeof("unix:"))

/* Room for the name of a host. */
#define ADDR_HOST	256

struct addr {
	union {
		struct sockaddr		sa;
		struct sockaddr_in	in;
		struct sockaddr_in6	in6;
		struct sockaddr_un	un;
	};
	socklen_t	len;
};

/*
 * The peer of a session in 24 bytes, because every session has one. A peer on a
 * unix socket has no address: only the family is set.
 */
struct endpoint {
	unsigned char	ip[16];		/* the first 4 for AF_INET */
	uint32_t	scope;		/* IPv6 interface, 0: none */
	uint16_t	port;		/* host order */
	uint16_t	family;		/* AF_INET, AF_INET6 or AF_UNIX */
};

/* What an address is used for. */
enum addr_use {
	ADDR_LISTEN,			/* empty host and port 0 are allowed */
	ADDR_CONNECT,			/* they are not */
	ADDR_SERVER			/* likewise; no port at all, as 0, is */
};

/* Addresses of a host that are used at most. */
#define ADDR_OF_HOST	16

/* A host and the result of its lookup. Plain data. */
struct addr_host {
	char		name[ADDR_HOST];
	int		n;		/* addresses, without a port */
	int		error;		/* EAI_… or ADDR_… if n is 0 */
	struct addr	addr[ADDR_OF_HOST];
};

enum {
	ADDR_NOWHERE = 1,		/* it resolves to 0.0.0.0 or :: */
	ADDR_NEITHER,			/* neither IPv4 nor IPv6 */
	ADDR_LATE			/* the lookup timed out */
};

/*
 * addr_look_up() resolves a host, an IP address or a name, and may block; with
 * ADDR_CONNECT, addresses that name no server are left out. addr_host_why()
 * describes why the host has no address.
 */
void	addr_look_up(struct addr_host *, enum addr_use);
const char *addr_host_why(const struct addr_host *);

/*
 * Reads *text* and resolves its host name, which may block. Writes up to *max*
 * addresses, one for each address of the name, and returns their number; or -1
 * with *why set to a constant text that says what is wrong and what would be
 * right.
 */
int	addr_parse(const char *text, enum addr_use, struct addr *out,
	    size_t max, const char **why);

/* NULL, or what is wrong with the name of a host or, with _, of a service. */
const char *addr_name_mistake(const char *);

/*
 * The same without a lookup: copies the host as written, without brackets, to
 * *host*. Returns the port, or -1 with *why set. A unix socket has neither host
 * nor port.
 */
int	addr_split(const char *text, enum addr_use, char *host, size_t size,
	    const char **why);

/*
 * An address to listen on may end in a range of ports, :8000-8010. Write it with
 * the first of them alone. Returns how many there are, 1 without a range, or 0
 * with *why set.
 */
unsigned addr_ports(const char *text, char *first, size_t size,
	    const char **why);

/* True if this host is an address and not a name. */
bool	addr_is_ip(const char *host);

/* Writes *a* as addr_parse() reads it. Returns *buf*. */
const char *addr_format(const struct addr *a, char *buf, size_t size);

/* descriptors, memory: for any call */
const char *endpoint_format(const struct endpoint *, char *buf, size_t size);

/* The same into a line; and the address alone, without brackets and port. */
void	endpoint_put(struct text *, const struct endpoint *);
void	endpoint_put_ip(struct text *, const struct endpoint *);

/* Stores the address of a peer in the compact form. */
void	endpoint_set(struct endpoint *, const struct addr *);

/*
 * Its IPv4 address, or NULL. A client with an IPv4-mapped address is an IPv4
 * client.
 */
const unsigned char *endpoint_ipv4(const struct endpoint *);

/*
 * Writes the address with port 0 in this family; an IPv4-mapped peer is
 * AF_INET. False if the peer is of the other family.
 */
bool	endpoint_as(const struct endpoint *, int family, struct addr *);

/* Reads an IP address without a port. */
bool	endpoint_read(struct endpoint *, const char *ip);

bool	addr_is_unix(const struct addr *);
/* True for a unix socket with a path in the file system. */
bool	addr_is_path(const struct addr *);
bool	addr_is_abstract(const struct addr *);
/* The port in host order, 0 for a unix socket. */
uint16_t addr_port(const struct addr *);
void	addr_set_port(struct addr *, uint16_t port);

#endif
