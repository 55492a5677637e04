/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/* phase.h: the phases of a service, which only advance. */
#ifndef PHASE_H
#define PHASE_H

#include "master/process_table.h"

enum phase { STARTING, RUNNING, LEAVING, QUITTING, STOPPING };

/*
 * Describes the state in one line for operators. *drain_at* is the
 * clock_now_ms() at which LEAVING ends.
 */
void	phase_describe(enum phase, const struct process_table *,
	    uint64_t drain_at, bool reload_failed, char *text, size_t);

/*
 * Logs the end of a master, with the counts of the service; or, if another master
 * has the service, which one that is.
 */
void	phase_log_end(const struct process_table *, struct log *,
	    const char *other);

#endif
