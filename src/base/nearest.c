/* base/nearest.c - the distance of two names, row by row. */
#include <string.h>

#include "base/nearest.h"

enum { ROW = NEAP_NEAREST_MAX + 1 };

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* How many letters may be wrong in names of which the longer has `len`. */
static size_t bound(size_t len)
{
    return len < 3 ? 0 : (len + 1) / 3;
}

/* Cell [i][j] of the table is the distance between the first i letters of `a` and
 * the first j of `b`. A cell depends on its own row and on the two above, because
 * a swap spans two letters: three rows are kept.
 *
 *     above2   . x . .       x: both letters swapped
 *     above    . . r d       r: replaced or equal, d: deleted
 *     row      . . i ?       i: inserted
 */
size_t neap_nearest_distance(const char *a, size_t a_len, const char *b, size_t b_len)
{
    size_t max = bound(a_len > b_len ? a_len : b_len);
    size_t differ = a_len > b_len ? a_len - b_len : b_len - a_len;
    if (a_len > NEAP_NEAREST_MAX || b_len > NEAP_NEAREST_MAX || differ > max)
        return NEAP_NEAREST_FAR;

    size_t rows[3][ROW] = { { 0 } };
    size_t *above2 = rows[0], *above = rows[1], *row = rows[2];
    for (size_t j = 0; j <= b_len; j++)
        row[j] = j;

    for (size_t i = 1; i <= a_len; i++) {
        size_t *oldest = above2;
        above2 = above;
        above = row;
        row = oldest;

        row[0] = i;
        size_t best = i;
        for (size_t j = 1; j <= b_len; j++) {
            char x = lower(a[i - 1]), y = lower(b[j - 1]);
            size_t cell = least(above[j - 1] + (x != y), least(above[j], row[j - 1]) + 1);
            if (i > 1 && j > 1 && x == lower(b[j - 2]) && y == lower(a[i - 2]))
                cell = least(cell, above2[j - 2] + 1);
            row[j] = cell;
            best = least(best, cell);
        }
        /* No later row is better: the row before was better by one at most, and
         * the swap that leads past this row costs one. */
        if (best > max)
            return NEAP_NEAREST_FAR;
    }
    return row[b_len] <= max ? row[b_len] : NEAP_NEAREST_FAR;
}

int neap_nearest(const char *name, const char *const *names, int count)
{
    size_t len = strlen(name), best = NEAP_NEAREST_FAR;
    int index = -1;

    for (int i = 0; i < count; i++) {
        size_t distance = neap_nearest_distance(name, len, names[i], strlen(names[i]));
        if (distance < best) {
            best = distance;
            index = i;
        }
    }
    return index;
}
