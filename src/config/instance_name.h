/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * instance_name.h: what an instance is called, where several run on one machine:
 * in the titles of its processes, in its log, and in the default of its pidfile.
 */
#ifndef INSTANCE_NAME_H
#define INSTANCE_NAME_H

#include "config/conf.h"

/*
 * May an instance be called so? NULL, or a constant text that says what would be
 * right.
 */
const char *runtime_files_name_check(const char *name);

/* The same as a directive reads it, into a struct conf. */
const char *runtime_files_name_read(const char *name, void *);

/*
 * Call it after the first configuration file or directory, unless it has a name:
 * /etc/shuttled/web.yaml and /etc/web.d are web, shuttled.yaml is none.
 */
void	runtime_files_name_from_file(struct conf *, const char *path);

/*
 * Once all is read: the name that was asked for wins, and a daemon of that name
 * has a pidfile. 0, or -1 with errno.
 */
int	runtime_files_name_settle(struct conf *);

#endif
