/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * privileges.h: who the processes that read from the network run as.
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
 * Look up USER[:GROUP], names or numbers; NULL is the default: `shuttled` if there
 * is such an account, else `nobody`. A number without an entry needs a group.
 * Returns 0, or -1 with *why set to a constant text.
 */
int	privileges_look_up(const char *text, struct identity *,
	    const char **why);

/* The user and group that this process has. */
void	privileges_get_own(struct identity *);

/*
 * What keeps this process from running workers as *id* and from signalling them: a
 * constant text that ends in what is missing, or NULL.
 */
const char *privileges_obstacle(const struct identity *id);

/* The same for changing the root directory. */
const char *privileges_chroot_obstacle(void);

/* May this process bind ports that are not for everybody? */
bool	privileges_has_low_ports(void);

/* May it connect from addresses that are not of this machine? */
bool	privileges_has_foreign_addresses(void);

/*
 * Become *id* for good, if this process has another user or group, with *dir*
 * (NULL: none) as the root of its file system. Only root may do either. No capability is left, whoever we were, but the one for foreign addresses
 * where that is asked for. 0, or -1 with errno set: the process must not go on.
 */
int	privileges_drop(const struct identity *, const char *dir,
	    bool foreign_addresses);

/*
 * Be killed when *parent*, which forked this process, ends. A later change of user
 * undoes it. 0, or -1 with errno set: ESRCH if it has ended already.
 */
int	privileges_end_with(pid_t parent);

/* Leave no core file from now on. */
void	privileges_leave_no_core(void);

/*
 * Processes that descend from this one become its children when their parents die;
 * or no more.
 */
void	privileges_adopt_orphans(bool);

#endif
