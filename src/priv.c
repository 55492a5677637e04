/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * priv.c: gives up root and proves it. The order matters: groups while we still
 * may, the user last.
 */
#include "priv.h"

#include <sys/prctl.h>

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <string.h>
#include <unistd.h>

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

int
priv_look_up(const char *text, struct identity *id, const char **why)
{
	const struct passwd *pw;
	const struct group *gr;
	char *group;

	if (text == NULL) {
		if ((pw = default_user()) == NULL) {
			*why = "there is neither a user shuttled nor nobody";
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
	if ((pw = getpwnam(id->name)) == NULL) {
		*why = "there is no such user";
		return -1;
	}
	id->uid = pw->pw_uid;
	id->gid = pw->pw_gid;
	if (group == NULL)
		return 0;
	if ((gr = getgrnam(group)) == NULL) {
		*why = "there is no such group";
		return -1;
	}
	id->gid = gr->gr_gid;
	return 0;
}

int
priv_drop(const struct identity *id)
{
	/* No program run from here on can gain what we have given up. */
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1)
		return -1;
	if (geteuid() != 0)
		return 0;
	if (setgroups(1, &id->gid) == -1 ||
	    setresgid(id->gid, id->gid, id->gid) == -1 ||
	    setresuid(id->uid, id->uid, id->uid) == -1)
		return -1;
	/* When root was asked for there is nothing to prove. */
	if (id->uid != 0 && (setuid(0) != -1 || seteuid(0) != -1)) {
		errno = EPERM;
		return -1;
	}
	return chdir("/");
}
