/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * peer.h: the parts of peer, one scripted TCP peer for system tests.
 * peer.c is the command, peer_script.c reads scripts, peer_verbs.c holds the
 * verbs that make and end connections, peer_data.c those that move bytes,
 * peer_fork.c those that run a block in other processes, peer_crowd.c those with
 * many connections, peer_net.c addresses.
 */
#ifndef PEER_H
#define PEER_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include <sys/socket.h>
#include <sys/types.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PEER_ARGS	3		/* positional arguments of a verb */
#define PEER_ANY	UINT64_MAX	/* the word "any" as a number */
#define CHUNKS_RANDOM	UINT64_MAX	/* "chunks random" */

struct command;
struct peer;

/* One word of the script language. A row of a table in peer_*.c. */
struct verb {
	const char	*name;
	const char	*args;	/* n number, N number or "any", s string;
				   what follows a '?' may be left out */
	const char	*options; /* of "seed", "from" …: their first letters */
	bool		 block;	/* is followed by { … } */
	int		(*run)(struct peer *, const struct command *);
	const char	*usage;
};

struct argument {
	const char	*text;
	uint64_t	 n;
};

struct command {
	const struct verb *verb;
	int		 line;
	int		 nargs;
	struct argument	 args[PEER_ARGS];
	int		 nseeds;
	uint64_t	 seeds[2];
	uint64_t	 from;		/* position in the pattern */
	bool		 from_last;	/* where send-until-blocked stopped */
	uint64_t	 chunks;	/* bytes a call; 0: as many as go */
	uint64_t	 rate;		/* bytes a second; 0: no limit */
	size_t		 end;		/* with a block: the command after it */
};

struct script {
	struct command	*commands;
	size_t		 count;
	char		*text;		/* every string argument points here */
};

/* What one process of peer knows. */
struct peer {
	const struct script *script;
	const struct command *now;
	int		 listen_fd;
	int		 fd;		/* the connection, -1: none */
	int		 timeout_ms;	/* of each wait */
	unsigned int	 lifetime;	/* of each process, seconds */
	bool		 numbered;	/* one of many: name the id in errors */
	uint64_t	 id;		/* joins every seed */
	bool		 was_reset;	/* seen while connecting */
	uint64_t	 last;		/* bytes of the last send-until-blocked */
	int		 rcvbuf, sndbuf; /* for sockets to come; 0: default */
	pid_t		 server;	/* of "serve", 0: none */
};

/* peer.c */

/* Print "peer: line N: VERB: …" on stderr in one write. Always returns -1. */
int	peer_fail(const struct peer *, const char *, ...)
	    __attribute__((__format__(__printf__, 2, 3)));
/* Run the commands [from, to). Stops at the first that fails: -1. */
int	peer_run(struct peer *, size_t from, size_t to);
/* Monotonic milliseconds. */
uint64_t peer_now(void);
void	peer_sleep(uint64_t ms);

/* peer_script.c */

/*
 * Read a script; a ';' counts as a line when dense. 0, or -1 when there is a
 * mistake in it, which has been printed.
 */
int	script_parse(struct script *, const char *text, bool dense);
void	script_free(struct script *);
const struct verb *verb_find(const char *name);
void	verb_help(void);

/* Tables of peer_verbs.c, peer_data.c, peer_fork.c, peer_crowd.c; NULL ends. */
extern const struct verb verbs_connection[], verbs_data[], verbs_fork[];
extern const struct verb verbs_crowd[];

/* peer_fork.c */

/* Run [from, to) in n processes with the ids 0..n-1. -1 when one failed. */
int	fork_parallel(struct peer *, uint64_t n, size_t from, size_t to);
/* Wait until the server of "serve" ends, or end it on SIGTERM. */
int	fork_server_wait(struct peer *);

/* peer_data.c */

/* Wait for events on the connection: 1 ready, 0 time over, -1 printed. */
int	data_wait(struct peer *, int fd, short events, int ms);

/* peer_net.c */

/*
 * Send at once, and ask each second whether the other end is still there: a
 * reset that the network loses is not sent again unless somebody asks.
 */
void	tcp_prepare(int fd);

struct address {
	struct sockaddr_storage	ss;
	socklen_t		len;
};

/* Numeric host:port, [v6]:port, :port, localhost:port, unix:/path. */
int	address_parse(struct address *, const char *);
/* The address fd is bound to, in the same form. -1 with errno. */
int	address_bound(int fd, char *, size_t);

/* peer_pattern.c: the bytes that are sent, a function of key and position. */
uint64_t pattern_key(uint64_t seed, uint64_t id);
void	pattern_fill(unsigned char *, size_t, uint64_t key, uint64_t pos);
/* A 64-bit mix, good enough to draw sizes from. */
uint64_t pattern_mix(uint64_t);

#endif
