/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * file_text.c: reads to the end whatever the reported size, since files below
 * /proc report none. A file that changes while it is read is refused, because
 * half of it may be missing.
 */
#include "sys/file_text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Beyond any use, and far below the memory of a machine. */
#define SIZE_MOST	((size_t)64 << 20)

#define SIZE_FIRST	4096

static int
open_regular(const char *path, struct stat *st)
{
	int fd, err;

	/* Without O_NONBLOCK, open() would wait for the writer of a pipe. */
	fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd == -1)
		return -1;
	if (fstat(fd, st) == -1)
		err = errno;
	else if (S_ISREG(st->st_mode))
		return fd;
	else
		err = S_ISDIR(st->st_mode) ? EISDIR : ENXIO;
	close(fd);
	errno = err;
	return -1;
}

static bool
is_same(const struct stat *a, const struct stat *b, size_t len)
{
	return a->st_size == b->st_size &&
	    a->st_mtim.tv_sec == b->st_mtim.tv_sec &&
	    a->st_mtim.tv_nsec == b->st_mtim.tv_nsec &&
	    (a->st_size == 0 || (size_t)a->st_size == len);
}

/* Reads to the end. On error NULL with errno set; *text* keeps its buffer. */
static char *
read_all(int fd, char **text, size_t size, size_t *len)
{
	char *grown;
	ssize_t n;

	for (*len = 0;; *len += (size_t)n) {
		if (*text == NULL || *len + 1 >= size) {
			size = *text == NULL ? size : 2 * size;
			if (size > 2 * SIZE_MOST) {
				errno = EFBIG;
				return NULL;
			}
			if ((grown = realloc(*text, size)) == NULL)
				return NULL;
			*text = grown;
		}
		n = read(fd, *text + *len, size - *len - 1);
		if (n == 0)
			break;
		if (n == -1 && errno != EINTR)
			return NULL;
		if (n == -1)
			n = 0;
	}
	(*text)[*len] = '\0';
	return *text;
}

char *
file_text(const char *path, size_t *len, struct stat *st)
{
	size_t size = SIZE_FIRST;
	char *text = NULL;
	struct stat after;
	int fd, err;

	if ((fd = open_regular(path, st)) == -1)
		return NULL;
	if (st->st_size > 0 && (size_t)st->st_size <= SIZE_MOST)
		size = (size_t)st->st_size + 2;
	if (st->st_size > 0 && (size_t)st->st_size > SIZE_MOST)
		errno = EFBIG;
	else if (read_all(fd, &text, size, len) != NULL &&
	    fstat(fd, &after) == 0) {
		if (is_same(st, &after, *len)) {
			close(fd);
			return text;
		}
		errno = EBUSY;
	}
	err = errno;
	close(fd);
	free(text);
	errno = err;
	return NULL;
}

char *
file_text_of_pipe(int fd, size_t *len)
{
	char *text = NULL;
	int err;

	if (read_all(fd, &text, SIZE_FIRST, len) != NULL)
		return text;
	err = errno;
	free(text);
	errno = err;
	return NULL;
}

const char *
file_text_why(int err)
{
	switch (err) {
	case EISDIR:
		return "this is a directory, not a file";
	case ENXIO:
		return "this is a pipe, a device or a socket, not a file";
	case EFBIG:
		return "the file is larger than 64 MiB";
	case EBUSY:
		return "the file changed while it was read; try again";
	default:
		return strerror(err);
	}
}
