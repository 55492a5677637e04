/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * networks.h: lists of networks as in a configuration:
 *
 *	10.0.0.0/8  192.0.2.1  2001:db8::/32  unix:  all  none  file:NAME
 *
 * An item with a ! before it is an exception: its clients are not in the list,
 * whatever other items say. A file has one network a line.
 */
#ifndef NETWORKS_H
#define NETWORKS_H

#include "config/conf.h"
#include "config/settings.h"
#include "net/cidr.h"

/*
 * The list of this value, in which cidr_find() returns *in* for clients in it.
 * Read on first use; the configuration owns it. NULL: there is no value, or it
 * is invalid, which was reported.
 */
const struct cidr *networks_of(struct conf *, const struct value *,
	    enum cidr_verdict in, struct diagnostics *);

/*
 * Adds diagnostics for lists without a network: their files are empty, or
 * exceptions remove all of it.
 */
void	networks_check(const struct conf *, struct diagnostics *);

/*
 * A hash of the verdicts of this list: it changes if a file has other networks.
 * 0: the value is not such a list.
 */
uint64_t networks_hash(const struct conf *, const struct value *);

/* All lists. */
void	networks_free(struct conf *);

#endif
