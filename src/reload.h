/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * reload.h: from one configuration to the next without losing a connection.
 */
#ifndef RELOAD_H
#define RELOAD_H

#include "children.h"
#include "conf.h"

/*
 * Read the configuration again, from where *conf* came, and go over to it in two
 * steps. First all of it is made: parsed, checked, its sockets and log opened,
 * its workers started; an error undoes that, leaves everything as it was, and is
 * logged. Then the generation before is drained. The new workers have *ms* to
 * start. *conf* is what it was, or the new one; the old is freed. 0, or -1.
 */
int	reload(struct conf *conf, struct children *, int ms);

#endif
