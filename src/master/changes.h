/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * changes.h: which configuration runs, and what is different from the one
 * before: one line of the log for each start, reload and upgrade.
 */
#ifndef CHANGES_H
#define CHANGES_H

#include "board/board.h"
#include "config/conf.h"
#include "log/log.h"

/* What a configuration consists of, by name, and how each part is set. */
struct inventory;

/* NULL with ENOMEM. Free with inventory_free(), which takes NULL. */
struct inventory *inventory_new(const struct conf *);
void	inventory_free(struct inventory *);

/*
 * Leave the inventory to the program that this process is about to become, in
 * the environment; and take it from there, out of the environment. NULL: there
 * is none, or none that makes sense.
 */
void	inventory_leave(const struct conf *);
struct inventory *inventory_inherit(void);

/* The same of a reload, with the configuration that ran before it. */
void	changes_log_reload(struct log *, const struct conf *now,
	    const struct board *, uint32_t generation,
	    const struct conf *before);

/*
 * Write the line. *cause* is start, reload or upgrade; *before* is NULL where
 * nothing is known of what ran before.
 */
void	changes_log(struct log *, const char *cause, const struct conf *,
	    const struct board *, uint32_t generation,
	    const struct inventory *before);

#endif
