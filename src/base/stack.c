#include "base/stack.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/mem.h"

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/common_interface_defs.h>
#elif defined(__SANITIZE_THREAD__)
#include <sanitizer/tsan_interface.h>
#endif

enum { GUARD = 1 << 16 };       /* a page, whatever their size is */

/* Push the registers that a call keeps, note the top, and pop those of the other
 * stack. A new stack begins in neap_stack_begin, which calls the function in one of
 * them with the argument in another. */
void neap_stack_swap(void **from, void *to);
void neap_stack_begin(void);

#if defined(__x86_64__) && !defined(__ILP32__)

/* System V ABI, AMD64 supplement, 3.2.1: rbx, rbp, r12 to r15. */
enum { ARG = 2, RUN = 3, BEGIN = 6, PUSHED = 9 };     /* 16 bytes are left by then */
__asm__(".text\n"
        ".globl neap_stack_swap\n.hidden neap_stack_swap\n.type neap_stack_swap, @function\n"
        "neap_stack_swap:\n"
        "    pushq %rbp\n    pushq %rbx\n    pushq %r12\n    pushq %r13\n"
        "    pushq %r14\n    pushq %r15\n"
        "    movq %rsp, (%rdi)\n"
        "    movq %rsi, %rsp\n"
        "    popq %r15\n    popq %r14\n    popq %r13\n    popq %r12\n"
        "    popq %rbx\n    popq %rbp\n"
        "    ret\n"
        ".size neap_stack_swap, . - neap_stack_swap\n"
        ".globl neap_stack_begin\n.hidden neap_stack_begin\n.type neap_stack_begin, @function\n"
        "neap_stack_begin:\n"
        "    movq %r13, %rdi\n"
        "    call *%r12\n"
        "    ud2\n"
        ".size neap_stack_begin, . - neap_stack_begin\n");

#elif defined(__aarch64__)

/* Procedure Call Standard for the Arm 64-bit Architecture, 6.1: x19 to x30, d8 to d15. */
enum { ARG = 0, RUN = 1, BEGIN = 11, PUSHED = 20 };
__asm__(".text\n"
        ".globl neap_stack_swap\n.hidden neap_stack_swap\n.type neap_stack_swap, %function\n"
        "neap_stack_swap:\n"
        "    sub sp, sp, #160\n"
        "    stp x19, x20, [sp]\n    stp x21, x22, [sp, #16]\n    stp x23, x24, [sp, #32]\n"
        "    stp x25, x26, [sp, #48]\n    stp x27, x28, [sp, #64]\n    stp x29, x30, [sp, #80]\n"
        "    stp d8, d9, [sp, #96]\n    stp d10, d11, [sp, #112]\n"
        "    stp d12, d13, [sp, #128]\n    stp d14, d15, [sp, #144]\n"
        "    mov x2, sp\n    str x2, [x0]\n"
        "    mov sp, x1\n"
        "    ldp x19, x20, [sp]\n    ldp x21, x22, [sp, #16]\n    ldp x23, x24, [sp, #32]\n"
        "    ldp x25, x26, [sp, #48]\n    ldp x27, x28, [sp, #64]\n    ldp x29, x30, [sp, #80]\n"
        "    ldp d8, d9, [sp, #96]\n    ldp d10, d11, [sp, #112]\n"
        "    ldp d12, d13, [sp, #128]\n    ldp d14, d15, [sp, #144]\n"
        "    add sp, sp, #160\n"
        "    ret\n"
        ".size neap_stack_swap, . - neap_stack_swap\n"
        ".globl neap_stack_begin\n.hidden neap_stack_begin\n.type neap_stack_begin, %function\n"
        "neap_stack_begin:\n"
        "    mov x0, x19\n"
        "    blr x20\n"
        "    brk #0\n"
        ".size neap_stack_begin, . - neap_stack_begin\n");

#else
#define NEAP_STACK_UNKNOWN
#endif

#ifdef NEAP_STACK_UNKNOWN

neap_stack *neap_stack_new(void (*run)(void *arg), void *arg)
{
    (void)run, (void)arg;
    return NULL;
}

void neap_stack_switch(neap_stack *from, neap_stack *to)
{
    (void)from, (void)to;
    abort();
}

#else

/* What a sanitizer has to hear before and after a switch. */
#if defined(__SANITIZE_ADDRESS__)

static _Thread_local neap_stack *left;

static void say_switch(neap_stack *from, neap_stack *to)
{
    left = from;
    __sanitizer_start_switch_fiber(&from->fiber, to->bottom, to->size);
}

/* `fiber` is NULL on a new stack. */
static void say_switched(void *fiber)
{
    __sanitizer_finish_switch_fiber(fiber, &left->bottom, &left->size);
}

#elif defined(__SANITIZE_THREAD__)

static void say_switch(neap_stack *from, neap_stack *to)
{
    if (from->fiber == NULL)
        from->fiber = __tsan_get_current_fiber();
    if (to->fiber == NULL)
        to->fiber = __tsan_create_fiber(0);
    __tsan_switch_to_fiber(to->fiber, 0);
}

static void say_switched(void *fiber)
{
    (void)fiber;
}

#else

static inline void say_switch(neap_stack *from, neap_stack *to)
{
    (void)from, (void)to;
}

static inline void say_switched(void *fiber)
{
    (void)fiber;
}

#endif

static void begin(void *arg)
{
    neap_stack *stack = arg;

    say_switched(NULL);
    stack->run(stack->arg);
    abort();
}

neap_stack *neap_stack_new(void (*run)(void *arg), void *arg)
{
    neap_stack *stack = neap_mem_try_realloc(NULL, sizeof *stack);
    void (*const first)(void *) = begin;

    if (stack == NULL)
        return NULL;
    char *memory = mmap(NULL, GUARD + NEAP_STACK_SIZE, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
    if (memory == MAP_FAILED || mprotect(memory, GUARD, PROT_NONE) != 0) {
        if (memory != MAP_FAILED)
            munmap(memory, GUARD + NEAP_STACK_SIZE);
        neap_mem_free(stack);
        return NULL;
    }
    *stack = (neap_stack){ .memory = memory, .run = run, .arg = arg,
                           .bottom = memory + GUARD, .size = NEAP_STACK_SIZE };
    /* Not at the same place of each: the frames that all have would share the same few
     * lines of the cache. */
    size_t colour = (uintptr_t)memory / GUARD % 32 * 128;
    void **top = (void **)(void *)(memory + GUARD + NEAP_STACK_SIZE - colour) - PUSHED;
    void (*const start)(void) = neap_stack_begin;
    top[ARG] = stack;
    memcpy(&top[RUN], &first, sizeof first);
    memcpy(&top[BEGIN], &start, sizeof start);
    stack->top = top;
    return stack;
}

void neap_stack_switch(neap_stack *from, neap_stack *to)
{
    say_switch(from, to);
    neap_stack_swap(&from->top, to->top);
    say_switched(from->fiber);
}

#endif

/* What lies deeper than this was touched if anything in its first page is not 0. To look at
 * a page that was not shows a page of zeros, which all share. */
enum { SHALLOW = 1 << 16, PAGE = 1 << 12 };

__attribute__((no_sanitize_address))
void neap_stack_trim(neap_stack *stack)
{
    char *bottom = stack->memory + GUARD;
    size_t size = stack->size - SHALLOW;
    const uintptr_t *page = (const uintptr_t *)(const void *)(bottom + size - PAGE);
    size_t at = 0;

    while (at < PAGE / sizeof *page && page[at] == 0)
        at++;
    if (at < PAGE / sizeof *page)
        madvise(bottom, size, MADV_DONTNEED);
}

void neap_stack_free(neap_stack *stack)
{
    if (stack == NULL)
        return;
#if defined(__SANITIZE_THREAD__)
    if (stack->fiber != NULL)
        __tsan_destroy_fiber(stack->fiber);
#endif
    if (stack->memory != NULL)
        munmap(stack->memory, GUARD + stack->size);
    neap_mem_free(stack);
}
