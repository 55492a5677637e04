/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * cidr.h: a verdict for each client, by network (RFC 4632, RFC 4291).
 *
 *	10.0.0.0/8  192.0.2.1  2001:db8::/32  ::1  unix:  all
 *
 * The first network added that contains a client decides. So a list is either
 * rules in order or one large set with equal verdicts. It is filled, built once
 * and read-only from then on: build it before fork().
 */
#ifndef CIDR_H
#define CIDR_H

#include <limits.h>
#include <stddef.h>

#include "net/addr.h"

/* Room for a reason, including the name of a file. */
#define CIDR_WHY	(PATH_MAX + 256)

enum cidr_verdict {
	CIDR_NONE,			/* in none of the networks */
	CIDR_ALLOW,
	CIDR_DENY
};

struct cidr;

/*
 * An empty list, or NULL with errno. Free with cidr_free(), which takes NULL.
 */
struct cidr *cidr_new(void);
void	cidr_free(struct cidr *);

/*
 * Appends one network. IPv4-mapped networks count as IPv4. `all` is every
 * client, ::/0 is every IPv6 client. 0, or -1 with errno and *why; EINVAL if
 * the text is wrong.
 */
int	cidr_add(struct cidr *, const char *network, enum cidr_verdict,
	    char why[CIDR_WHY]);

/*
 * Appends the networks in *file*, one a line; # begins a comment. Returns their
 * number, or -1 with errno and *why as FILE:LINE: reason; networks before that
 * line may have been added. Blocks as files do.
 */
int	cidr_read(struct cidr *, const char *file, enum cidr_verdict,
	    char why[CIDR_WHY]);

/*
 * Prepares the list for cidr_find(), in O(n log n); nothing can be added after
 * that. 0, or -1 with errno: then the list is unchanged.
 */
int	cidr_build(struct cidr *);

/*
 * The verdict on a client, in O(log n). IPv4-mapped addresses count as IPv4;
 * the interface of a link-local address is ignored.
 */
enum cidr_verdict cidr_find(const struct cidr *, const struct endpoint *);

/* True if this is the verdict on any client. */
bool	cidr_has(const struct cidr *, enum cidr_verdict);

/* Equal for built lists with equal verdicts; never 0. */
uint64_t cidr_hash(const struct cidr *);

/* The memory of a built list, in bytes. */
size_t	cidr_bytes(const struct cidr *);

#endif
