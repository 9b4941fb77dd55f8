/* io/uverr.h - what libuv and the system answer, as our codes.
 *
 * Thread  Any.
 */
#ifndef NEAP_IO_UVERR_H
#define NEAP_IO_UVERR_H

/* The code of base/err for a libuv status; NEAP_OK for 0 and above. */
int neap_uverr(int status);
/* The same for `errno`, after a call of our own. */
int neap_uverr_errno(void);

#endif
