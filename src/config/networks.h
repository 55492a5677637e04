/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * networks.h: lists of networks as a configuration has them:
 *
 *	10.0.0.0/8  192.0.2.1  2001:db8::/32  unix:  all  none  file:NAME
 *
 * Each may have a ! before it: who is there is not in the list, whatever else
 * stands in it. A file has one network a line.
 */
#ifndef NETWORKS_H
#define NETWORKS_H

#include "config/conf.h"
#include "config/settings.h"
#include "net/cidr.h"

/*
 * The list that this value is, in which cidr_find() says *in* of those who are in
 * it. Read when it is first asked for; the configuration owns it. NULL: there is
 * no value, or it is wrong, which has been complained of.
 */
const struct cidr *networks_of(struct conf *, const struct value *,
	    enum cidr_verdict in, struct diagnostics *);

/*
 * Complain of lists without a network: their files are empty, or their exceptions
 * take all of it away.
 */
void	networks_check(const struct conf *, struct diagnostics *);

/*
 * What the list of this value decides, as a hash: it is another one when a file
 * has other networks. 0: the value is no such list.
 */
uint64_t networks_hash(const struct conf *, const struct value *);

/* All of them. */
void	networks_free(struct conf *);

#endif
