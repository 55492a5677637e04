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

struct runtime_files {
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
 * builtin servers their addresses. After an upgrade the pidfile is for
 * runtime_files_announce() to lock. Returns 0, or a status of sysexits(3) with
 * *why* set. Pair with runtime_files_close() in either case.
 */
int	runtime_files_open(struct runtime_files *, struct conf *,
	    struct inheritance *);

/*
 * Everything stands: write the pid and the ports. Returns as above.
 */
int	runtime_files_announce(struct runtime_files *);

/*
 * Open what *next* wants to listen on, to be run instead of the present
 * configuration: sockets of the same address stay, and are shared by the two.
 * Returns as above; then nothing of *next* is open.
 */
int	runtime_files_prepare(struct runtime_files *, struct conf *next);

/*
 * One of two configurations goes, which runtime_files_prepare() has made to
 * share sockets: close what *stays* does not have.
 */
void	runtime_files_release(struct conf *goes, const struct conf *stays);

/*
 * The present configuration is another one: how listeners are set may differ,
 * and the ports. Returns as above.
 */
int	runtime_files_changed(struct runtime_files *);

/*
 * An upgrade: let another master lock the pidfile; lock it again when that came to
 * nothing; or leave all files to it, when it did.
 */
void	runtime_files_give_up(struct runtime_files *);
int	runtime_files_take_back(struct runtime_files *);
void	runtime_files_hand_over(struct runtime_files *);

/* A process that was to take over has been killed: remove what it began. */
void	runtime_files_sweep(const struct runtime_files *, pid_t);

/*
 * The other end of that, and of every start: what was inherited is ours now, and
 * the service manager keeps copies.
 */
void	runtime_files_claim(struct runtime_files *);

/* In a worker: let go of what is the master's, without removing it. */
void	runtime_files_leave(struct runtime_files *);

/* In one that does not accept: not even a copy of a listener is left. */
void	runtime_files_close_copies(struct runtime_files *);

/* Close the listeners: the kernel refuses connections once all copies are. */
void	runtime_files_stop_listening(struct runtime_files *);

/* Remove what runtime_files_open() and runtime_files_announce() made. */
void	runtime_files_close(struct runtime_files *);

#endif
