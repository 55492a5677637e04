/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/* poller_select.h: the engine that works on every POSIX system. */
#ifndef POLLER_SELECT_H
#define POLLER_SELECT_H

#include "event/poller.h"

extern const struct poller_engine poller_select;

#endif
