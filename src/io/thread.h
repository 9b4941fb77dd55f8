/* io/thread.h - a thread that leaves the process' signals to the main thread.
 *
 * Errors  NEAP_ENOMEM: no thread is to be had.
 * Thread  Any.
 */
#ifndef NEAP_IO_THREAD_H
#define NEAP_IO_THREAD_H

#include <pthread.h>

/* Call `start(arg)`. The threads that it starts, which are a library's, take no signals either. */
void neap_thread_unsignalled(void (*start)(void *arg), void *arg);
/* Start `run(arg)`. With `thread` NULL nobody joins it. */
int neap_thread_start(pthread_t *thread, void *(*run)(void *arg), void *arg);

#endif
