/* base/list.h - intrusive doubly linked ring.
 *
 *   head <-> A <-> B <-> (head)      an empty head points to itself
 *
 * Ownership  The list owns nothing: a link is a field of whatever is listed.
 * Errors     None; nothing allocates.
 * Invariant  A link is in at most one ring; one that is in none points to itself.
 */
#ifndef NEAP_BASE_LIST_H
#define NEAP_BASE_LIST_H

#include <stdbool.h>
#include <stddef.h>

typedef struct neap_link {
    struct neap_link *next;
    struct neap_link *prev;
} neap_link;

/* The struct of type `type` whose field `field` is at `ptr`. */
#define neap_container(ptr, type, field) \
    ((type *)(void *)((char *)(ptr) - offsetof(type, field)))

static inline void neap_link_init(neap_link *link)
{
    link->next = link->prev = link;
}

/* True when `link` is in a ring with others; of a head: the list is not empty. */
static inline bool neap_link_linked(const neap_link *link)
{
    return link->next != link;
}

/* Put `link`, which is in no ring, at the end of `head`. */
static inline void neap_link_append(neap_link *head, neap_link *link)
{
    link->next = head;
    link->prev = head->prev;
    head->prev->next = link;
    head->prev = link;
}

/* Take `link` out of its ring; harmless when it is in none. */
static inline void neap_link_remove(neap_link *link)
{
    link->prev->next = link->next;
    link->next->prev = link->prev;
    neap_link_init(link);
}

#endif
