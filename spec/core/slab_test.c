/* slab_test.c - blocks of one size. */
#include "base/slab.h"

#include <stdint.h>

#include "base/random.h"
#include "test.h"

enum { SIZE = 168, MANY = 20000 };

static neap_slab slab;
static unsigned char *blocks[MANY];

/* Where there is no region, the caller's own memory does. */
static unsigned char *get(void)
{
    unsigned char *block = neap_slab_alloc(&slab);
    return block != NULL ? block : malloc(SIZE);
}

static void put(unsigned char *block)
{
    if (neap_slab_owns(&slab, block))
        neap_slab_free(&slab, block);
    else
        free(block);
}

static void blocks_do_not_overlap_in_whatever_order_they_come_and_go(void)
{
    neap_random random;
    neap_random_seed(&random, 1);
    neap_slab_init(&slab, SIZE);
    for (int step = 0; step < 40 * MANY; step++) {
        size_t i = neap_random_below(&random, MANY);
        if (blocks[i] == NULL) {
            blocks[i] = get();
            memset(blocks[i], (int)(i & 0xFF), SIZE);
        } else {
            for (int at = 0; at < SIZE; at += SIZE - 1)
                CHECK(blocks[i][at] == (i & 0xFF));
            put(blocks[i]);
            blocks[i] = NULL;
        }
    }
    for (size_t i = 0; i < MANY; i++) {
        if (blocks[i] != NULL)
            put(blocks[i]);
        blocks[i] = NULL;
    }
    neap_slab_deinit(&slab);
}

static void they_lie_side_by_side(void)
{
    neap_slab_init(&slab, SIZE);
    unsigned char *a = get(), *b = get();
    CHECK(!neap_slab_owns(&slab, a) || b == a + SIZE);
    CHECK(neap_slab_owns(&slab, a) == neap_slab_owns(&slab, b));
    int here = 0;
    CHECK(!neap_slab_owns(&slab, &here) && !neap_slab_owns(&slab, NULL));
    put(b);
    CHECK(slab.region == NULL || neap_slab_alloc(&slab) == b);
    if (slab.region != NULL)
        put(b);
    put(a);
    neap_slab_deinit(&slab);
}

/* Each 400th stays, one in a page: nothing can be given back. Then nothing stays. */
static void empty_pages_are_given_back(void)
{
    neap_slab_init(&slab, SIZE);
    if (slab.region == NULL)
        return;
    long before_kb = test_resident_kb();
    for (int i = 0; i < MANY; i++)
        memset(blocks[i] = get(), 1, SIZE);
    CHECK(test_resident_kb() - before_kb > MANY * SIZE / 1024);
    for (int i = 0; i < MANY; i++)
        if (i % 390 != 0)
            put(blocks[i]);
    CHECK(slab.returned == 0 && slab.open != 0);
    for (int i = 0; i < MANY; i += 390)
        put(blocks[i]);
    CHECK(slab.returned != 0 && slab.open == 0);
    CHECK(test_resident_kb() - before_kb < 400);
    for (int i = 0; i < MANY; i++)
        memset(blocks[i] = get(), 2, SIZE);
    CHECK(slab.count == (MANY + 389) / 390);
    neap_slab_deinit(&slab);
}

static void without_addresses_there_are_no_blocks(void)
{
    neap_slab none = { 0 };
    CHECK(neap_slab_alloc(&none) == NULL && !neap_slab_owns(&none, &none));
    neap_slab_init(&slab, NEAP_SLAB_PAGE);
    size_t count = 0;
    for (void *block; (block = neap_slab_alloc(&slab)) != NULL; count++)
        CHECK(neap_slab_owns(&slab, block));
    CHECK(slab.region == NULL || count == NEAP_SLAB_REGION / NEAP_SLAB_PAGE);
    neap_slab_deinit(&slab);
}

int main(void)
{
    RUN(blocks_do_not_overlap_in_whatever_order_they_come_and_go);
    RUN(they_lie_side_by_side);
    RUN(empty_pages_are_given_back);
    RUN(without_addresses_there_are_no_blocks);
    return REPORT();
}
