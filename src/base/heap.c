#include "base/heap.h"

#include <assert.h>
#include <stddef.h>

#include "base/mem.h"

enum { SMALLEST = 16 };

static void put(neap_heap *heap, uint32_t at, neap_heap_item *item)
{
    heap->items[at] = item;
    item->slot = at + 1;
}

static void sift_up(neap_heap *heap, uint32_t at, neap_heap_item *item)
{
    while (at > 0) {
        uint32_t parent = (at - 1) / 2;
        if (!heap->before(item, heap->items[parent]))
            break;
        put(heap, at, heap->items[parent]);
        at = parent;
    }
    put(heap, at, item);
}

/* The hole at `at` goes down to a leaf along the smaller children, then `item`,
 * which comes from the end and so belongs deep down, goes up from there: one
 * comparison a level in place of two. */
static void sift_down(neap_heap *heap, uint32_t at, neap_heap_item *item)
{
    uint32_t child;
    while ((child = 2 * at + 1) < heap->count) {
        if (child + 1 < heap->count &&
            heap->before(heap->items[child + 1], heap->items[child]))
            child++;
        put(heap, at, heap->items[child]);
        at = child;
    }
    sift_up(heap, at, item);
}

void neap_heap_init(neap_heap *heap, neap_heap_before *before)
{
    *heap = (neap_heap){ .before = before };
}

void neap_heap_deinit(neap_heap *heap)
{
    neap_mem_free(heap->items);
    *heap = (neap_heap){ .before = heap->before };
}

bool neap_heap_reserve(neap_heap *heap)
{
    if (heap->count < heap->capacity)
        return true;
    if (heap->capacity > UINT32_MAX / 4)
        return false;
    uint32_t capacity = heap->capacity ? heap->capacity * 2 : SMALLEST;
    neap_heap_item **items = neap_mem_try_realloc(heap->items, capacity * sizeof *items);
    if (items == NULL)
        return false;
    heap->items = items;
    heap->capacity = capacity;
    return true;
}

void neap_heap_push(neap_heap *heap, neap_heap_item *item)
{
    assert(item->slot == 0 && heap->count < heap->capacity);
    sift_up(heap, heap->count++, item);
}

void neap_heap_remove(neap_heap *heap, neap_heap_item *item)
{
    assert(item->slot > 0 && heap->items[item->slot - 1] == item);
    uint32_t hole = item->slot - 1;
    neap_heap_item *last = heap->items[--heap->count];
    item->slot = 0;
    if (last == item)
        return;
    if (hole > 0 && heap->before(last, heap->items[(hole - 1) / 2]))
        sift_up(heap, hole, last);
    else
        sift_down(heap, hole, last);
}
