/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * conf_unused_limits.h: the part of conf_unused.h that is about limits.
 */
#ifndef CONF_UNUSED_LIMITS_H
#define CONF_UNUSED_LIMITS_H

#include <stdbool.h>

#include "config/conf.h"
#include "config/diagnostics.h"

struct section;
struct settings;

/* Has this section a limit; or, if it is the top, any one? */
bool	conf_has_limit(const struct settings *, const struct section *);

/* Of a listener: limits that are never reached. */
void	conf_unused_limits(const struct conf *, const struct section *,
	    struct diagnostics *);

/* Of a section `limit`: whether it has any use. */
void	conf_unused_limit(const struct conf *, const struct section *,
	    struct diagnostics *);

#endif
