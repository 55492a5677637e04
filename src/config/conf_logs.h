/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * conf_logs.h: the logs of listeners, beside the log of the whole.
 */
#ifndef CONF_LOGS_H
#define CONF_LOGS_H

#include "config/conf.h"
#include "config/diagnostics.h"

/*
 * Fill c->own_log and each listener's own_log (0: that of the whole). What is
 * wrong with a target is added to the diagnostics.
 */
void	conf_logs_list(struct conf *c, struct diagnostics *);

#endif
