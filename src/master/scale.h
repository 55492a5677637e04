/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * scale.h: changes the number of serving workers: adds one (TTIN), drains one
 * (TTOU), drains all (WINCH). Each is logged.
 */
#ifndef SCALE_H
#define SCALE_H

#include "master/process_table.h"

void	scale_up(struct process_table *);
void	scale_down(struct process_table *);	/* never the last one */
void	scale_to_none(struct process_table *);

#endif
