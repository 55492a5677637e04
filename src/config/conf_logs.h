/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/* conf_logs.h: the logs of listeners, beside the main log. */
#ifndef CONF_LOGS_H
#define CONF_LOGS_H

#include "config/conf.h"
#include "config/diagnostics.h"

/*
 * Fills c->own_log and the own_log of each listener (0: the main log). Adds
 * diagnostics for invalid targets.
 */
void	conf_logs_list(struct conf *c, struct diagnostics *);

#endif
