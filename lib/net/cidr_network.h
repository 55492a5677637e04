/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * cidr_network.h: the interface between cidr_text.c and cidr.c; for these two
 * only.
 */
#ifndef CIDR_NETWORK_H
#define CIDR_NETWORK_H

#include "net/cidr.h"

struct network {
	unsigned char	ip[16];		/* zeros behind the prefix */
	unsigned	len;		/* of the prefix, bits */
	int		family;		/* as in an endpoint; AF_UNSPEC: all */
};

/* Appends a network. 0, or -1 with ENOMEM. */
int	cidr_append(struct cidr *, const struct network *, enum cidr_verdict);

#endif
