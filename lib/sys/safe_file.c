/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * safe_file.c: opens, creates and removes files by path. A directory is checked
 * through a descriptor, so that it is the one the file is created in. Never
 * writes to a file.
 */
#include "sys/safe_file.h"

#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sys/safe_path.h"

/* maximum depth of links to links */
#define HOPS_MAX	8

/* Of temporary files, by process. */
#define TEMP_NAME	".shuttled-%d-"

static int
close_with(int fd, int err)
{
	if (fd != -1)
		close(fd);
	errno = err;
	return -1;
}

/*
 * In a directory that all users may write, this file must belong to a trusted
 * user and must not be a second name of another file of the system.
 */
static bool
is_planted(const struct stat *st, mode_t dir)
{
	return (dir & S_IWOTH) != 0 && (!safe_is_trusted(st->st_uid) ||
	    (S_ISREG(st->st_mode) && st->st_nlink > 1));
}

/* Returns *fd* if its file is acceptable, and closes it otherwise. */
static int
accept_file(int fd, mode_t dir, bool regular)
{
	struct stat st;

	if (fd == -1)
		return -1;
	if (fstat(fd, &st) == -1)
		return close_with(fd, errno);
	if (regular && !S_ISREG(st.st_mode))
		return close_with(fd, EEXIST);
	if (is_planted(&st, dir))
		return close_with(fd, EPERM);
	return fd;
}

/*
 * A pipe without a reader cannot be opened for writing only. Opened for both,
 * it keeps its capacity of bytes until a reader opens it.
 */
static int
open_log_at(int dir, const char *name, int more)
{
	int flags = O_APPEND | O_CREAT | O_NONBLOCK | O_NOCTTY | O_CLOEXEC |
	    more, fd;

	/* A reader of a pipe would take the end of a check for end of file. */
	if ((more & O_PATH) != 0)
		return openat(dir, name, O_CLOEXEC | more);
	fd = openat(dir, name, O_WRONLY | flags, 0640);
	return fd == -1 && errno == ENXIO ?
	    openat(dir, name, O_RDWR | flags, 0640) : fd;
}

/* Reads the target of the link at the directory of *path*. */
static int
follow_link(int dir, const char *path, char next[PATH_MAX])
{
	char to[PATH_MAX];
	size_t before;
	const char *name = safe_last_name(path, &before);
	ssize_t n = readlinkat(dir, name, to, sizeof(to) - 1);

	if (n == -1)
		return -1;
	to[n] = '\0';
	if (snprintf(next, PATH_MAX, "%.*s%s", to[0] == '/' ? 0 : (int)before,
	    path, to) < PATH_MAX)
		return 0;
	errno = ENAMETOOLONG;
	return -1;
}

/* *more* is O_PATH to check without opening. */
static int
open_log(const char *path, int more, int hops)
{
	char next[PATH_MAX];
	struct stat st;
	size_t before;
	const char *name = safe_last_name(path, &before);
	mode_t mode;
	int dir, fd = -1, err = 0;

	if ((dir = safe_enter(path, &mode, NULL)) == -1)
		return -1;
	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == -1 ||
	    !S_ISLNK(st.st_mode))
		fd = accept_file(open_log_at(dir, name,
		    more | O_NOFOLLOW), mode, false);
	else if (!safe_is_trusted(st.st_uid) || hops == 0)
		errno = ELOOP;
	else if (safe_is_proc(dir))
		fd = open_log_at(dir, name, more);
	else if (follow_link(dir, path, next) == 0)
		fd = open_log(next, more, hops - 1);
	err = errno;
	close(dir);
	errno = err;
	return fd;
}

int
safe_file_open_log(const char *path)
{
	return open_log(path, 0, HOPS_MAX);
}

int
safe_file_check_log(const char *path)
{
	int fd = open_log(path, O_PATH, HOPS_MAX);

	if (fd == -1)
		return errno == ENOENT ? 0 : -1;
	close(fd);
	return 0;
}

/* True if a rename would replace the file at this path. */
static int
check_place(int dir, mode_t mode, const char *name)
{
	struct stat st;

	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == -1 ||
	    (S_ISREG(st.st_mode) && !is_planted(&st, mode)))
		return 0;
	errno = S_ISLNK(st.st_mode) ? ELOOP :
	    S_ISREG(st.st_mode) ? EPERM : EEXIST;
	return -1;
}

int
safe_file_check(const char *path)
{
	mode_t mode;
	size_t before;
	const char *name = safe_last_name(path, &before);
	int dir = safe_enter(path, &mode, NULL), result;

	if (dir == -1)
		return -1;
	if ((result = check_place(dir, mode, name)) == -1)
		return close_with(dir, errno);
	close(dir);
	return result;
}

int
safe_file_open(const char *path)
{
	const int flags = O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
	size_t before;
	const char *name = safe_last_name(path, &before);
	mode_t mode;
	int dir = safe_enter(path, &mode, NULL), fd;

	if (dir == -1)
		return -1;
	fd = openat(dir, name, O_RDWR | flags);
	if (fd == -1 && errno == EACCES)
		fd = openat(dir, name, O_RDONLY | flags);
	fd = accept_file(fd, mode, true);
	return fd == -1 ? close_with(dir, errno) : (close(dir), fd);
}

int
safe_file_create(const char *path, mode_t mode)
{
	size_t before;
	const char *name = safe_last_name(path, &before);
	mode_t of_dir;
	int dir = safe_enter(path, &of_dir, NULL), fd;

	if (dir == -1)
		return -1;
	fd = openat(dir, name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, mode);
	return fd == -1 ? close_with(dir, errno) : (close(dir), fd);
}

int
safe_file_begin(struct safe_draft *d, const char *path, mode_t mode)
{
	size_t before;
	const char *name = safe_last_name(path, &before);
	mode_t of_dir;

	d->fd = -1;
	if ((d->dir = safe_enter(path, &of_dir, NULL)) == -1)
		return -1;
	if (check_place(d->dir, of_dir, name) == -1)
		goto fail;
	snprintf(d->temp, sizeof(d->temp), TEMP_NAME "%08x", (int)getpid(),
	    arc4random());
	d->fd = openat(d->dir, d->temp, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC,
	    mode);
	if (d->fd != -1)
		return 0;
fail:
	(void)close_with(d->dir, errno);
	d->dir = -1;
	return -1;
}

int
safe_file_publish(struct safe_draft *d, const char *path)
{
	size_t before;
	const char *name = safe_last_name(path, &before);
	int err;

	if (renameat(d->dir, d->temp, d->dir, name) == -1) {
		err = errno;
		safe_file_discard(d);
		errno = err;
		return -1;
	}
	close(d->dir);
	d->dir = -1;
	return 0;
}

void
safe_file_discard(struct safe_draft *d)
{
	(void)unlinkat(d->dir, d->temp, 0);
	close(d->fd);
	close(d->dir);
	d->fd = d->dir = -1;
}

void
safe_file_sweep(const char *path, pid_t pid)
{
	char prefix[SAFE_TEMP];
	mode_t mode;
	int dir = safe_enter(path, &mode, NULL), fd;
	const struct dirent *e;
	DIR *d;

	if (dir == -1)
		return;
	snprintf(prefix, sizeof(prefix), TEMP_NAME, (int)pid);
	fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd != -1 && (d = fdopendir(fd)) != NULL) {
		while ((e = readdir(d)) != NULL)
			if (strncmp(e->d_name, prefix, strlen(prefix)) == 0)
				(void)unlinkat(dir, e->d_name, 0);
		closedir(d);
	} else if (fd != -1)
		close(fd);
	close(dir);
}

static void
remember_stat(struct file_id *id, const struct stat *st)
{
	id->dev = st->st_dev;
	id->ino = st->st_ino;
	id->written = st->st_mtim;
}

void
safe_file_remember_fd(struct file_id *id, int fd)
{
	struct stat st;

	memset(id, 0, sizeof(*id));
	if (fstat(fd, &st) == 0)
		remember_stat(id, &st);
}

void
safe_file_remember(struct file_id *id, const char *path)
{
	struct stat st;

	memset(id, 0, sizeof(*id));
	if (lstat(path, &st) == 0)
		remember_stat(id, &st);
}

bool
safe_file_is_same(const struct file_id *id, const char *path)
{
	struct file_id now;

	safe_file_remember(&now, path);
	return id->ino != 0 && now.ino == id->ino && now.dev == id->dev &&
	    now.written.tv_sec == id->written.tv_sec &&
	    now.written.tv_nsec == id->written.tv_nsec;
}

void
safe_file_remove(struct file_id *id, const char *path)
{
	if (safe_file_is_same(id, path))
		(void)unlink(path);
	memset(id, 0, sizeof(*id));
}

/*
 * Describes a file of another user in a directory that all users may write.
 * NULL: that is not the cause.
 */
static const char *
explain_owner(const char *path, char *buf, size_t size)
{
	struct stat st;

	if (lstat(path, &st) == -1 || safe_is_trusted(st.st_uid) ||
	    S_ISLNK(st.st_mode))
		return NULL;
	snprintf(buf, size, "this file belongs to uid %lu, in a directory that "
	    "all users may write: remove it, or choose another path",
	    (unsigned long)st.st_uid);
	return buf;
}

/* Describes how other users could replace the file. */
static const char *
explain_danger(const char *path, char *buf, size_t size)
{
	struct safe_obstacle o;
	mode_t mode;
	int dir = safe_enter(path, &mode, &o);

	if (dir != -1) {
		close(dir);
		return (mode & S_IWOTH) == 0 ? NULL :
		    explain_owner(path, buf, size);
	}
	switch (o.what) {
	case OBSTACLE_EXPOSED:
		snprintf(buf, size, "all users may replace files in the "
		    "directory %s: set its sticky bit (chmod +t), or choose "
		    "another path", o.at);
		return buf;
	case OBSTACLE_LINK:
		snprintf(buf, size, "%s is a symbolic link of uid %lu, in a "
		    "directory that all users may write: choose another path",
		    o.at, (unsigned long)o.owner);
		return buf;
	case OBSTACLE_OWNER:
		snprintf(buf, size, "the directory %s belongs to uid %lu, and "
		    "is in one that all users may write: choose another "
		    "path", o.at, (unsigned long)o.owner);
		return buf;
	default:
		return NULL;
	}
}

const char *
safe_file_reason(const char *path, int err, char *buf, size_t size)
{
	const char *why = NULL;

	if (err == EPERM || err == EACCES || err == ELOOP)
		why = explain_danger(path, buf, size);
	if (why == NULL && err == ELOOP)
		why = "this is a symbolic link, which is not followed: name "
		    "its target, or remove it";
	else if (err == EEXIST)
		why = "this is not a regular file: remove it, or choose "
		    "another path";
	else if (err == EFBIG)
		why = "File too large: the limit of file sizes is reached "
		    "(ulimit -f, LimitFSIZE=)";
	return why != NULL ? why : strerror(err);
}
