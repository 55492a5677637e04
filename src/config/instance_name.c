/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * instance_name.c: a name is short and plain, because it becomes part of paths,
 * titles and syslog tags.
 */
#include "config/instance_name.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#define PIDFILE		"/run/shuttled/%s.pid"

const char *
runtime_files_name_check(const char *name)
{
	size_t len = strlen(name), i;

	for (i = 0; i < len; i++)
		if (!isalnum((unsigned char)name[i]) &&
		    (i == 0 || strchr("._-", name[i]) == NULL))
			break;
	return len > 0 && len < CONF_INSTANCE && i == len ? NULL :
	    "should be a name of 1 to 32 letters, digits, dots, '-' and '_'";
}

const char *
runtime_files_name_read(const char *text, void *to)
{
	struct conf *c = to;

	c->instance = text;
	return runtime_files_name_check(text);
}

static void
remove_suffix(char *name, const char *ending)
{
	size_t len = strlen(name), n = strlen(ending);

	if (len > n && strcmp(name + len - n, ending) == 0)
		name[len - n] = '\0';
}

void
runtime_files_name_from_file(struct conf *c, const char *path)
{
	size_t len = strlen(path), begin;
	char name[64];

	while (len > 1 && path[len - 1] == '/')
		len--;
	for (begin = len; begin > 0 && path[begin - 1] != '/'; begin--)
		;
	if (len - begin >= sizeof(name))
		return;
	memcpy(name, path + begin, len - begin);
	name[len - begin] = '\0';
	remove_suffix(name, ".yaml");
	remove_suffix(name, ".d");
	if (strcmp(name, "shuttled") != 0 &&
	    runtime_files_name_check(name) == NULL)
		strlcpy(c->name, name, sizeof(c->name));
}

int
runtime_files_name_settle(struct conf *c)
{
	if (c->instance == NULL)
		return 0;
	strlcpy(c->name, c->instance, sizeof(c->name));
	if (c->pidfile != NULL || c->foreground)
		return 0;
	if (asprintf(&c->own_pidfile, PIDFILE, c->name) == -1) {
		c->own_pidfile = NULL;
		return -1;
	}
	c->pidfile = c->own_pidfile;
	return 0;
}
