/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * safe_path.h: the way to a file, directory by directory. A directory that all
 * users may write has to have its sticky bit, and what belongs to other users in
 * it is not passed: neither a link nor a directory.
 */
#ifndef SAFE_PATH_H
#define SAFE_PATH_H

#include <sys/stat.h>
#include <sys/types.h>

#include <limits.h>
#include <stdbool.h>

/* What is in the way, and where, as far as the path has been followed. */
struct safe_obstacle {
	enum {
		OBSTACLE_NONE,		/* or errno says it all */
		OBSTACLE_EXPOSED,	/* this directory: users may exchange files */
		OBSTACLE_LINK,		/* this link is of another user */
		OBSTACLE_OWNER		/* this directory is */
	} what;
	char	at[PATH_MAX];
	uid_t	owner;
};

/*
 * Open the directory that the last name of *path* stands in (O_PATH), its mode in
 * *mode*. -1 with errno: EPERM for what is exposed or of another user, ELOOP for a
 * link of another user. *o* may be NULL.
 */
int	safe_enter(const char *path, mode_t *mode, struct safe_obstacle *o);

/* Is it root, or the user that this process is? */
bool	safe_is_trusted(uid_t owner);

/* Links of /proc lead to what has no name, and only its owner has them. */
bool	safe_is_proc(int dir);

/* The last name of a path, and the length of what stands before it. */
const char *safe_last_name(const char *path, size_t *before);

#endif
