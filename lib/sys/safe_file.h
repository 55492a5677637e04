/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * safe_file.h: files that a privileged process creates in directories that
 * other users may write as well. Links of other users are not followed, and
 * their files are not removed. Every directory of the path must be safe: see
 * safe_path.h.
 *
 * All functions set errno: EPERM if other users could replace the file, ELOOP
 * for a link, EEXIST for an object that is not a regular file.
 * safe_file_reason() describes it.
 */
#ifndef SAFE_FILE_H
#define SAFE_FILE_H

#include <sys/types.h>

#include <stdbool.h>
#include <stddef.h>
#include <time.h>

/* Identifies a file, so that no other file is removed. ino 0: none. */
struct file_id {
	dev_t		dev;
	ino_t		ino;
	struct timespec	written;	/* inode numbers are reused */
};

/* Room for the name of a temporary file without its directory. */
#define SAFE_TEMP	32

/* A file that is written under a temporary name and then renamed. */
struct safe_draft {
	int	fd;
	int	dir;
	char	temp[SAFE_TEMP];
};

/*
 * Checks whether safe_file_begin() or safe_file_open_log() would accept this
 * path. Opens and creates nothing. 0 or -1.
 */
int	safe_file_check(const char *path);
int	safe_file_check_log(const char *path);

/*
 * Opens a log to append to, or creates it (mode 0640). A symbolic link is
 * followed if it belongs to the superuser or to this user. Returns a
 * non-blocking descriptor or -1.
 */
int	safe_file_open_log(const char *path);

/* Opens an existing regular file for reading and, if permitted, writing. */
int	safe_file_open(const char *path);

/* Creates a regular file; EEXIST if the path exists. */
int	safe_file_create(const char *path, mode_t mode);

/*
 * safe_file_begin() creates a temporary file; safe_file_publish() renames it to
 * *path* in one step and replaces a regular file there. After
 * safe_file_discard() or a failed safe_file_publish() nothing is left. *fd* is
 * closed by all of them except a successful safe_file_publish(), after which
 * the caller owns it.
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

/* True if the file at this path is the remembered one. */
bool	safe_file_is_same(const struct file_id *, const char *path);

/* Removes the remembered file if it is still at this path, and forgets it. */
void	safe_file_remove(struct file_id *, const char *path);

/* Describes *err* for *path*, and what to do. Returns *buf* or a constant. */
const char *safe_file_reason(const char *path, int err, char *buf, size_t size);

#endif
