#include "base/slab.h"

#include <assert.h>
#include <string.h>
#include <sys/mman.h>

/* Places in a page are counted in units, from 1 on: 0 is none. */
enum { UNIT = 8 };

static const size_t PAGES = NEAP_SLAB_REGION / NEAP_SLAB_PAGE;

static neap_slab_page *page_of(const neap_slab *slab, uint32_t number)
{
    return &slab->pages[number - 1];
}

static char *start_of(const neap_slab *slab, uint32_t number)
{
    return slab->region + (size_t)(number - 1) * NEAP_SLAB_PAGE;
}

static void link_page(const neap_slab *slab, uint32_t *list, uint32_t number)
{
    neap_slab_page *page = page_of(slab, number);

    page->prev = 0;
    page->next = *list;
    if (*list != 0)
        page_of(slab, *list)->prev = number;
    *list = number;
}

static void unlink_page(const neap_slab *slab, uint32_t *list, uint32_t number)
{
    const neap_slab_page *page = page_of(slab, number);

    if (page->next != 0)
        page_of(slab, page->next)->prev = page->prev;
    if (page->prev != 0)
        page_of(slab, page->prev)->next = page->next;
    else
        *list = page->next;
}

void neap_slab_init(neap_slab *slab, size_t size)
{
    assert(size >= UNIT && size <= NEAP_SLAB_PAGE && size % UNIT == 0);
    *slab = (neap_slab){ .size = size, .capacity = (uint16_t)(NEAP_SLAB_PAGE / size) };
#ifndef __SANITIZE_ADDRESS__
    char *region = mmap(NULL, NEAP_SLAB_REGION + PAGES * sizeof *slab->pages,
                        PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (region == MAP_FAILED)
        return;
    slab->region = region;
    slab->pages = (neap_slab_page *)(void *)(region + NEAP_SLAB_REGION);
#endif
}

void neap_slab_deinit(neap_slab *slab)
{
    if (slab->region != NULL)
        munmap(slab->region, NEAP_SLAB_REGION + PAGES * sizeof *slab->pages);
    slab->region = NULL;
}

/* A page without a used block, in the list of open ones; 0 if there is none. */
static uint32_t open_page(neap_slab *slab)
{
    uint32_t number = slab->returned;

    if (number != 0)
        unlink_page(slab, &slab->returned, number);
    else if (slab->region != NULL && slab->count < PAGES)
        number = ++slab->count;
    else
        return 0;
    *page_of(slab, number) = (neap_slab_page){ .fresh = 1 };
    link_page(slab, &slab->open, number);
    return number;
}

void *neap_slab_alloc(neap_slab *slab)
{
    uint32_t number = slab->open != 0 ? slab->open : open_page(slab);

    if (number == 0)
        return NULL;
    neap_slab_page *page = page_of(slab, number);
    size_t place = page->free != 0 ? page->free : page->fresh;
    char *block = start_of(slab, number) + (place - 1) * UNIT;
    if (page->free != 0)
        memcpy(&page->free, block, sizeof page->free);
    else
        page->fresh = (uint16_t)(page->fresh + slab->size / UNIT);
    if (++page->used == slab->capacity)
        unlink_page(slab, &slab->open, number);
    return block;
}

void neap_slab_free(neap_slab *slab, void *block)
{
    size_t offset = (size_t)((char *)block - slab->region);
    uint32_t number = (uint32_t)(offset / NEAP_SLAB_PAGE) + 1;
    neap_slab_page *page = page_of(slab, number);

    if (page->used-- == slab->capacity)
        link_page(slab, &slab->open, number);
    memcpy(block, &page->free, sizeof page->free);
    page->free = (uint16_t)(offset % NEAP_SLAB_PAGE / UNIT + 1);
    if (page->used == 0) {
        unlink_page(slab, &slab->open, number);
        madvise(start_of(slab, number), NEAP_SLAB_PAGE, MADV_DONTNEED);
        link_page(slab, &slab->returned, number);
    }
}
