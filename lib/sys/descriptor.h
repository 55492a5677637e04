/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/* descriptor.h: helpers for descriptors of any kind. */
#ifndef DESCRIPTOR_H
#define DESCRIPTOR_H

#include <stdbool.h>

/* Closes *fd* and keeps errno. */
void	descriptor_close(int fd);

/* True if a write would be accepted now; another writer may come first. */
bool	descriptor_is_writable(int fd);

/* Has the other end gone, or has it been shut down? */
bool	descriptor_hung_up(int fd);

#endif
