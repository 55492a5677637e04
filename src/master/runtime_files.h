/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * runtime_files.h: the visible parts of a running shuttled: the pidfile, the
 * listening sockets and the ports file. For the master, or the only process.
 */
#ifndef RUNTIME_FILES_H
#define RUNTIME_FILES_H

#include "config/conf.h"
#include "master/fd_inherit.h"
#include "master/pidfile.h"

struct runtime_files {
	struct conf	*conf;
	struct conf	*before;	/* during a reload, else NULL */
	struct inheritance *inherited;	/* from the old master */
	struct pidfile	 pidfile;	/* locked, or not present */
	char		 pidfile_name[1024];	/* as at the start */
	struct file_id	 ports;		/* the file written here */
	char		 why[512];	/* the last error */
};

/*
 * Locks the pidfile, opens all listeners except inherited ones, and gives
 * builtin servers their addresses. During an upgrade runtime_files_announce()
 * locks the pidfile. Returns 0, or a status of sysexits(3) with *why* set. Pair
 * with runtime_files_close() in either case.
 */
int	runtime_files_open(struct runtime_files *, struct conf *,
	    struct inheritance *);

/* Everything is ready: writes the pid and the ports. Returns as above. */
int	runtime_files_announce(struct runtime_files *);

/*
 * Opens the listeners of *next*, the configuration to come: sockets with the
 * same address stay, and both share them. Returns as above; after an error
 * nothing of *next* is open.
 */
int	runtime_files_prepare(struct runtime_files *, struct conf *next);

/*
 * Ends one of two configurations that share sockets after
 * runtime_files_prepare(): closes what *stays* does not have.
 */
void	runtime_files_release(struct conf *goes, const struct conf *stays);

/*
 * The present configuration has changed: applies the settings of listeners, and
 * the ports. Returns as above.
 */
int	runtime_files_changed(struct runtime_files *);

/*
 * In an upgrade: lets another master lock the pidfile; locks it again after a
 * failure; or leaves all files to the other after success.
 */
void	runtime_files_give_up(struct runtime_files *);
int	runtime_files_take_back(struct runtime_files *);
void	runtime_files_hand_over(struct runtime_files *);

/* A process that was to take over has been killed: remove what it began. */
void	runtime_files_sweep(const struct runtime_files *, pid_t);

/*
 * The counterpart of that, and of every start: this process owns what was
 * inherited, and the service manager keeps copies.
 */
void	runtime_files_claim(struct runtime_files *);

/* In a worker: closes what belongs to the master, without removing it. */
void	runtime_files_leave(struct runtime_files *);

/* In a process that does not accept: closes its copies of the listeners. */
void	runtime_files_close_copies(struct runtime_files *);

/*
 * Closes the listeners: the kernel refuses connections once all copies are
 * closed.
 */
void	runtime_files_stop_listening(struct runtime_files *);

/* Removes what runtime_files_open() and runtime_files_announce() created. */
void	runtime_files_close(struct runtime_files *);

#endif
