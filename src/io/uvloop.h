/* io/uvloop.h - the libuv loop inside a neap_loop, for the files of this room. */
#ifndef NEAP_IO_UVLOOP_H
#define NEAP_IO_UVLOOP_H

#include <pthread.h>
#include <uv.h>

#include "io/loop.h"

/* What has to be told that its loop is freed. */
typedef struct neap_loop_end neap_loop_end;
struct neap_loop_end {
    neap_link link;             /* in neap_loop.ends */
    void    (*end)(neap_loop_end *end);     /* takes itself out */
};

struct neap_loop {
    uv_loop_t   uv;
    uv_timer_t  timer;
    uv_async_t  async;
    pthread_mutex_t posts_lock;
    neap_link   posts;      /* from other threads; behind the lock */
    neap_sched *sched;
    void      (*begin_turn)(neap_sched *sched);
    void      (*end_turn)(neap_sched *sched);
    neap_virtual *virtual;
    neap_link   idle;       /* nodes of those who wait until nothing is left to do */
    neap_link   ends;
    int         pending;
    int         live;
    bool        stopped;
};

/* For neap_loop_new: io/post's part. A status of libuv. */
int neap_loop_open_posts(neap_loop *loop);

#endif
