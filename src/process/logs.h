/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * logs.h: the logs of listeners, beside the main log. Listeners with the same
 * target share one. The master opens them; workers inherit them, and later get
 * new descriptors from it. Each keeps its own unwritten lines: a log that is
 * full or slow delays no other.
 */
#ifndef LOGS_H
#define LOGS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "config/conf.h"
#include "config/diagnostics.h"
#include "log/log.h"

/* The main log has slot 0. */
#define LOGS		(CONF_LOGS + 1)

/*
 * Opens them. A target that *before* (NULL: none) has as well keeps its slot,
 * because processes of earlier generations know it by that. 0, or -1 with a
 * diagnostic. Pair with logs_close(), which may be called again.
 */
int	logs_open(struct conf *, const struct conf *before,
	    uint32_t generation, struct diagnostics *);
void	logs_close(struct conf *);

/* For a process that does not write to them. */
void	logs_leave(struct conf *);

/*
 * log_ident(), log_count_lost(), log_flush() and log_wait() for each of them.
 */
void	logs_ident(struct conf *, const char *name);
void	logs_count_lost(struct conf *, _Atomic uint64_t *);
void	logs_flush(const struct conf *);
int	logs_wait(const struct conf *, int limit);

/*
 * Reopens the main log and these; errors are logged, and the old one stays in
 * use. True if the main log was reopened.
 */
bool	logs_reopen(struct log *, const struct conf *);

/* The log in this slot, or NULL. */
struct log *logs_at(struct log *, const struct conf *, unsigned slot);

#endif
