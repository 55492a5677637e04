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
 * Complain of each server whose sessions come back to its own pool, by a listener
 * of this process or by several: a session would open another one without end.
 * Asks the system which addresses it has.
 */
void	conf_loop(const struct conf *, struct diagnostics *);

#endif
