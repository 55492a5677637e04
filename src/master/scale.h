/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * scale.h: how many workers serve, while it runs: one more (TTIN), one fewer
 * (TTOU), none (WINCH). The log has a line for each.
 */
#ifndef SCALE_H
#define SCALE_H

#include "master/process_table.h"

void	scale_up(struct process_table *);
void	scale_down(struct process_table *);	/* the last one stays */
void	scale_to_none(struct process_table *);

#endif
