/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * privileges.h: the user and privileges of processes that read from the
 * network.
 */
#ifndef PRIVILEGES_H
#define PRIVILEGES_H

#include <sys/types.h>

#include <stdbool.h>

struct identity {
	char	name[64];
	uid_t	uid;
	gid_t	gid;
};

/*
 * Looks up USER[:GROUP], names or numbers. NULL is the default: user `shuttled`
 * if that account exists, else `nobody`. A number without an account needs a
 * group. 0, or -1 with *why set to a constant text.
 */
int	privileges_look_up(const char *text, struct identity *,
	    const char **why);

/* The user and group of this process. */
void	privileges_get_own(struct identity *);

/*
 * Returns NULL if this process can run workers as *id* and signal them, or else
 * a constant text that names the missing privilege.
 */
const char *privileges_obstacle(const struct identity *id);

/* The same for changing the root directory. */
const char *privileges_chroot_obstacle(void);

/* True if this process can bind privileged ports. */
bool	privileges_has_low_ports(void);

/* True if it can connect from addresses that do not belong to this machine. */
bool	privileges_has_foreign_addresses(void);

/*
 * Switches to *id* for good, if that differs from the present user or group,
 * with *dir* (NULL: none) as root directory; either requires root. No
 * capability is left, except the one for *foreign_addresses*. 0, or -1 with
 * errno set: the process must exit.
 */
int	privileges_drop(const struct identity *, const char *dir,
	    bool foreign_addresses);

/*
 * Kills this process when its parent *parent* ends. A later change of user
 * undoes that. 0, or -1 with errno set: ESRCH if the parent has ended already.
 */
int	privileges_end_with(pid_t parent);

/* Disables core files from now on. */
void	privileges_leave_no_core(void);

/*
 * Processes that descend from this one become its children when their parents die;
 * or no more.
 */
void	privileges_adopt_orphans(bool);

#endif
