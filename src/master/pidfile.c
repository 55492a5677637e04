/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * pidfile.c: locks and replaces the pidfile. Invariant: only a process that
 * holds its lock replaces or removes the file at the path, so a lock on a file
 * that is still there is the lock on the pidfile.
 */
#include "master/pidfile.h"

#include <sys/file.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Attempts, if other processes take or remove the file in between. */
#define TRIES		20

static pid_t
read_pid(int fd)
{
	char text[32];
	ssize_t n = pread(fd, text, sizeof(text) - 1, 0);

	if (n <= 0)
		return 0;
	text[n] = '\0';
	text[strcspn(text, "\n")] = '\0';
	return (pid_t)strtonum(text, 1, INT32_MAX, NULL);
}

static int
close_keeping(int fd)
{
	int err = errno;

	close(fd);
	errno = err;
	return -1;
}

/* The file at the path, created if needed; EAGAIN: another process made it. */
static int
open_or_create(const char *path, bool *made)
{
	int fd = safe_file_open(path);

	*made = false;
	if (fd != -1 || errno != ENOENT)
		return fd;
	if ((fd = safe_file_create(path, 0644)) == -1 && errno == EEXIST)
		errno = EAGAIN;
	*made = fd != -1;
	return fd;
}

/* 1: locked, 0: another file is there now, -1: errno. */
static int
try_lock(struct pidfile *p, const char *path, pid_t *other)
{
	int fd = open_or_create(path, &p->ours);

	if (fd == -1)
		return errno == EAGAIN ? 0 : -1;
	if (flock(fd, LOCK_EX | LOCK_NB) == -1) {
		*other = read_pid(fd);
		return close_keeping(fd);
	}
	safe_file_remember_fd(&p->id, fd);
	if (!safe_file_is_same(&p->id, path)) {
		close(fd);
		return 0;
	}
	p->fd = fd;
	return 1;
}

int
pidfile_lock(struct pidfile *p, const char *path, pid_t *other)
{
	int i, result = 0;

	p->fd = -1;
	*other = 0;
	for (i = 0; i < TRIES && result == 0; i++)
		result = try_lock(p, path, other);
	if (result == 0)
		errno = EWOULDBLOCK;
	return result == 1 ? 0 : -1;
}

static int
write_pid(int fd)
{
	char text[32];
	int len = snprintf(text, sizeof(text), "%d\n", (int)getpid());
	ssize_t n = write(fd, text, (size_t)len);

	if (n == len)
		return 0;
	if (n >= 0)
		errno = ENOSPC;
	return -1;
}

static void
be_published(struct pidfile *p)
{
	safe_file_remember_fd(&p->id, p->fd);
	p->published = p->id;
	p->ours = true;
}

/* The file may be writable where its directory is not. */
static int
write_in_place(struct pidfile *p)
{
	if ((fcntl(p->fd, F_GETFL) & O_ACCMODE) != O_RDWR ||
	    ftruncate(p->fd, 0) == -1 || lseek(p->fd, 0, SEEK_SET) == -1 ||
	    write_pid(p->fd) == -1)
		return -1;
	be_published(p);
	return 0;
}

int
pidfile_publish(struct pidfile *p, const char *path)
{
	struct safe_draft d;
	int err;

	/*
	 * The present file is still valid, and a new one may lack disk space.
	 */
	if (safe_file_is_same(&p->published, path) &&
	    read_pid(p->fd) == getpid()) {
		p->ours = true;
		return 0;
	}
	if (safe_file_begin(&d, path, 0644) == -1) {
		if (errno != EACCES && errno != EROFS)
			return -1;
		err = errno;
		if (write_in_place(p) == 0)
			return 0;
		errno = err;
		return -1;
	}
	if (write_pid(d.fd) == -1 || flock(d.fd, LOCK_EX | LOCK_NB) == -1) {
		err = errno;
		safe_file_discard(&d);
		errno = err;
		return -1;
	}
	if (safe_file_publish(&d, path) == -1)
		return -1;
	close(p->fd);
	p->fd = d.fd;
	be_published(p);
	return 0;
}

void
pidfile_release(struct pidfile *p)
{
	if (p->fd != -1)
		close(p->fd);
	p->fd = -1;
}

void
pidfile_withdraw(struct pidfile *p, const char *path)
{
	if (p->fd != -1 && p->ours)
		safe_file_remove(&p->id, path);
	pidfile_release(p);
}
