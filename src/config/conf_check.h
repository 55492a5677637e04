/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * conf_check.h: would a start by us, here and now, succeed?
 */
#ifndef CONF_CHECK_H
#define CONF_CHECK_H

#include "config/conf.h"
#include "config/diagnostics.h"

/*
 * Complain of files that cannot be written, of a root directory that is none,
 * of listeners that this user may not open, and of too few descriptors. Returns
 * the exit status of sysexits(3) that a start would end with, 0: none of these.
 * Makes and opens nothing; whether an address is free is not asked.
 */
int	conf_check(const struct conf *, size_t descriptors,
	    struct diagnostics *);

/* The same of addresses of others alone, for who is about to start. */
int	conf_check_transparent(const struct conf *, struct diagnostics *);

#endif
