/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/* conf_unused.h: settings without an effect. */
#ifndef CONF_UNUSED_H
#define CONF_UNUSED_H

#include "config/conf.h"
#include "config/diagnostics.h"

/*
 * Warns of each directive that has no effect because another one is not set as
 * required. The configuration can be run. Values equal to the default are not
 * reported, nor, if checks are switched off explicitly, directives about
 * checks.
 */
void	conf_unused(const struct conf *, struct diagnostics *);

#endif
