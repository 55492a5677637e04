/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/* conf_check.h: whether a start by this user would succeed here and now. */
#ifndef CONF_CHECK_H
#define CONF_CHECK_H

#include "config/conf.h"
#include "config/diagnostics.h"

/*
 * Adds diagnostics for files that cannot be written, a wrong root directory,
 * listeners that this user may not open, and too few descriptors. Returns the
 * exit status of sysexits(3) that a start would end with, 0: no error. Creates
 * and opens nothing; does not check whether an address is in use.
 */
int	conf_check(const struct conf *, size_t descriptors,
	    struct diagnostics *);

/* Only the check of transparent, for a process about to start. */
int	conf_check_transparent(const struct conf *, struct diagnostics *);

#endif
