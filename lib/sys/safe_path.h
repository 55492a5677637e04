/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * safe_path.h: the way to a file, directory by directory. A directory that all
 * users may write must have its sticky bit, and a link or directory of another
 * user in it is not passed.
 */
#ifndef SAFE_PATH_H
#define SAFE_PATH_H

#include <sys/stat.h>
#include <sys/types.h>

#include <limits.h>
#include <stdbool.h>

/* The obstacle, and the path up to it. */
struct safe_obstacle {
	enum {
		OBSTACLE_NONE,		/* or errno is enough */
		OBSTACLE_EXPOSED,	/* directory with replaceable files */
		OBSTACLE_LINK,		/* link of another user */
		OBSTACLE_OWNER		/* directory of another user */
	} what;
	char	at[PATH_MAX];
	uid_t	owner;
};

/*
 * Opens the directory of the last name of *path* (O_PATH) and sets *mode*. -1
 * with errno: EPERM for an exposed directory or one of another user, ELOOP for
 * a link of another user. *o* may be NULL.
 */
int	safe_enter(const char *path, mode_t *mode, struct safe_obstacle *o);

/* True for root and for the user of this process. */
bool	safe_is_trusted(uid_t owner);

/* Links of /proc lead to unnamed objects, and only their owner has them. */
bool	safe_is_proc(int dir);

/* Returns the last name of a path and sets the length of the part before it. */
const char *safe_last_name(const char *path, size_t *before);

#endif
