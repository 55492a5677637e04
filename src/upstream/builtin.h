/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * builtin.h: small services that a worker offers on real sockets, so that the
 * balancer can be tried with nothing behind it.
 *
 *	hello	 answers "Hello from <pid>, server <name>" and ends
 *	echo	 sends back what comes (RFC 862)
 *	discard	 reads and forgets (RFC 863)
 */
#ifndef BUILTIN_H
#define BUILTIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "event/poller.h"
#include "relay/shuttle.h"

#define BUILTIN_KINDS(X) X(HELLO, "hello") X(ECHO, "echo") X(DISCARD, "discard")

enum builtin_kind {
	BUILTIN_NONE,
#define X(name, text) BUILTIN_##name,
	BUILTIN_KINDS(X)
#undef X
};

/* The kind called *name*, BUILTIN_NONE if there is none. */
enum builtin_kind builtin_kind(const char *name);
const char *builtin_name(enum builtin_kind);

struct builtins;

/* For connections on descriptors below *descriptors*. NULL with ENOMEM. */
struct builtins *builtin_new(struct poller *, const struct shuttle_kit *,
	    size_t descriptors);
void	builtin_free(struct builtins *);

/* Serve an accepted connection as the server *name*. Takes *fd* over. */
void	builtin_open(struct builtins *, int fd, enum builtin_kind,
	    const char *name);

/* Act on an event. False: the descriptor is not one of these. */
bool	builtin_event(struct builtins *, const struct poller_event *);

/* Connections now. */
uint32_t builtin_live(const struct builtins *);

#endif
