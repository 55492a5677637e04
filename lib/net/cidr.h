/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * cidr.h: what is to become of whom, by network (RFC 4632, RFC 4291).
 *
 *	10.0.0.0/8  192.0.2.1  2001:db8::/32  ::1  unix:  all
 *
 * The first network added that a client is in decides. So a list is rules in
 * their order, or one large set when all verdicts are the same. It is filled,
 * built once, and only looked at from then on: make it before fork().
 */
#ifndef CIDR_H
#define CIDR_H

#include <limits.h>
#include <stddef.h>

#include "net/addr.h"

/* Room for what is wrong and what would be right, the name of a file included. */
#define CIDR_WHY	(PATH_MAX + 256)

enum cidr_verdict {
	CIDR_NONE,			/* in none of these networks */
	CIDR_ALLOW,
	CIDR_DENY
};

struct cidr;

/* An empty list; NULL with errno. Free with cidr_free(), which takes NULL. */
struct cidr *cidr_new(void);
void	cidr_free(struct cidr *);

/*
 * Add one network behind those that are there. IPv4-mapped ones are IPv4. `all`
 * is every client there is, ::/0 those of IPv6 alone. 0, or -1 with errno and
 * *why: EINVAL when the text is at fault.
 */
int	cidr_add(struct cidr *, const char *network, enum cidr_verdict,
	    char why[CIDR_WHY]);

/*
 * Add the networks in *file*, one a line; # begins a comment. Returns how many,
 * or -1 as cidr_add() does: *why begins with FILE:LINE, and some may have been
 * added. Blocks as files do.
 */
int	cidr_read(struct cidr *, const char *file, enum cidr_verdict,
	    char why[CIDR_WHY]);

/*
 * Make it ready for cidr_find(), in O(n log n); nothing can be added any more.
 * 0, or -1 with errno: then it is as it was.
 */
int	cidr_build(struct cidr *);

/*
 * The verdict on a client, in O(log n). IPv4-mapped addresses count as IPv4; of
 * link-local ones the interface does not count.
 */
enum cidr_verdict cidr_find(const struct cidr *, const struct endpoint *);

/* Is there any client that this is the verdict on? */
bool	cidr_has(const struct cidr *, enum cidr_verdict);

/* Built lists that decide alike have the same; never 0. */
uint64_t cidr_hash(const struct cidr *);

/* The memory of a list that was built. */
size_t	cidr_bytes(const struct cidr *);

#endif
