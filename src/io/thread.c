#include "io/thread.h"

#include <signal.h>
#include <stddef.h>

#include "base/err.h"

/* A thread inherits the mask: there is no instant at which it could take a signal. */
static void mask(sigset_t *before)
{
    sigset_t all;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, before);
}

void neap_thread_unsignalled(void (*start)(void *arg), void *arg)
{
    sigset_t before;

    mask(&before);
    start(arg);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

int neap_thread_start(pthread_t *thread, void *(*run)(void *arg), void *arg)
{
    pthread_attr_t attributes;
    pthread_t unnamed;
    sigset_t before;

    mask(&before);
    pthread_attr_init(&attributes);
    if (thread == NULL)
        pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    int status = pthread_create(thread != NULL ? thread : &unnamed, &attributes, run, arg);
    pthread_attr_destroy(&attributes);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return status == 0 ? NEAP_OK : NEAP_ENOMEM;
}
