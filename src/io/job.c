#include "io/job.h"

#include <assert.h>
#include <stdatomic.h>

#include "base/err.h"
#include "base/mem.h"
#include "io/thread.h"
#include "io/uvloop.h"

static void on_run(uv_work_t *request)
{
    neap_job *job = request->data;
    job->run(job);
}

/* `status` is an error if it never ran. */
static void on_done(uv_work_t *request, int status)
{
    neap_job *job = request->data;
    neap_task *waiter = job->waiter;

    (void)status;
    job->request = NULL;
    neap_mem_free(request);
    neap_loop_pending(job->loop, -1);
    if (job->dropped) {
        job->free(job);
        return;
    }
    job->waiter = NULL;
    if (job->done != NULL)
        job->done(job);
    if (waiter != NULL)
        neap_wait_end(waiter, 0, NEAP_OK);
}

static void queue(void *arg)
{
    neap_job *job = arg;
    int status = uv_queue_work(&job->loop->uv, job->request, on_run, on_done);

    assert(status == 0 && "it fails without a callback only");
    (void)status;
}

int neap_job_start(neap_job *job, neap_loop *loop)
{
    static atomic_bool started;
    uv_work_t *request = neap_mem_try_realloc(NULL, sizeof *request);

    assert(job->request == NULL);
    if (request == NULL)
        return NEAP_ENOMEM;
    request->data = job;
    job->request = request;
    job->loop = loop;
    if (atomic_load(&started)) {
        queue(job);
    } else {
        neap_thread_unsignalled(queue, job);    /* libuv starts its threads */
        atomic_store(&started, true);
    }
    neap_loop_pending(loop, +1);
    return NEAP_OK;
}

void neap_job_park(neap_job *job, const neap_wait_class *class, neap_task *task)
{
    assert(job->request != NULL && job->waiter == NULL);
    neap_wait_park(task, class, job);
    neap_link_init(&task->wait.node.link);      /* it stands in no queue of ours */
    job->waiter = task;
}

void neap_job_cancel(neap_task *task)
{
    neap_job *job = task->wait.object;

    job->waiter = NULL;
    uv_cancel(job->request);
    neap_wait_end(task, 0, NEAP_ECANCELLED);
}

void neap_job_drop(neap_job *job)
{
    assert(!job->dropped);
    job->waiter = NULL;         /* at the end of the host its task may still wait */
    if (job->request == NULL) {
        job->free(job);
        return;
    }
    job->dropped = true;
    uv_cancel(job->request);
}
