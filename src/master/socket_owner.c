/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * socket_owner.c: finds the inode of a socket in the tables of /proc/net, and
 * the processes with descriptors of it.
 */
#include "master/socket_owner.h"

#include <dirent.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LISTENING	0x0a		/* the state of a TCP socket */
#define ACCEPTS		0x10000		/* a flag of a unix socket */

/* In the table addresses are words in host order of bytes in network order. */
static bool
read_address(const char *hex, int family, struct endpoint *e)
{
	uint32_t word;
	size_t i, words = family == AF_INET ? 1 : 4;

	memset(e, 0, sizeof(*e));
	e->family = (uint16_t)family;
	for (i = 0; i < words; i++, hex += 8) {
		if (sscanf(hex, "%8x", &word) != 1)
			return false;
		memcpy(e->ip + 4 * i, &word, sizeof(word));
	}
	return true;
}

static bool
is_zero_ip(const struct endpoint *e)
{
	static const unsigned char zero[16];

	return memcmp(e->ip, zero, sizeof(zero)) == 0;
}

/* True if they exclude each other on the same port. */
static bool
endpoints_exclude(const struct endpoint *a, const struct endpoint *b)
{
	const unsigned char *x = endpoint_ipv4(a), *y = endpoint_ipv4(b);

	if (is_zero_ip(a) || is_zero_ip(b))
		return true;
	return x != NULL && y != NULL ? memcmp(x, y, 4) == 0 :
	    memcmp(a->ip, b->ip, sizeof(a->ip)) == 0;
}

/* The inode of a listening socket that excludes *wanted*, or 0. */
static unsigned long
find_tcp(const char *table, int family, const struct endpoint *wanted)
{
	unsigned long inode, found = 0;
	char line[300], address[40];
	struct endpoint e;
	unsigned port, state;
	FILE *f = fopen(table, "re");

	if (f == NULL)
		return 0;
	while (found == 0 && fgets(line, sizeof(line), f) != NULL)
		if (sscanf(line, " %*d: %39[0-9A-Fa-f]:%x %*[^ ] %x %*s %*s "
		    "%*s %*d %*d %lu", address, &port, &state, &inode) == 4 &&
		    state == LISTENING && port == wanted->port &&
		    read_address(address, family, &e) &&
		    endpoints_exclude(&e, wanted))
			found = inode;
	fclose(f);
	return found;
}

/* Abstract names have an @ in this table, too. */
static unsigned long
find_unix(const struct addr *a)
{
	char line[400], name[ADDR_TEXT];
	const char *path = addr_format(a, name, sizeof(name)) +
	    strlen("unix:");
	unsigned long inode, found = 0;
	unsigned flags;
	int at;
	FILE *f = fopen("/proc/net/unix", "re");

	if (f == NULL)
		return 0;
	while (found == 0 && fgets(line, sizeof(line), f) != NULL) {
		line[strcspn(line, "\n")] = '\0';
		at = 0;
		if (sscanf(line, "%*x: %*x %*x %x %*x %*x %lu %n", &flags,
		    &inode, &at) == 2 && at > 0 && (flags & ACCEPTS) != 0 &&
		    strcmp(line + at, path) == 0)
			found = inode;
	}
	fclose(f);
	return found;
}

static unsigned long
find_inode(const struct addr *a)
{
	struct endpoint wanted;
	unsigned long inode;

	if (addr_is_unix(a))
		return find_unix(a);
	endpoint_set(&wanted, a);
	inode = find_tcp("/proc/net/tcp", AF_INET, &wanted);
	return inode != 0 ? inode :
	    find_tcp("/proc/net/tcp6", AF_INET6, &wanted);
}

static bool
has_socket(const char *pid, const char *socket)
{
	char path[PATH_MAX], to[64];
	bool found = false;
	struct dirent *fd;
	ssize_t n;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%.20s/fd", pid);
	if ((dir = opendir(path)) == NULL)
		return false;
	while (!found && (fd = readdir(dir)) != NULL) {
		n = readlinkat(dirfd(dir), fd->d_name, to, sizeof(to) - 1);
		if (n == -1)
			continue;
		to[n] = '\0';
		found = strcmp(to, socket) == 0;
	}
	closedir(dir);
	return found;
}

/* Its name and its start time, the 20th word after the name; 0: unknown. */
static unsigned long long
read_stat(const char *pid, char *name, size_t size)
{
	char path[64], line[512], *begin, *end;
	unsigned long long began = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%.20s/stat", pid);
	if ((f = fopen(path, "re")) == NULL)
		return 0;
	if (fgets(line, sizeof(line), f) != NULL &&
	    (begin = strchr(line, '(')) != NULL &&
	    (end = strrchr(line, ')')) != NULL) {
		*end = '\0';
		strlcpy(name, begin + 1, size);
		(void)sscanf(end + 1, " %*c %*s %*s %*s %*s %*s %*s %*s %*s "
		    "%*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %llu", &began);
	}
	fclose(f);
	return began;
}

int
socket_owner_find(const struct addr *a, struct socket_owner *owner)
{
	unsigned long long began, oldest = ULLONG_MAX;
	unsigned long inode = find_inode(a);
	struct dirent *process;
	char socket[64], name[sizeof(owner->name)];
	DIR *proc;

	if (inode == 0 || (proc = opendir("/proc")) == NULL)
		return -1;
	snprintf(socket, sizeof(socket), "socket:[%lu]", inode);
	while ((process = readdir(proc)) != NULL) {
		if (process->d_name[0] < '1' || process->d_name[0] > '9' ||
		    !has_socket(process->d_name, socket))
			continue;
		began = read_stat(process->d_name, name, sizeof(name));
		if (began == 0 || began >= oldest)
			continue;
		oldest = began;
		owner->pid = (pid_t)strtol(process->d_name, NULL, 10);
		strlcpy(owner->name, name, sizeof(owner->name));
	}
	closedir(proc);
	return oldest == ULLONG_MAX ? -1 : 0;
}
