/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * file_text.h: reads a whole file once, so that later steps cannot meet a read
 * error, a different file or an endless one.
 */
#ifndef FILE_TEXT_H
#define FILE_TEXT_H

#include <sys/stat.h>

#include <stddef.h>

/*
 * Returns all *len* bytes of a regular file and a NUL behind them; the caller
 * frees the result. *st identifies the file. Never waits. NULL with errno set:
 * EISDIR, ENXIO (pipe, device or socket), EFBIG, EBUSY (the file changed
 * meanwhile), and as read(2).
 */
char	*file_text(const char *path, size_t *len, struct stat *st);

/* Reads a pipe up to its end, and waits for that. EFBIG, or as read(2). */
char	*file_text_of_pipe(int fd, size_t *len);

/* Describes an errno of file_text(). */
const char *file_text_why(int err);

#endif
