/* io/setup.h - what a process needs before it makes a loop of libuv's.
 *
 *   memory        where none can be had libuv aborts without a word; now there is one, and
 *                 what makes a list of libuv's grow can lay memory by for it
 *   signals       a reader that is lost is an error of the write, and not a SIGPIPE
 *   threads       libuv's pool has as many as io/job wants
 *   descriptors   where there are too few libuv aborts; now that is an error
 *
 * Errors  NEAP_ENOMEM, NEAP_EMFILE, NEAP_ENFILE.
 * Thread  Any; for the first time before the process has others.
 */
#ifndef NEAP_IO_SETUP_H
#define NEAP_IO_SETUP_H

/* Threads of libuv's pool, for files, which wait more than they work.
 * UV_THREADPOOL_SIZE in the environment says otherwise. */
#define NEAP_SETUP_THREADS 16

/* Before each loop; NEAP_OK, or a code. */
int neap_setup(void);
/* Lay memory by for what libuv cannot do without; NEAP_OK, or NEAP_ENOMEM. */
int neap_setup_lay_by(void);
/* That is done: what is left is given back. */
void neap_setup_done(void);
/* The variable of the environment by which the number of threads was said, or NULL: no
 * business of child processes. */
const char *neap_setup_variable(void);

#endif
