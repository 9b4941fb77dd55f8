#include "io/job.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/err.h"
#include "base/mem.h"
#include "io/uvloop.h"

#define POOL_VARIABLE "UV_THREADPOOL_SIZE"

static bool pool_is_ours;

static void on_run(uv_work_t *request)
{
    neap_job *job = request->data;
    job->run(job);
}

/* `status` is an error if it never ran. */
static void on_done(uv_work_t *request, int status)
{
    neap_job *job = request->data;
    neap_wait *wait = job->wait;

    (void)status;
    job->request = NULL;
    neap_mem_free(request);
    neap_loop_pending(job->loop, -1);
    if (job->dropped) {
        job->free(job);
        return;
    }
    job->wait = NULL;
    if (job->done != NULL)
        job->done(job);
    if (wait != NULL)
        neap_wait_end(wait, 0, NEAP_OK);
}

int neap_job_start(neap_job *job, neap_loop *loop)
{
    uv_work_t *request = neap_mem_try_realloc(NULL, sizeof *request);

    assert(job->request == NULL);
    if (request == NULL)
        return NEAP_ENOMEM;
    request->data = job;
    job->request = request;
    job->loop = loop;
    int status = uv_queue_work(&loop->uv, request, on_run, on_done);
    assert(status == 0 && "it fails without a callback only");
    (void)status;
    neap_loop_pending(loop, +1);
    return NEAP_OK;
}

void neap_job_park(neap_job *job, const neap_wait_class *class, neap_task *task)
{
    assert(job->request != NULL && job->wait == NULL);
    neap_wait_park(&task->wait, class, job, task);
    neap_link_init(&task->wait.node.link);      /* it stands in no queue of ours */
    job->wait = &task->wait;
}

void neap_job_cancel(neap_wait *wait)
{
    neap_job *job = wait->object;

    job->wait = NULL;
    uv_cancel(job->request);
    neap_wait_end(wait, 0, NEAP_ECANCELLED);
}

void neap_job_drop(neap_job *job)
{
    assert(!job->dropped);
    job->wait = NULL;           /* at the end of the host its task may still wait */
    if (job->request == NULL) {
        job->free(job);
        return;
    }
    job->dropped = true;
    uv_cancel(job->request);
}

void neap_job_size_pool(void)
{
    char threads[16];

    if (getenv(POOL_VARIABLE) != NULL)
        return;
    snprintf(threads, sizeof threads, "%d", NEAP_JOB_THREADS);
    setenv(POOL_VARIABLE, threads, 1);
    pool_is_ours = true;
}

const char *neap_job_pool_variable(void)
{
    return pool_is_ours ? POOL_VARIABLE : NULL;
}
