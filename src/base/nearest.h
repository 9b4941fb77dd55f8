/* base/nearest.h - the known name that a misspelt one was most likely meant to be.
 *
 * The distance between two names is the number of letters to insert, delete,
 * replace, or swap with their neighbour until one is the other; upper and lower
 * case of ASCII count as the same. A name is near when about a third of the
 * longer one is wrong at most; of one or two letters, when none is.
 *
 * Order      The first of several equally near names is the answer.
 * Errors     None: a name that resembles nothing, or is longer than
 *            NEAP_NEAREST_MAX bytes, is near to nothing. Nothing allocates.
 * Thread     Any.
 */
#ifndef NEAP_BASE_NEAREST_H
#define NEAP_BASE_NEAREST_H

#include <stddef.h>

/* Bytes of the longest name that is compared: beyond it nobody misspells a name,
 * they pass something else. */
#define NEAP_NEAREST_MAX 64

/* What neap_nearest_distance says of two names that are not near. */
#define NEAP_NEAREST_FAR ((size_t)-1)

/* The distance between two names, or NEAP_NEAREST_FAR. */
size_t neap_nearest_distance(const char *a, size_t a_len, const char *b, size_t b_len);

/* Index of the name nearest to `name` among `count` names that end in NUL; -1 for
 * none. */
int neap_nearest(const char *name, const char *const *names, int count);

#endif
