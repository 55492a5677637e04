/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * fd_inherit.c: passes descriptors to the next program, by their numbers in the
 * environment. Opens none itself, and ignores what it does not understand.
 *
 * The variable has a line for each descriptor: its kind, its number, and for
 * sockets the address as configured.
 */
#include "master/fd_inherit.h"

#include <sys/socket.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "master/changes.h"
#include "net/socket_option.h"

#define VARIABLE	"SHUTTLED_INHERIT"

static int
read_fd(const char *text)
{
	const char *err;
	int fd = (int)strtonum(text, 0, INT_MAX, &err);

	if (err != NULL || fcntl(fd, F_SETFD, FD_CLOEXEC) == -1) {
		errno = EINVAL;
		return -1;
	}
	return fd;
}

int
fd_inherit_add(struct inheritance *in, int fd, bool ours, const char *wanted,
    const char *name)
{
	struct inherited_socket *s, *list;
	struct addr a;

	memset(&a, 0, sizeof(a));
	a.len = sizeof(a.un);
	if (getsockname(fd, &a.sa, &a.len) == -1)
		return -1;
	list = reallocarray(in->socket, in->sockets + 1, sizeof(*s));
	if (list == NULL)
		return -1;
	in->socket = list;
	s = &list[in->sockets++];
	memset(s, 0, sizeof(*s));
	s->fd = fd;
	s->addr = a;
	s->ours = ours;
	if (addr_is_path(&a))
		safe_file_remember(&s->path, a.un.sun_path);
	strlcpy(s->wanted, wanted, sizeof(s->wanted));
	strlcpy(s->name, name, sizeof(s->name));
	return 0;
}

/*
 * "DEV INO SECONDS NANOSECONDS" of the path of the socket in the line before.
 */
static int
read_path(struct inheritance *in, int fd, const char *text)
{
	unsigned long long dev, ino;
	long long s;
	struct file_id *id;
	long ns;

	if (in->sockets == 0 || in->socket[in->sockets - 1].fd != fd ||
	    sscanf(text, "%llu %llu %lld %ld", &dev, &ino, &s, &ns) != 4) {
		errno = EINVAL;
		return -1;
	}
	id = &in->socket[in->sockets - 1].path;
	id->dev = (dev_t)dev;
	id->ino = (ino_t)ino;
	id->written.tv_sec = (time_t)s;
	id->written.tv_nsec = ns;
	return 0;
}

/*
 * One of "board 5", "channel 6", "socket 7 [::]:80"; "lent" is a socket whose
 * path must not be removed, and "path 7 ..." identifies the file at the path of
 * the socket before.
 */
static int
read_inherited_line(struct inheritance *in, char *line)
{
	char *rest = line, *what = strsep(&rest, " ");
	const char *number = strsep(&rest, " ");
	int fd;

	if (number == NULL || (fd = read_fd(number)) == -1) {
		errno = EINVAL;
		return -1;
	}
	if ((strcmp(what, "socket") == 0 || strcmp(what, "lent") == 0) &&
	    rest != NULL)
		return fd_inherit_add(in, fd, *what == 's', rest, "");
	if (strcmp(what, "path") == 0 && rest != NULL)
		return read_path(in, fd, rest);
	if (strcmp(what, "board") == 0)
		in->board = fd;
	else if (strcmp(what, "channel") == 0)
		in->channel = fd;
	return 0;
}

int
fd_inherit_read(struct inheritance *in)
{
	const char *value = getenv(VARIABLE);
	char *text, *rest, *line;
	int result = 0, err;

	memset(in, 0, sizeof(*in));
	in->board = in->channel = -1;
	in->inventory = inventory_inherit();
	if (value == NULL)
		return 0;
	if ((rest = text = strdup(value)) == NULL)
		return -1;
	while (result == 0 && (line = strsep(&rest, "\n")) != NULL)
		if (*line != '\0')
			result = read_inherited_line(in, line);
	err = errno;
	free(text);
	unsetenv(VARIABLE);
	errno = err;
	return result;
}

static bool
was_inherited(const struct inheritance *in, int fd)
{
	size_t i;

	for (i = 0; i < in->sockets; i++)
		if (in->socket[i].fd == fd)
			return true;
	return fd == in->board || fd == in->channel;
}

/* Without /proc: the usual limit of a process. */
static void
close_range_of_others(const struct inheritance *in)
{
	long fd, n = sysconf(_SC_OPEN_MAX);

	for (fd = STDERR_FILENO + 1; fd < (n > 65536 ? 65536 : n); fd++)
		if (!was_inherited(in, (int)fd))
			(void)close((int)fd);
}

void
fd_inherit_close_others(const struct inheritance *in)
{
	DIR *dir = opendir("/proc/self/fd");
	struct dirent *entry;
	int fd;

	if (dir == NULL) {
		close_range_of_others(in);
		return;
	}
	while ((entry = readdir(dir)) != NULL) {
		fd = (int)strtol(entry->d_name, NULL, 10);
		if (fd > STDERR_FILENO && fd != dirfd(dir) &&
		    !was_inherited(in, fd))
			(void)close(fd);
	}
	closedir(dir);
}

static bool
same_words(const struct inherited_socket *s, const struct listener *l)
{
	return strcmp(s->wanted, l->wanted) == 0;
}

/*
 * As text, because the kernel cuts unix addresses off. The process that lends
 * the socket has set what cannot be changed later.
 */
static bool
same_address(const struct inherited_socket *s, const struct listener *l)
{
	char text[ADDR_TEXT];

	return s->wanted[0] == '\0' && strcmp(l->name,
	    addr_format(&s->addr, text, sizeof(text))) == 0 &&
	    socket_listens_as(s->fd, &l->how);
}

bool
fd_inherit_matches(const struct inherited_socket *s, const struct listener *l)
{
	return same_words(s, l) || same_address(s, l);
}

static struct inherited_socket *
find_inherited(struct inheritance *in, const struct listener *l)
{
	struct inherited_socket *s = in->socket;
	size_t i;

	for (i = 0; i < in->sockets; i++)
		if (s[i].fd != -1 && same_words(&s[i], l))
			return &s[i];
	for (i = 0; i < in->sockets; i++)
		if (s[i].fd != -1 && same_address(&s[i], l))
			return &s[i];
	return NULL;
}

bool
fd_inherit_socket(struct inheritance *in, struct listener *l)
{
	struct inherited_socket *s = find_inherited(in, l);

	if (s == NULL)
		return false;
	l->fd = s->fd;
	l->addr = s->addr;
	l->claimed = s->ours;
	l->path = s->path;
	addr_format(&l->addr, l->name, sizeof(l->name));
	s->fd = -1;
	return true;
}

void
fd_inherit_remove(struct inheritance *in)
{
	struct inherited_socket *s;
	size_t i;

	for (i = 0; i < in->sockets; i++) {
		s = &in->socket[i];
		if (s->fd != -1 && s->ours && addr_is_path(&s->addr))
			safe_file_remove(&s->path, s->addr.un.sun_path);
	}
}

void
fd_inherit_free(struct inheritance *in)
{
	size_t i;

	for (i = 0; i < in->sockets; i++)
		if (in->socket[i].fd != -1)
			close(in->socket[i].fd);
	free(in->socket);
	inventory_free(in->inventory);
	if (in->board != -1)
		close(in->board);
	if (in->channel != -1)
		close(in->channel);
	memset(in, 0, sizeof(*in));
	in->board = in->channel = -1;
}

static int
leave_open(FILE *f, const char *what, int fd, const char *wanted)
{
	if (fd == -1)
		return 0;
	fprintf(f, "%s %d %s\n", what, fd, wanted);
	return fcntl(fd, F_SETFD, 0);
}

static int
leave_listeners(FILE *f, const struct listener *l, size_t n)
{
	int result = 0;

	for (; n > 0; l++, n--) {
		result |= leave_open(f, l->bound ? "socket" : "lent", l->fd,
		    l->wanted);
		if (l->fd != -1 && l->bound && addr_is_path(&l->addr))
			fprintf(f, "path %d %llu %llu %lld %ld\n", l->fd,
			    (unsigned long long)l->path.dev,
			    (unsigned long long)l->path.ino,
			    (long long)l->path.written.tv_sec,
			    l->path.written.tv_nsec);
	}
	return result;
}

int
fd_inherit_leave(int channel, int board, const struct listener *listener,
    size_t listeners, const struct listener *builtin, size_t builtins)
{
	char *text = NULL;
	int result = 0;
	size_t size;
	FILE *f;

	if ((f = open_memstream(&text, &size)) == NULL)
		return -1;
	result |= leave_open(f, "channel", channel, "");
	result |= leave_open(f, "board", board, "");
	result |= leave_listeners(f, listener, listeners);
	result |= leave_listeners(f, builtin, builtins);
	result |= fclose(f);
	if (result == 0)
		result = setenv(VARIABLE, text, 1);
	free(text);
	return result == 0 ? 0 : -1;
}
