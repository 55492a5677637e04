/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * privileges.c: gives up root and verifies it. The order matters: first what
 * requires root, then the groups, the user, and the capabilities that a user
 * can keep.
 */
#include "sandbox/privileges.h"

#include <sys/prctl.h>
#include <sys/syscall.h>

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define NONE	(-1)			/* no capability */

static const char *const defaults[] = { "shuttled", "nobody" };

static const struct passwd *
default_user(void)
{
	const struct passwd *pw = NULL;
	size_t i;

	for (i = 0; i < sizeof(defaults) / sizeof(*defaults); i++)
		if ((pw = getpwnam(defaults[i])) != NULL)
			break;
	return pw;
}

/* A user or group by number. (uid_t)-1 means "do not change". */
static bool
read_number(const char *text, unsigned *id)
{
	const char *err;

	if (text[0] == '\0' || text[strspn(text, "0123456789")] != '\0')
		return false;
	*id = (unsigned)strtonum(text, 0, UINT32_MAX - 1, &err);
	return err == NULL;
}

static int
look_up_user(struct identity *id, bool group_follows, const char **why)
{
	const struct passwd *pw = getpwnam(id->name);

	if (pw == NULL && read_number(id->name, &id->uid)) {
		if ((pw = getpwuid(id->uid)) == NULL && group_follows)
			return 0;
		*why = "this number has no account: name its group too, such "
		    "as 65534:65534";
	} else {
		*why = "there is no such user";
	}
	if (pw == NULL)
		return -1;
	id->uid = pw->pw_uid;
	id->gid = pw->pw_gid;
	return 0;
}

int
privileges_look_up(const char *text, struct identity *id, const char **why)
{
	const struct passwd *pw;
	const struct group *gr;
	char *group;

	if (text == NULL) {
		if ((pw = default_user()) == NULL) {
			*why = "there is no user shuttled and no user nobody; "
			    "name one, or numbers, such as 65534:65534";
			return -1;
		}
		text = pw->pw_name;
	}
	if (strlcpy(id->name, text, sizeof(id->name)) >= sizeof(id->name)) {
		*why = "the name is too long";
		return -1;
	}
	if ((group = strchr(id->name, ':')) != NULL)
		*group++ = '\0';
	if (look_up_user(id, group != NULL, why) == -1)
		return -1;
	if (group == NULL)
		return 0;
	if ((gr = getgrnam(group)) != NULL)
		id->gid = gr->gr_gid;
	else if (!read_number(group, &id->gid)) {
		*why = "there is no such group";
		return -1;
	}
	return 0;
}

void
privileges_get_own(struct identity *id)
{
	memset(id, 0, sizeof(*id));
	id->uid = geteuid();
	id->gid = getegid();
	snprintf(id->name, sizeof(id->name), "%u", id->uid);
}

/* Hides all files except those below *dir*. */
static int
enter_root(const char *dir)
{
	if (dir == NULL)
		return 0;
	return chdir(dir) == -1 || chroot(".") == -1 ? -1 : 0;
}

/*
 * Empties the bounding set, so that a program with file capabilities would not
 * get them. This requires CAP_SETPCAP; without it, no_new_privs has to suffice.
 */
static void
empty_bounding_set(void)
{
	int cap;

	for (cap = 0; prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) == 0; cap++)
		continue;
}

/*
 * A change of user drops the capabilities of root only, and not those that a
 * program inherits; a service manager can give some to any user.
 */
static int
drop_capabilities(int but)
{
	struct __user_cap_header_struct self = {
	    .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct left[_LINUX_CAPABILITY_U32S_3];

	memset(left, 0, sizeof(left));
	if (but != NONE)
		left[CAP_TO_INDEX(but)].effective =
		    left[CAP_TO_INDEX(but)].permitted = CAP_TO_MASK(but);
	return (int)syscall(SYS_capset, &self, left);
}

static bool
has_capability(int cap)
{
	struct __user_cap_header_struct self = {
	    .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct have[_LINUX_CAPABILITY_U32S_3];

	return syscall(SYS_capget, &self, have) == 0 &&
	    (have[CAP_TO_INDEX(cap)].effective & CAP_TO_MASK(cap)) != 0;
}

bool
privileges_has_low_ports(void)
{
	return has_capability(CAP_NET_BIND_SERVICE);
}

/* Either capability is enough; the first one permits less. */
static int
foreign_capability(void)
{
	return has_capability(CAP_NET_RAW) ? CAP_NET_RAW :
	    has_capability(CAP_NET_ADMIN) ? CAP_NET_ADMIN : NONE;
}

bool
privileges_has_foreign_addresses(void)
{
	return foreign_capability() != NONE;
}

const char *
privileges_chroot_obstacle(void)
{
	if (geteuid() != 0)
		return "only root can do that";
	return has_capability(CAP_SYS_CHROOT) ? NULL : "this needs "
	    "CAP_SYS_CHROOT";
}

static bool
is_own(const struct identity *id)
{
	return id->uid == geteuid() && id->gid == getegid();
}

/* True if this user namespace maps the user or group. */
static bool
is_mapped(const char *file, unsigned id)
{
	unsigned inside, outside, n;
	bool found = false;
	FILE *f;

	if ((f = fopen(file, "re")) == NULL)
		return true;
	while (!found && fscanf(f, "%u %u %u", &inside, &outside, &n) == 3)
		found = id - inside < n;
	fclose(f);
	return found;
}

/* True if this user namespace forbids to change the list of groups. */
static bool
keeps_groups(void)
{
	FILE *f = fopen("/proc/self/setgroups", "re");
	char word[8] = "";

	if (f == NULL)
		return false;
	if (fscanf(f, "%7s", word) != 1)
		word[0] = '\0';
	fclose(f);
	return strcmp(word, "deny") == 0;
}

const char *
privileges_obstacle(const struct identity *id)
{
	if (is_own(id))
		return NULL;
	if (geteuid() != 0)
		return id->uid != geteuid() ?
		    "only root can change the user" :
		    "only root can change the group";
	if (!has_capability(CAP_SETUID) || !has_capability(CAP_SETGID))
		return has_capability(CAP_SETGID) ? "changing the user needs "
		    "CAP_SETUID" : has_capability(CAP_SETUID) ? "changing the "
		    "group needs CAP_SETGID" : "changing the user needs "
		    "CAP_SETUID and CAP_SETGID";
	if (!has_capability(CAP_KILL) && id->uid != 0)
		return "signals to processes of another user need CAP_KILL";
	if (!is_mapped("/proc/self/uid_map", id->uid) ||
	    !is_mapped("/proc/self/gid_map", id->gid))
		return "this user namespace does not map that user and group";
	return keeps_groups() ? "this user namespace does not allow a change "
	    "of groups (/proc/self/setgroups)" : NULL;
}

static int
change_user(const struct identity *id)
{
	if (is_own(id) && !has_capability(CAP_SETGID))
		return 0;
	if (setgroups(1, &id->gid) == -1 && !(is_own(id) && keeps_groups()))
		return -1;
	if (setresgid(id->gid, id->gid, id->gid) == -1)
		return -1;
	return setresuid(id->uid, id->uid, id->uid);
}

int
privileges_drop(const struct identity *id, const char *dir,
    bool foreign_addresses)
{
	int kept = foreign_addresses ? foreign_capability() : NONE;
	bool root = geteuid() == 0;

	/* No program executed from here on can regain privileges. */
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1)
		return -1;
	empty_bounding_set();
	/*
	 * Keep capabilities across the change of user, to drop all but one
	 * then.
	 */
	if (kept != NONE && prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) == -1)
		return -1;
	if (root && (enter_root(dir) == -1 || chdir("/") == -1 ||
	    change_user(id) == -1))
		return -1;
	if (drop_capabilities(kept) == -1 ||
	    prctl(PR_SET_KEEPCAPS, 0, 0, 0, 0) == -1)
		return -1;
	/* If root was configured there is nothing to verify. */
	if (root && id->uid != 0 && (setuid(0) != -1 || seteuid(0) != -1)) {
		errno = EPERM;
		return -1;
	}
	return 0;
}

int
privileges_end_with(pid_t parent)
{
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) == -1)
		return -1;
	if (getppid() == parent)
		return 0;
	errno = ESRCH;
	return -1;
}

void
privileges_leave_no_core(void)
{
	(void)prctl(PR_SET_DUMPABLE, 0);
}

void
privileges_adopt_orphans(bool on)
{
	(void)prctl(PR_SET_CHILD_SUBREAPER, on, 0, 0, 0);
}
