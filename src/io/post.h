/* io/post.h - what other threads tell a loop.
 *
 *   any thread    neap_loop_post -> [post][post] -> one uv_async
 *   loop's thread                                   arrive(post), arrive(post)
 *
 * libuv merges wake-ups, so the posts stand in a list that is emptied at each.
 *
 * Order      First posted, first arrived.
 * Ownership  The caller's. A post does not move and is not freed until it has
 *            arrived or been taken back.
 * Errors     None; nothing allocates.
 * Thread     As said; the loop outlives whoever may post to it.
 */
#ifndef NEAP_IO_POST_H
#define NEAP_IO_POST_H

#include "base/list.h"
#include "io/loop.h"

typedef struct neap_post {
    neap_link link;
    void    (*arrive)(struct neap_post *post);  /* on the loop's thread */
} neap_post;

void neap_post_init(neap_post *post, void (*arrive)(neap_post *post));
/* Any thread. Harmless while the post is on its way: it arrives once. */
void neap_loop_post(neap_loop *loop, neap_post *post);
/* The loop's thread: the post, if it is on its way, does not arrive. */
void neap_loop_unpost(neap_loop *loop, neap_post *post);

#endif
