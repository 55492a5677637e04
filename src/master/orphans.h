/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * orphans.h: what a failed upgrade has started and left, in whatever session and
 * process group. While one is under way processes whose parents die become
 * children of the master (privileges_adopt_orphans()), so that it can find
 * them.
 */
#ifndef ORPHANS_H
#define ORPHANS_H

#include <sys/types.h>

#include "master/process_table.h"

/*
 * Kill all children of this process but its workers and its prober. How many there
 * were: their own children come next. 0 as well where the kernel has no list.
 */
unsigned orphans_end(const struct process_table *);

#endif
