/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * conf_make.h: from what was said to what is to be run.
 */
#ifndef CONF_MAKE_H
#define CONF_MAKE_H

#include "config/conf.h"
#include "config/diagnostics.h"

/*
 * Fill in what c->settings says, and the defaults for what it does not. What is
 * wrong is complained of; then the configuration is of no use. If the settings
 * are not *whole*, nothing is said of what is missing.
 */
void	conf_make(struct conf *c, bool whole, struct diagnostics *);

#endif
