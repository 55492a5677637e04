/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/* conf_make.h: from settings to a configuration. */
#ifndef CONF_MAKE_H
#define CONF_MAKE_H

#include "config/conf.h"
#include "config/diagnostics.h"

/*
 * Fills *c* from c->settings, and with the defaults of what is not set. Errors
 * are added to the diagnostics; then the configuration is unusable. If the
 * settings are not *whole*, missing parts are not reported.
 */
void	conf_make(struct conf *c, bool whole, struct diagnostics *);

#endif
