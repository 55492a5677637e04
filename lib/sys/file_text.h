/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * file_text.h: what a file says, read whole and once: what is made of it later
 * cannot meet a read error, another file, or one that has no end.
 */
#ifndef FILE_TEXT_H
#define FILE_TEXT_H

#include <sys/stat.h>

#include <stddef.h>

/*
 * All *len* bytes of a regular file and a NUL behind them, the caller's to free;
 * *st says which file. Never waits. NULL with errno set: EISDIR, ENXIO (a pipe, a
 * device or a socket), EFBIG, EBUSY (it changed meanwhile), and as read(2).
 */
char	*file_text(const char *path, size_t *len, struct stat *st);

/* The same of a pipe up to its end, which is waited for. EFBIG, as read(2). */
char	*file_text_of_pipe(int fd, size_t *len);

/* What such an errno means, in words. */
const char *file_text_why(int err);

#endif
