/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * safe_path.c: walks along a path with a descriptor of the current directory,
 * and follows links by itself. Opens directories only, and none to read.
 * Invariant: every directory passed was checked.
 */
#include "sys/safe_path.h"

#include <sys/vfs.h>

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "sys/descriptor.h"

/* maximum of links on the way, as in the kernel */
#define HOPS_MAX	40

#define FLAGS		(O_PATH | O_DIRECTORY | O_CLOEXEC)

struct walk {
	int	dir;			/* the current directory */
	struct stat st;			/* of it */
	char	rest[PATH_MAX];		/* the remaining names */
	char	at[PATH_MAX];		/* the path so far, for messages */
	unsigned hops;
	struct safe_obstacle *obstacle;
};

bool
safe_is_trusted(uid_t owner)
{
	return owner == 0 || owner == geteuid();
}

bool
safe_is_proc(int dir)
{
	struct statfs fs;

	return fstatfs(dir, &fs) == 0 && fs.f_type == PROC_SUPER_MAGIC;
}

const char *
safe_last_name(const char *path, size_t *before)
{
	const char *slash = strrchr(path, '/');

	*before = slash == NULL ? 0 : (size_t)(slash - path) + 1;
	return slash == NULL ? path : slash + 1;
}

static int
fail_walk(struct walk *w, int what, int err)
{
	if (w->obstacle != NULL) {
		w->obstacle->what = what;
		(void)strlcpy(w->obstacle->at, w->at[0] == '\0' ? "." : w->at,
		    sizeof(w->obstacle->at));
	}
	errno = err;
	return -1;
}

/* Enters *fd* and owns it. Fails if other users can replace files in it. */
static int
arrive_at_target(struct walk *w, int fd)
{
	if (fd == -1)
		return -1;
	if (w->dir != -1)
		close(w->dir);
	w->dir = fd;
	if (fstat(fd, &w->st) == -1)
		return -1;
	if ((w->st.st_mode & (S_IWOTH | S_ISVTX)) == S_IWOTH)
		return fail_walk(w, OBSTACLE_EXPOSED, EPERM);
	return 0;
}

/* The start of the path, or of the target of a link. */
static int
begin_walk(struct walk *w, const char *path)
{
	if (path[0] == '/') {
		(void)strlcpy(w->at, "/", sizeof(w->at));
		return arrive_at_target(w, open("/", FLAGS));
	}
	return w->dir == -1 ? arrive_at_target(w, open(".", FLAGS)) : 0;
}

/* Puts the target of a link in front of the remaining names. */
static int
follow_path_link(struct walk *w, const char *name)
{
	char to[PATH_MAX], rest[PATH_MAX];
	ssize_t n = readlinkat(w->dir, name, to, sizeof(to) - 1);

	if (n == -1)
		return -1;
	to[n] = '\0';
	if (++w->hops > HOPS_MAX) {
		errno = ELOOP;
		return -1;
	}
	if (snprintf(rest, sizeof(rest), "%s/%s", to, w->rest) >=
	    (int)sizeof(rest)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	memcpy(w->rest, rest, sizeof(rest));
	return begin_walk(w, to);
}

static void
append_component(struct walk *w, const char *name)
{
	size_t len = strlen(w->at);

	if (len > 0 && w->at[len - 1] != '/')
		(void)strlcat(w->at, "/", sizeof(w->at));
	(void)strlcat(w->at, name, sizeof(w->at));
}

/* In a directory that all users may write, the owner must be trusted. */
static int
check_owner(struct walk *w, const char *name, const struct stat *st)
{
	bool link = S_ISLNK(st->st_mode);

	if ((w->st.st_mode & S_IWOTH) == 0 || safe_is_trusted(st->st_uid))
		return 0;
	append_component(w, name);
	if (w->obstacle != NULL)
		w->obstacle->owner = st->st_uid;
	return link ? fail_walk(w, OBSTACLE_LINK, ELOOP) :
	    fail_walk(w, OBSTACLE_OWNER, EPERM);
}

/* Handles one name; "." and ".." are directories like others. */
static int
step_component(struct walk *w, const char *name)
{
	struct stat st;

	if (strcmp(name, ".") == 0)
		return 0;
	if (fstatat(w->dir, name, &st, AT_SYMLINK_NOFOLLOW) == -1)
		return -1;
	if (strcmp(name, "..") != 0 && check_owner(w, name, &st) == -1)
		return -1;
	if (S_ISLNK(st.st_mode) && !safe_is_proc(w->dir))
		return follow_path_link(w, name);
	append_component(w, name);
	/* A directory that was just replaced by a link is not followed. */
	return arrive_at_target(w, openat(w->dir, name, S_ISLNK(st.st_mode) ?
	    FLAGS : FLAGS | O_NOFOLLOW));
}

/* Takes the first of the remaining names. NULL: there is none. */
static const char *
next_name(struct walk *w, char name[PATH_MAX])
{
	const char *from = w->rest + strspn(w->rest, "/");
	size_t n = strcspn(from, "/");
	char *to = w->rest;

	if (n == 0)
		return NULL;
	memcpy(name, from, n);
	name[n] = '\0';
	/* valgrind takes a fortified memmove() for memcpy(). */
	for (from += n; (*to = *from) != '\0'; to++, from++)
		;
	return name;
}

int
safe_enter(const char *path, mode_t *mode, struct safe_obstacle *o)
{
	struct walk w = { .dir = -1, .obstacle = o };
	char name[PATH_MAX];
	size_t n;
	int rc;

	if (o != NULL)
		o->what = OBSTACLE_NONE;
	(void)safe_last_name(path, &n);
	if (n >= sizeof(w.rest)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	memcpy(w.rest, path, n);
	w.rest[n] = '\0';
	rc = begin_walk(&w, path);
	while (rc == 0 && next_name(&w, name) != NULL)
		rc = step_component(&w, name);
	if (rc == 0) {
		*mode = w.st.st_mode;
		return w.dir;
	}
	if (w.dir != -1)
		descriptor_close(w.dir);
	return -1;
}
