/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/* nearest.h: the word that was probably meant. */
#ifndef NEAREST_H
#define NEAREST_H

#include <stddef.h>

/*
 * Returns the one of the *n* *words* that is nearest to *text*: fewest letters
 * added, left out, changed or swapped (Damerau 1964). NULL if none is near,
 * which means that more than a third of the letters differ.
 */
const char *nearest_find(const char *text, const char *const *words, size_t n);

#endif
