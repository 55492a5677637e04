/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * conf_hosts.h: the names of hosts in a configuration that are looked up once,
 * each of them one time. Which there are, what they mean and what becomes of that
 * are three steps, so that another process can do the second.
 */
#ifndef CONF_HOSTS_H
#define CONF_HOSTS_H

#include <stdint.h>

#include "config/conf.h"
#include "config/settings.h"

/* Those of these settings, not looked up. -1 with ENOMEM. */
int	conf_hosts_list(const struct settings *, struct hosts *);

/*
 * Look them up, one by one, each that begins within *ms*; those for which there is
 * no time have ADDR_LATE. May block.
 */
void	conf_hosts_look_up(struct hosts *, uint64_t ms);

/*
 * Has something been said of all that the rest cannot do without, the hosts of
 * listeners, logs and checks? What is complained of otherwise may be asked for
 * later: it would have to be waited for.
 */
bool	conf_hosts_answered(const struct settings *, const struct hosts *,
	    struct diagnostics *);

/* As addr_parse() does, by what is known, if the name is. */
int	conf_hosts_parse(const struct hosts *, const char *text, enum addr_use,
	    struct addr *out, size_t max, const char **why);

/* What is known of it, or NULL. */
const struct addr_host *conf_hosts_find(const struct hosts *,
	    const char *name);

/* A hash of the file that tells the name servers of the system; never 0. */
uint64_t conf_hosts_system(void);

void	conf_hosts_free(struct hosts *);

#endif
