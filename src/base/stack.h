/* base/stack.h - C stacks of a thread, which goes from one to another.
 *
 * A switch is a call that returns when somebody switches back: it keeps what the
 * calling convention says a call keeps, and takes a few ns. It does not keep the
 * rounding mode, nor the signal mask as swapcontext does by two system calls.
 *
 * Ownership  neap_stack_new makes it, neap_stack_free ends it; whatever its frames
 *            still held is lost. The first stack of a thread is a neap_stack of zeros.
 * Errors     neap_stack_new returns NULL without memory, and for processors that
 *            this file does not know. Overrunning a stack is a segmentation fault.
 * Thread     The one that runs on it.
 */
#ifndef NEAP_BASE_STACK_H
#define NEAP_BASE_STACK_H

#include <stddef.h>

/* As the first stack of a process usually has: C modules may count on it. Pages that were
 * never touched take no memory. */
#define NEAP_STACK_SIZE ((size_t)8 << 20)

typedef struct neap_stack {
    void  *top;                 /* of what the switch away from it has pushed */
    char  *memory;              /* NULL: the first one of its thread */
    void (*run)(void *arg);
    void  *arg;
    /* What sanitizers want to know: */
    const void *bottom;
    size_t      size;
    void       *fiber;
} neap_stack;

/* A stack on which the first switch calls run(arg), which must not return. */
neap_stack *neap_stack_new(void (*run)(void *arg), void *arg);
void neap_stack_free(neap_stack *stack);
/* Give the memory back that deep calls have taken, on a stack that is not in use now. */
void neap_stack_trim(neap_stack *stack);
/* Leave `from`, on which the caller runs, until a switch to it. */
void neap_stack_switch(neap_stack *from, neap_stack *to);

#endif
