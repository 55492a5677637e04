/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * instance.h: what of a running shuttled others can see: the pidfile, the
 * listening sockets and the ports file. For the master, or the only process.
 */
#ifndef INSTANCE_H
#define INSTANCE_H

#include <sys/types.h>

#include <libutil.h>

#include "conf.h"

struct instance {
	struct conf	*conf;
	struct pidfh	*pidfile;	/* locked; NULL: none */
	char		 ports_temp[1024];
};

/*
 * Lock the pidfile, open all listeners and give builtin backends their
 * addresses. Returns 0, or a status of sysexits(3) after one line on stderr.
 * Pair with instance_close() in either case.
 */
int	instance_open(struct instance *, struct conf *);

/*
 * Everything stands: write the pid and the ports. Returns as above.
 */
int	instance_announce(struct instance *);

/* In a worker: let go of what is the master's, without removing it. */
void	instance_leave(struct instance *);

/* Close the listeners: the kernel refuses connections once all copies are. */
void	instance_stop_listening(struct instance *);

/* Remove what instance_open() and instance_announce() made. */
void	instance_close(struct instance *);

#endif
