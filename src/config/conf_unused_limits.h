/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/* conf_unused_limits.h: the part of conf_unused.h about limits. */
#ifndef CONF_UNUSED_LIMITS_H
#define CONF_UNUSED_LIMITS_H

#include <stdbool.h>

#include "config/conf.h"
#include "config/diagnostics.h"

struct section;
struct settings;

/* True if this section has a limit; for the top, any section. */
bool	conf_has_limit(const struct settings *, const struct section *);

/* Warns of limits of a listener that are never reached. */
void	conf_unused_limits(const struct conf *, const struct section *,
	    struct diagnostics *);

/* Warns if a section `limit` has no effect. */
void	conf_unused_limit(const struct conf *, const struct section *,
	    struct diagnostics *);

#endif
