/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * descriptor.h: what any descriptor needs now and then.
 */
#ifndef DESCRIPTOR_H
#define DESCRIPTOR_H

#include <stdbool.h>

/* Close it; errno stays as it is. */
void	descriptor_close(int fd);

/* Would a write to a pipe be taken now? Another writer may be faster. */
bool	descriptor_is_writable(int fd);

/* Has the other end gone, or has it been shut down? */
bool	descriptor_hung_up(int fd);

#endif
