/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * check_schedule.h: the checks of all servers: their times, the consequences on
 * the board, and the log line when a server goes up or down.
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
 * Schedules checks for the servers of all pools that have them, on descriptors
 * below *descriptors*. Forks if a pool runs programs, so call it before
 * confinement. Continues from the state on the board. NULL with errno set.
 */
struct check_schedule *check_schedule_new(const struct conf *, struct board *,
	    struct log *, struct poller *, size_t descriptors);
void	check_schedule_free(struct check_schedule *);

/* Handles an event. False: the descriptor belongs to another owner. */
bool	check_schedule_event(struct check_schedule *,
	    const struct poller_event *);

/* Starts due checks and ends late ones. -1: checks cannot continue. */
int	check_schedule_turn(struct check_schedule *);

/* Servers whose names are looked up may have new addresses. */
void	check_schedule_follow(struct check_schedule *);

/*
 * The time in ms until check_schedule_turn() must be called, at most *limit*.
 */
int	check_schedule_wait(const struct check_schedule *, int limit);

#endif
