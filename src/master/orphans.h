/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * orphans.h: processes that a failed upgrade has left, in any session and
 * process group. While an upgrade is in progress, processes whose parents die
 * become children of the master (privileges_adopt_orphans()), so that it can
 * find them.
 */
#ifndef ORPHANS_H
#define ORPHANS_H

#include <sys/types.h>

#include "master/process_table.h"

/*
 * Kills all children of this process except workers and prober. Returns their
 * number: their own children follow. 0 also if the kernel has no list.
 */
unsigned orphans_end(const struct process_table *);

#endif
