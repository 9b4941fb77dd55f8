/* base/heap.h - binary min-heap of pointers with removal from the middle.
 *
 * Order      By the caller's `before`; equal elements come out in any order.
 * Ownership  The heap owns its array, never the elements. An element carries
 *            its own position: `slot` is where, counted from 1; 0: in no heap.
 * Errors     neap_heap_reserve is the only function that allocates.
 * Invariant  items[i]->slot == i + 1, and no parent comes after its child.
 */
#ifndef NEAP_BASE_HEAP_H
#define NEAP_BASE_HEAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct neap_heap_item {
    uint32_t slot;
} neap_heap_item;

typedef bool neap_heap_before(const neap_heap_item *a, const neap_heap_item *b);

typedef struct neap_heap {
    neap_heap_before *before;
    neap_heap_item  **items;
    uint32_t          count;
    uint32_t          capacity;
} neap_heap;

void neap_heap_init(neap_heap *heap, neap_heap_before *before);
void neap_heap_deinit(neap_heap *heap);
/* Make room for one more element; false without memory. */
bool neap_heap_reserve(neap_heap *heap);
/* Put `item` in; there is room (neap_heap_reserve), and it is in no heap. */
void neap_heap_push(neap_heap *heap, neap_heap_item *item);
/* Take `item` out of the middle; it is in this heap. */
void neap_heap_remove(neap_heap *heap, neap_heap_item *item);

/* The first element, or NULL. */
static inline neap_heap_item *neap_heap_first(const neap_heap *heap)
{
    return heap->count ? heap->items[0] : NULL;
}

#endif
