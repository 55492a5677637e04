/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * instance_name.h: the name of an instance, where several run on one machine:
 * in the titles of its processes, in its log, and in its default pidfile.
 */
#ifndef INSTANCE_NAME_H
#define INSTANCE_NAME_H

#include "config/conf.h"

/* Checks a name. NULL, or a constant text that says what would be right. */
const char *runtime_files_name_check(const char *name);

/* The same as the reader of a directive, into a struct conf. */
const char *runtime_files_name_read(const char *name, void *);

/*
 * Names the instance by the first configuration file or directory, unless it
 * has a name: web for /etc/shuttled/web.yaml and /etc/web.d, none for
 * shuttled.yaml.
 */
void	runtime_files_name_from_file(struct conf *, const char *path);

/*
 * After all settings are read: a configured name wins, and a daemon with a name
 * gets a pidfile. 0, or -1 with errno.
 */
int	runtime_files_name_settle(struct conf *);

#endif
