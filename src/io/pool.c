#include "io/pool.h"

#include <assert.h>
#include <stdio.h>
#include <time.h>

#include <uv.h>

#include "base/clock.h"

enum { QUEUED, RUNNING, DONE };

/* A dropped job that goes on for so long will hardly end by itself; so long is a
 * thread waited for at the end. */
enum { PATIENCE_NS = 1000000000 };

void neap_pool_unpark(neap_node *node, void *job)
{
    (void)node;
    ((neap_pool_job *)job)->waiter = NULL;
}

/* --- threads; pool->lock is held unless said otherwise ------------------------------- */

static void finish(neap_pool *pool, neap_pool_job *job)
{
    neap_link_remove(&job->link);
    if (job->dropped_ns != 0) {
        pool->reported = false;
        pthread_mutex_unlock(&pool->lock);
        job->free_job(job);
        pthread_mutex_lock(&pool->lock);
        return;
    }
    job->state = DONE;
    neap_loop_post(job->loop, &job->post);      /* under the lock: its owner may drop it */
}

static void work_off(neap_pool *pool, void **state)
{
    while (neap_link_linked(&pool->queue)) {
        neap_pool_job *job = neap_container(pool->queue.next, neap_pool_job, link);
        neap_link_remove(&job->link);
        neap_link_append(&pool->running, &job->link);
        pool->queued--;
        job->state = RUNNING;
        pthread_mutex_unlock(&pool->lock);
        if (*state == NULL)     /* there was no memory for it before */
            *state = pool->open();
        job->run(job, *state);
        pthread_mutex_lock(&pool->lock);
        finish(pool, job);
    }
}

static void *serve(void *arg)
{
    neap_pool *pool = arg;
    void *state = pool->open();

    pthread_mutex_lock(&pool->lock);
    pool->idle--;
    for (;;) {
        work_off(pool, &state);
        if (pool->stopping)
            break;
        pthread_mutex_unlock(&pool->lock);
        pool->rest(state);
        pthread_mutex_lock(&pool->lock);
        pool->idle++;
        while (!neap_link_linked(&pool->queue) && !pool->stopping)
            pthread_cond_wait(&pool->work, &pool->lock);
        pool->idle--;
    }
    pthread_mutex_unlock(&pool->lock);
    pool->close(state);
    pthread_mutex_lock(&pool->lock);
    pool->threads--;
    pthread_cond_signal(&pool->ended);
    pthread_mutex_unlock(&pool->lock);
    return NULL;
}

/* Until it looks at the queue a new thread counts as idle. */
static int start_thread(neap_pool *pool)
{
    if (neap_thread_start(NULL, serve, pool) != NEAP_OK)
        return pool->threads > 0 ? NEAP_OK : NEAP_ENOMEM;
    pool->threads++;
    pool->idle++;
    return NEAP_OK;
}

/* Nothing is silently stuck: say so when no thread is left for a job. */
static void report_kept(neap_pool *pool)
{
    uint64_t now_ns = neap_clock_now(&neap_clock_system);
    uint32_t kept = 0;

    for (neap_link *at = pool->running.next; at != &pool->running; at = at->next) {
        uint64_t since_ns = neap_container(at, neap_pool_job, link)->dropped_ns;
        kept += since_ns != 0 && now_ns - since_ns > PATIENCE_NS;
    }
    if (kept < pool->limit || pool->reported)
        return;
    pool->reported = true;
    fprintf(stderr, "neap: %s: all %u threads are kept by cancelled calls of C functions that "
            "have not returned; %u wait\n", pool->waits.what, pool->limit, pool->queued);
}

/* --- the loop's side ------------------------------------------------------------------- */

static void uncount(neap_pool_job *job)
{
    if (job->counted)
        neap_loop_pending(job->loop, -1);
    job->counted = false;
}

static void on_done(neap_post *post)
{
    neap_pool_job *job = neap_container(post, neap_pool_job, post);

    uncount(job);
    if (job->waiter != NULL)
        neap_wait_end(job->waiter, 0, NEAP_OK);
}

uint32_t neap_pool_cores(void)
{
    return (uint32_t)uv_available_parallelism();
}

void neap_pool_enter(neap_pool *pool, uint32_t limit)
{
    pthread_mutex_lock(&pool->lock);
    pool->users++;
    pool->stopping = false;
    if (pool->limit == 0)
        pool->limit = limit;
    pthread_mutex_unlock(&pool->lock);
}

void neap_pool_leave(neap_pool *pool)
{
    struct timespec until;

    pthread_mutex_lock(&pool->lock);
    if (--pool->users == 0) {
        pool->stopping = true;
        pthread_cond_broadcast(&pool->work);
        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_sec += PATIENCE_NS / NEAP_SECOND_NS;
        while (pool->threads > 0 && pool->stopping &&
               pthread_cond_timedwait(&pool->ended, &pool->lock, &until) == 0)
            ;
    }
    pthread_mutex_unlock(&pool->lock);
}

void neap_pool_look(neap_pool *pool, neap_pool_stats *stats)
{
    *stats = (neap_pool_stats){ 0 };
    pthread_mutex_lock(&pool->lock);
    stats->limit = pool->limit;
    stats->threads = pool->threads;
    stats->queued = pool->queued;
    for (neap_link *at = pool->running.next; at != &pool->running; at = at->next) {
        stats->busy++;
        stats->kept += neap_container(at, neap_pool_job, link)->dropped_ns != 0;
    }
    pthread_mutex_unlock(&pool->lock);
}

int neap_pool_submit(neap_pool *pool, neap_loop *loop, neap_pool_job *job)
{
    int status = NEAP_OK;

    assert(job->pool == NULL);
    neap_post_init(&job->post, on_done);
    job->loop = loop;
    pthread_mutex_lock(&pool->lock);
    if (pool->queued >= pool->idle && pool->threads < pool->limit)
        status = start_thread(pool);
    if (status == NEAP_OK) {
        neap_link_append(&pool->queue, &job->link);
        pool->queued++;
        job->state = QUEUED;
        pthread_cond_signal(&pool->work);
        report_kept(pool);
    }
    pthread_mutex_unlock(&pool->lock);
    if (status != NEAP_OK)
        return status;
    job->pool = pool;
    job->counted = true;
    neap_loop_pending(loop, 1);
    return NEAP_OK;
}

void neap_pool_park(neap_pool_job *job, neap_task *task)
{
    neap_wait_park(task, &job->pool->waits, job);
    job->waiter = task;
}

void neap_pool_drop(neap_pool_job *job)
{
    neap_pool *pool = job->pool;

    if (pool == NULL) {
        job->free_job(job);
        return;
    }
    uncount(job);
    pthread_mutex_lock(&pool->lock);
    bool runs = job->state == RUNNING;
    if (job->state == QUEUED) {
        neap_link_remove(&job->link);
        pool->queued--;
        report_kept(pool);
    } else if (runs) {
        job->dropped_ns = neap_clock_now(&neap_clock_system);
        atomic_store(&job->revoked, true);
    } else {
        neap_loop_unpost(job->loop, &job->post);
    }
    pthread_mutex_unlock(&pool->lock);
    if (!runs)
        job->free_job(job);
}
