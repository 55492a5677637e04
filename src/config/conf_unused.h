/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * conf_unused.h: what the operator has said in vain.
 */
#ifndef CONF_UNUSED_H
#define CONF_UNUSED_H

#include "config/conf.h"
#include "config/diagnostics.h"

/*
 * Complain of each directive that changes nothing because another one is not as
 * it would have to be. These are warnings: the configuration can be run. Nothing
 * is said of values that are the default, nor, where checks are switched off in
 * so many words, of what they would use.
 */
void	conf_unused(const struct conf *, struct diagnostics *);

#endif
