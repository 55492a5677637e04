/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/* scale.c: changes the number of workers on request by signals, and logs it. */
#include "master/scale.h"

#include <errno.h>

void
scale_up(struct process_table *cs)
{
	if (process_table_add(cs) == 0)
		log_line(cs->log, LOG_NOTICE, "workers: %u (+1)",
		    process_table_wanted(cs));
	else if (errno == ENOSPC)
		log_line(cs->log, LOG_WARNING,
		    "workers: %u is the maximum; none added", cs->board->rows);
}

void
scale_down(struct process_table *cs)
{
	if (process_table_wanted(cs) == 0)
		log_line(cs->log, LOG_WARNING, "no worker to drain");
	else if (process_table_remove(cs) == -1)
		log_line(cs->log, LOG_WARNING,
		    "the last worker is not drained: QUIT ends the service");
	else
		log_line(cs->log, LOG_NOTICE, "workers: %u (-1)",
		    process_table_wanted(cs));
}

void
scale_to_none(struct process_table *cs)
{
	log_line(cs->log, LOG_NOTICE, "draining all workers: connections wait "
	    "in the queue until TTIN starts one");
	process_table_drain(cs);
}
