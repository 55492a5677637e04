/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/* conf_absent.h: what a configuration names and this machine does not have. */
#ifndef CONF_ABSENT_H
#define CONF_ABSENT_H

#include "config/conf.h"
#include "config/diagnostics.h"

/*
 * Warns of addresses that this machine does not have at the moment, to listen
 * on or to connect from, and of missing interfaces. An address may be added
 * later, as with VRRP. The kernel is asked by a bind() without a port, so
 * anything that it permits is in order.
 */
void	conf_absent(const struct conf *, struct diagnostics *);

#endif
