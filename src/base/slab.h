/* base/slab.h - blocks of one size, without a header each.
 *
 *   region   | page 1: [x][x][ ][x] | page 2: [x][ ][ ][ ] | given back | not used yet ...
 *                           ^free              ^fresh
 *
 * Addresses for all pages are reserved at once; memory is what has been touched, and an
 * empty page is given back to the system at once.
 *
 * Ownership  The caller owns the struct. neap_slab_deinit ends all blocks.
 * Errors     neap_slab_alloc returns NULL when no address is left, or none could be
 *            reserved: the caller takes such a block elsewhere, and asks neap_slab_owns
 *            later. Under the address sanitizer none is reserved: it is to see each block.
 * Thread     The one that made it.
 * Invariant  A page in the list of open ones has a free block; a full one is in none.
 */
#ifndef NEAP_BASE_SLAB_H
#define NEAP_BASE_SLAB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NEAP_SLAB_PAGE   ((size_t)1 << 16)
#define NEAP_SLAB_REGION ((size_t)1 << 30)

typedef struct neap_slab_page {
    uint32_t next, prev;        /* in a list; numbers of pages, 0: none */
    uint16_t used;
    uint16_t free;              /* place of the first free block that was used before, */
    uint16_t fresh;             /* and of the first that never was */
} neap_slab_page;

typedef struct neap_slab {
    char           *region;     /* NULL: none */
    neap_slab_page *pages;      /* page n is at n - 1 */
    size_t          size;
    uint16_t        capacity;   /* blocks of a page */
    uint32_t        count;      /* pages that have been used at least once */
    uint32_t        open;       /* list of pages with a free block */
    uint32_t        returned;   /* list of pages that were given back */
} neap_slab;

/* Blocks of `size`, a multiple of 8. */
void neap_slab_init(neap_slab *slab, size_t size);
void neap_slab_deinit(neap_slab *slab);
void *neap_slab_alloc(neap_slab *slab);
/* `block` is the slab's. */
void neap_slab_free(neap_slab *slab, void *block);

static inline bool neap_slab_owns(const neap_slab *slab, const void *block)
{
    return (uintptr_t)block - (uintptr_t)slab->region < NEAP_SLAB_REGION && slab->region != NULL;
}

#endif
