/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * runtime_files.h: what of a running shuttled others can see: the pidfile, the
 * listening sockets and the ports file. For the master, or the only process.
 */
#ifndef RUNTIME_FILES_H
#define RUNTIME_FILES_H

#include "config/conf.h"
#include "master/fd_inherit.h"
#include "master/pidfile.h"

struct instance {
	struct conf	*conf;
	struct conf	*before;	/* while a reload is under way, else NULL */
	struct inheritance *inherited;	/* from the master before */
	struct pidfile	 pidfile;	/* locked, or not there */
	char		 pidfile_name[1024];	/* as it was at the start */
	struct file_id	 ports;		/* the file that we wrote */
	char		 why[512];	/* what went wrong last */
};

/*
 * Lock the pidfile, open all listeners but those that were inherited, and give
 * builtin backends their addresses. After an upgrade the pidfile is for
 * instance_announce() to lock. Returns 0, or a status of sysexits(3) with *why* set. Pair with
 * instance_close() in either case.
 */
int	instance_open(struct instance *, struct conf *, struct inheritance *);

/*
 * Everything stands: write the pid and the ports. Returns as above.
 */
int	instance_announce(struct instance *);

/*
 * Open what *next* wants to listen on, to be run instead of the present
 * configuration: sockets of the same address stay, and are shared by the two.
 * Returns as above; then nothing of *next* is open.
 */
int	instance_prepare(struct instance *, struct conf *next);

/*
 * One of two configurations goes, which instance_prepare() has made to share
 * sockets: close what *stays* does not have.
 */
void	instance_release(struct conf *goes, const struct conf *stays);

/*
 * The present configuration is another one: how listeners are set may differ,
 * and the ports. Returns as above.
 */
int	instance_changed(struct instance *);

/*
 * An upgrade: let another master lock the pidfile; lock it again when that came to
 * nothing; or leave all files to it, when it did.
 */
void	instance_give_up(struct instance *);
int	instance_take_back(struct instance *);
void	instance_hand_over(struct instance *);

/*
 * The other end of that, and of every start: what was inherited is ours now, and
 * the service manager keeps copies.
 */
void	instance_claim(struct instance *);

/* In a worker: let go of what is the master's, without removing it. */
void	instance_leave(struct instance *);

/* In one that does not accept: not even a copy of a listener is left. */
void	instance_close_copies(struct instance *);

/* Close the listeners: the kernel refuses connections once all copies are. */
void	instance_stop_listening(struct instance *);

/* Remove what instance_open() and instance_announce() made. */
void	instance_close(struct instance *);

#endif
