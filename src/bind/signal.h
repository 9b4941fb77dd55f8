/* bind/signal.h - how a host ends, and what it does about signals. */
#ifndef NEAP_BIND_SIGNAL_H
#define NEAP_BIND_SIGNAL_H

#include "bind/host.h"

/* Act on what io/signal has noted. Between tasks, or inside a slice that overran. */
void neap_bind_signalled(neap_host *host);

#endif
