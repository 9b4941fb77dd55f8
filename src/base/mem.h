/* base/mem.h - where memory comes from, and what happens when there is none.
 *
 * Code that can go on without (because Lua unwinds, or a caller is told) does. What
 * cannot says so in one place: the host prints "neap: out of memory" and exits with
 * status 1.
 *
 * Errors  neap_mem_try_realloc returns NULL and leaves the old block as it was.
 * Thread  Any.
 */
#ifndef NEAP_BASE_MEM_H
#define NEAP_BASE_MEM_H

#include <stddef.h>

void *neap_mem_try_realloc(void *block, size_t size);
void neap_mem_free(void *block);
/* Print "neap: out of memory" and exit with status 1. */
_Noreturn void neap_mem_exhausted(void);

/* Where Lua, libuv and the functions above take memory from: realloc's
 * contract. Set before the first allocation; tests make the n-th call fail. */
extern void *(*neap_mem_source)(void *block, size_t size);

#endif
