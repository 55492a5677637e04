/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * logs.h: the logs of listeners, beside the log of the whole. Listeners with the
 * same target share one. The master opens them; workers have them by fork, and
 * later by descriptors that it hands over. Each has lines of its own to keep: one
 * that is full or slow holds up no other.
 */
#ifndef LOGS_H
#define LOGS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "config/conf.h"
#include "config/diagnostics.h"
#include "log/log.h"

/* That of the whole has slot 0. */
#define LOGS		(CONF_LOGS + 1)

/*
 * Open them. Those with a target that *before* has as well (NULL: nothing was)
 * keep its slot: processes of earlier generations know them by that. 0, or -1 with
 * a diagnostic. Pair with logs_close(), which does no harm when called again.
 */
int	logs_open(struct conf *, const struct conf *before,
	    uint32_t generation, struct diagnostics *);
void	logs_close(struct conf *);

/* In a process that does not write there. */
void	logs_leave(struct conf *);

/* log_ident(), log_count_lost(), log_flush() and log_wait() for each of them. */
void	logs_ident(struct conf *, const char *name);
void	logs_count_lost(struct conf *, _Atomic uint64_t *);
void	logs_flush(const struct conf *);
int	logs_wait(const struct conf *, int limit);

/*
 * Reopen the log of the whole and these; errors are logged, and leave the old
 * one in use. Was that of the whole reopened?
 */
bool	logs_reopen(struct log *, const struct conf *);

/* The one in this slot; NULL: there is none. */
struct log *logs_at(struct log *, const struct conf *, unsigned slot);

#endif
