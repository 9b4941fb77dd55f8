/* bind/slice.h - slices as the host sees them. */
#ifndef NEAP_BIND_SLICE_H
#define NEAP_BIND_SLICE_H

#include "bind/bind.h"

/* Begin to watch; NEAP_ENOMEM without a thread. */
int neap_bind_slice_open(neap_host *host);
/* The running slice has not been too long so far. */
void neap_bind_slice_forget(neap_host *host);
/* The slice that has just ended was longer than the limit: report it. */
void neap_bind_slice_over(neap_host *host, uint64_t ticks);

#endif
