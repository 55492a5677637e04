/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * check_schedule.h: all servers that are checked: who is asked when, what follows for the
 * board, and the line in the log when one goes up or down.
 */
#ifndef CHECK_SCHEDULE_H
#define CHECK_SCHEDULE_H

#include <stdbool.h>
#include <stddef.h>

#include "board/board.h"
#include "config/conf.h"
#include "event/poller.h"
#include "log/log.h"

struct check_schedule;

/*
 * For the servers of all pools that are checked, on descriptors below
 * *descriptors*. Where a pool asks for programs this forks, so it is to be called
 * before the sandbox is entered. It goes on from what stands on the board. NULL
 * with errno set.
 */
struct check_schedule *check_schedule_new(const struct conf *, struct board *,
	    struct log *, struct poller *, size_t descriptors);
void	check_schedule_free(struct check_schedule *);

/* Act on an event. False: the descriptor is not one of these. */
bool	check_schedule_event(struct check_schedule *,
	    const struct poller_event *);

/* Begin what is due, end what takes too long. -1: checks cannot go on. */
int	check_schedule_turn(struct check_schedule *);

/* Servers whose names are looked up may be others now. */
void	check_schedule_follow(struct check_schedule *);

/* How long check_schedule_turn() can wait, in ms, never more than *limit*. */
int	check_schedule_wait(const struct check_schedule *, int limit);

#endif
