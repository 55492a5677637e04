/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * safe_file.h: files that a privileged process makes, by paths in directories
 * that others may write as well. Links of others are not followed, and files of
 * others are not removed. All directories of the path count: see safe_path.h.
 *
 * errno of all of them: EPERM if others could exchange the file, ELOOP for a
 * link, EEXIST for what is not a regular file; safe_file_reason() says it in
 * words.
 */
#ifndef SAFE_FILE_H
#define SAFE_FILE_H

#include <sys/types.h>

#include <stdbool.h>
#include <stddef.h>
#include <time.h>

/* Which file this is, so that no other one is removed. ino 0: none. */
struct file_id {
	dev_t		dev;
	ino_t		ino;
	struct timespec	written;	/* numbers of inodes come again */
};

/* Room for the name of a temporary file without its directory. */
#define SAFE_TEMP	32

/* A file that is written under another name and then takes its place. */
struct safe_draft {
	int	fd;
	int	dir;
	char	temp[SAFE_TEMP];
};

/*
 * Would safe_file_begin() or safe_file_open_log() object to this path? Opens
 * and makes nothing. 0 or -1.
 */
int	safe_file_check(const char *path);
int	safe_file_check_log(const char *path);

/*
 * Open a log to append to, or make it (mode 0640). A symbolic link is followed if
 * it belongs to the superuser or to this user. Non-blocking. -1: see above.
 */
int	safe_file_open_log(const char *path);

/* Open a regular file that is there, for reading and, if allowed, writing. */
int	safe_file_open(const char *path);

/* Make a regular file that is not there: EEXIST if there is anything. */
int	safe_file_create(const char *path, mode_t mode);

/*
 * Begin a file that is to stand at *path*, then put it there at once, whatever
 * regular file is there. After a failure of safe_file_publish() and after
 * safe_file_discard() nothing is left; *fd* is closed by all but a successful
 * safe_file_publish(), where it is the caller's.
 */
int	safe_file_begin(struct safe_draft *, const char *path, mode_t mode);
int	safe_file_publish(struct safe_draft *, const char *path);
void	safe_file_discard(struct safe_draft *);

/*
 * Remove the drafts that a process has left beside this path when it was killed.
 * Where the directory cannot be read they stay.
 */
void	safe_file_sweep(const char *path, pid_t);

/* Remember the file of a descriptor, or at a path. */
void	safe_file_remember_fd(struct file_id *, int fd);
void	safe_file_remember(struct file_id *, const char *path);

/* Is that what stands at this path? */
bool	safe_file_is_same(const struct file_id *, const char *path);

/* Remove it if it is, and forget it. */
void	safe_file_remove(struct file_id *, const char *path);

/* What *err* means for *path*, and what to do. Returns *buf* or a constant. */
const char *safe_file_reason(const char *path, int err, char *buf, size_t size);

#endif
