/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * conf_hosts.h: the host names in a configuration that are resolved once, each
 * of them one time. Collecting names, resolving them and using the results are
 * three steps, so that another process can do the second.
 */
#ifndef CONF_HOSTS_H
#define CONF_HOSTS_H

#include <stdint.h>

#include "config/conf.h"
#include "config/settings.h"

/* Collects the names of these settings, unresolved. -1 with ENOMEM. */
int	conf_hosts_list(const struct settings *, struct hosts *);

/*
 * Resolves them one by one, each that begins within *ms*; the rest get
 * ADDR_LATE. May block.
 */
void	conf_hosts_look_up(struct hosts *, uint64_t ms);

/*
 * True if all names that must not be missing, of listeners, logs and checks,
 * have an answer, even a negative one. Names of servers may be resolved later.
 */
bool	conf_hosts_answered(const struct settings *, const struct hosts *,
	    struct diagnostics *);

/* As addr_parse(), with the known result if there is one. */
int	conf_hosts_parse(const struct hosts *, const char *text, enum addr_use,
	    struct addr *out, size_t max, const char **why);

/* The known result of this name, or NULL. */
const struct addr_host *conf_hosts_find(const struct hosts *,
	    const char *name);

/* A hash of the file that lists the name servers of the system; never 0. */
uint64_t conf_hosts_system(void);

void	conf_hosts_free(struct hosts *);

#endif
