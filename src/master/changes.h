/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * changes.h: which configuration runs, and how it differs from the one before:
 * one log line for each start, reload and upgrade.
 */
#ifndef CHANGES_H
#define CHANGES_H

#include "board/board.h"
#include "config/conf.h"
#include "log/log.h"

/* The parts of a configuration by name, with a hash of each. */
struct inventory;

/* NULL with ENOMEM. Free with inventory_free(), which takes NULL. */
struct inventory *inventory_new(const struct conf *);
void	inventory_free(struct inventory *);

/*
 * Store the inventory in the environment, for the program that this process is
 * about to execute; and take it out of the environment. NULL: there is none, or
 * it is malformed.
 */
void	inventory_leave(const struct conf *);
struct inventory *inventory_inherit(void);

/* The same for a reload, with the configuration before it. */
void	changes_log_reload(struct log *, const struct conf *now,
	    const struct board *, uint32_t generation,
	    const struct conf *before);

/*
 * Logs the line. *cause* is start, reload or upgrade; *before* is NULL if the
 * former configuration is unknown.
 */
void	changes_log(struct log *, const char *cause, const struct conf *,
	    const struct board *, uint32_t generation,
	    const struct inventory *before);

#endif
