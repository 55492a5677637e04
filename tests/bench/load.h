/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * load.h: what the parts of the load generator share. One run is some groups
 * of connections of one kind each, all served by one loop of one process.
 * Times are nanoseconds of CLOCK_MONOTONIC unless a name says otherwise.
 */
#ifndef LOAD_H
#define LOAD_H

#include <sys/queue.h>
#include <sys/types.h>

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NSEC		1000000000ULL
#define MSEC		1000000ULL
#define MAX_ADDRS	64
#define MAX_PIDS	64

/*
 * The pattern: byte p of the stream with seed s is block[(s + p) % period].
 * The period is prime, so no buffer of a usual size can be lost, doubled or
 * swapped unseen. From every position PATTERN_SPAN bytes lie in one piece.
 */
#define PATTERN_PERIOD	65521
#define PATTERN_SPAN	(256 * 1024)

/* A whole block of the pattern; NULL: no memory. The caller frees it. */
unsigned char	*pattern_new(void);

static inline const unsigned char *
pattern_at(const unsigned char *block, uint64_t pos)
{
	return block + pos % PATTERN_PERIOD;
}

/* The first bytes of every connection tell the server what is wanted. */
#define HELLO_MAGIC	0x5d1e7a3cU

enum hello_kind { HELLO_ECHO = 1, HELLO_SOURCE, HELLO_SINK };

struct hello {
	uint32_t	 magic;
	uint32_t	 kind;
	uint32_t	 size;		/* echo: bytes of each message */
	uint32_t	 seed;		/* source, sink: pattern position */
};

/* What a sink says back, each SINK_STEP bytes and at the end of the stream. */
#define SINK_STEP	(1024 * 1024)
#define SINK_WRONG	(1ULL << 63)

/*
 * Counts values in buckets no wider than 1/64 of their value, and answers with
 * the middle of a bucket: a percentile is off by less than 1 %.
 */
#define HIST_HALF	64
#define HIST_BUCKETS	(HIST_HALF * 42)

struct hist {
	uint64_t	 n, max;
	uint64_t	 count[HIST_BUCKETS];
};

void		 hist_add(struct hist *, uint64_t);
/* The value that the part q (0 to 1) of all does not exceed; 0 if empty. */
uint64_t	 hist_at(const struct hist *, double);

/*
 * One look at the processes of a proxy and at the machine. A process whose
 * number is not asked for costs nothing.
 */
struct sample {
	uint64_t	 proxy_ns;	/* CPU of all its threads */
	uint64_t	 server_ns, self_ns;
	uint64_t	 busy_ticks, steal_ticks; /* of the machine, USER_HZ */
	uint64_t	 switches;	/* of both kinds, of all its threads */
	uint64_t	 memory_kb;	/* anonymous and shared, its own part */
	int		 sockets[MAX_PIDS];	/* of each process */
};

/* The processes to look at: those named and all below them. */
struct watch {
	int		 n;
	pid_t		 pid[MAX_PIDS];
	bool		 parent[MAX_PIDS];	/* of one of the others */
	pid_t		 server;		/* 0: none */
};

/* Add all processes below those that are there; once, before the run. */
void		 watch_resolve(struct watch *);

enum { SAMPLE_MEMORY = 1, SAMPLE_SOCKETS = 2 };

void		 sample_take(struct sample *, const struct watch *, int);

#define FAILURES(X) \
	X(CONNECT, "connect") X(RESET, "reset") X(EOF, "eof") \
	X(WRONG, "wrong") X(TIMEOUT, "timeout") X(RESOURCE, "resource") \
	X(LOST, "lost")

enum failure {
#define X(name, text) FAIL_##name,
	FAILURES(X)
#undef X
	FAIL_KINDS
};

enum kind { KIND_CRR, KIND_RR, KIND_SILENT, KIND_STREAM };

enum conn_state {
	CONN_CLOSED,		/* no descriptor */
	CONN_FREE,		/* open, waits for its next operation */
	CONN_SEND, CONN_RECV,	/* a message on its way */
	CONN_STREAM,
	CONN_SILENT
};

struct group;
struct run;

struct conn {
	STAILQ_ENTRY(conn) entry;	/* in the group's list of the ready */
	struct group	*group;
	uint64_t	 since;		/* latency counts from here */
	uint64_t	 moved;		/* start; stream: last progress */
	uint64_t	 pos;		/* of message or stream in the pattern */
	uint64_t	 total;		/* stream: bytes so far */
	uint64_t	 acked, answer;	/* stream up: what the sink says */
	uint32_t	 done;		/* bytes of this half of the message */
	uint32_t	 want;		/* what epoll was told */
	bool		 first;		/* the message that says hello */
	bool		 stands;	/* counted in group->standing */
	bool		 opening;	/* counted in group->opening */
	bool		 watched, listed, paused;
	int		 fd;
	enum conn_state	 state;
};

STAILQ_HEAD(conn_list, conn);

struct group {
	struct run	*run;
	const char	*name;
	enum kind	 kind;
	size_t		 nconns, size;
	double		 rate;		/* operations or bytes/s; 0: no limit */
	bool		 up;		/* stream: to the server */
	struct conn	*conns;
	struct conn_list ready;
	size_t		 opened;	/* conns started so far */
	size_t		 opening;	/* of these still on their way */
	size_t		 standing;
	size_t		 paused;
	uint64_t	 start;		/* of the schedule */
	uint64_t	 due;		/* operations of it that were started */
	uint64_t	 ops, bytes;	/* within the window */
	uint64_t	 taken;		/* stream: bytes since start */
	struct hist	 hist;
};

enum phase { PHASE_OPEN, PHASE_WARM, PHASE_MEASURE, PHASE_DRAIN };

#define MAX_GROUPS	4

struct run {
	/* set by the caller */
	struct sockaddr_in addr[MAX_ADDRS];
	int		 naddrs;
	int		 nsources;	/* 127.0.0.2 and up; 0: not bound */
	double		 secs, warm;
	uint64_t	 least;		/* bytes to compare, if it takes longer */
	double		 op_timeout, open_timeout;
	double		 open_rate;	/* hold: connections/s */
	int		 open_burst;	/* hold: of them at a time */
	const char	*hook;		/* hold: to be run when all stand */
	unsigned	 check_every;	/* stream: one buffer in so many */
	int		 sample_flags;
	struct watch	 watch;
	struct group	 group[MAX_GROUPS];
	int		 ngroups;
	/* the loop's own */
	int		 ep;
	enum phase	 phase;
	uint64_t	 next_scan;
	uint64_t	 t0, t1;	/* the window */
	uint64_t	 conn_seq, checked, buffers;
	uint64_t	 failed[FAIL_KINDS];
	struct sample	 before, begin, end, after;
	unsigned char	*block, *scratch;
};

#define SCRATCH_SIZE	(256 * 1024)

uint64_t	 now_ns(void);

/* load_net.c: sockets. -1: errno. */
int		 net_listen(struct sockaddr_in *, unsigned port);
int		 net_connect(const struct run *, uint64_t, bool);
int		 net_parse(const char *, struct sockaddr_in *);
int		 net_ask(const char *, const char *);

/* load_conn.c: one connection. */
void		 conn_start(struct conn *, uint64_t);
void		 conn_event(struct conn *, uint32_t);
void		 conn_hold(struct conn *);
int		 conn_open(struct conn *);
int		 conn_watch(struct conn *, uint32_t);
void		 conn_opened(struct conn *);
void		 conn_ready(struct conn *);
void		 conn_close(struct conn *);
void		 conn_fail(struct conn *, enum failure);
enum failure	 conn_why(int);

/* load_stream.c: bulk. */
void		 stream_start(struct conn *);
void		 stream_event(struct conn *, uint32_t);
void		 stream_resume(struct group *);

/* load_run.c: the loop. -1: errno. */
int		 run_init(struct run *);
int		 run_step(struct run *, uint64_t);
int		 run_measure(struct run *);
int		 run_hold(struct run *);
void		 run_free(struct run *);

/* load_print.c: the result as one line of JSON. */
void		 print_run(const struct run *, const char *);
void		 print_hold(const struct run *);
uint64_t	 run_failed(const struct run *);

/* load_serve.c: the server; returns when its time is over. */
struct serve_opts {
	int		 listeners;
	unsigned	 port;		/* of the first; 0: any */
	unsigned	 corrupt;	/* one answer in so many is wrong */
	unsigned	 check_every;
	double		 secs;
	bool		 fork_streams;	/* a process for each source */
	const char	*ports_file;
};
int		 serve(const struct serve_opts *);

#endif
