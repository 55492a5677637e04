/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * conf_loop.h: servers that are listeners of the same configuration.
 */
#ifndef CONF_LOOP_H
#define CONF_LOOP_H

#include "config/conf.h"
#include "config/diagnostics.h"

/*
 * Adds a diagnostic for each server whose sessions return to its own pool,
 * through one listener of this process or several: a session would open another
 * one without end. Asks the system for its addresses.
 */
void	conf_loop(const struct conf *, struct diagnostics *);

#endif
