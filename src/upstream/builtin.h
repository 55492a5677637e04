/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * builtin.h: small services that a worker offers on real sockets, to try the
 * balancer without any server.
 *
 *	hello	 answers "Hello from <pid>, server <name>" and ends
 *	echo	 sends back what it receives (RFC 862)
 *	discard	 reads and drops (RFC 863)
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

/* The kind called *name*, or BUILTIN_NONE. */
enum builtin_kind builtin_kind(const char *name);
const char *builtin_name(enum builtin_kind);

struct builtins;

/* For connections on descriptors below *descriptors*. NULL with ENOMEM. */
struct builtins *builtin_new(struct poller *, const struct shuttle_kit *,
	    size_t descriptors);
void	builtin_free(struct builtins *);

/* Serves an accepted connection as the server *name*. Owns *fd* from now on. */
void	builtin_open(struct builtins *, int fd, enum builtin_kind,
	    const char *name);

/* Handles an event. False: the descriptor belongs to another owner. */
bool	builtin_event(struct builtins *, const struct poller_event *);

/* Current connections. */
uint32_t builtin_live(const struct builtins *);

#endif
