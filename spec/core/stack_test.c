/* stack_test.c - switches between C stacks. */
#include "base/stack.h"

#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test.h"

enum { STACKS = 100 };

static neap_stack first, *stacks[STACKS];
static neap_stack *one;
static int number;

static void count(void *arg)
{
    for (int mine = 0;; mine++) {
        number = number * 10 + *(int *)arg + mine;
        neap_stack_switch(one, &first);
    }
}

static void a_stack_goes_on_where_it_left(void)
{
    int begin = 3;
    one = neap_stack_new(count, &begin);
    CHECK(one != NULL);
    number = 0;
    for (int i = 0; i < 4; i++)
        neap_stack_switch(&first, one);
    CHECK(number == 3456);
    neap_stack_free(one);
}

/* Each adds to all that a call has to keep, and to what lies in its frames. */
static uint64_t mix(uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e, uint64_t f, int depth)
{
    double x = (double)a * 0.5, y = (double)b * 0.25;
    if (depth > 0)
        a += mix(b, c, d, e, f, a, depth - 1);
    else
        neap_stack_switch(stacks[number], &first);
    return a + 3 * b + 5 * c + 7 * d + 11 * e + 13 * f + (uint64_t)(x + y);
}

static uint64_t results[STACKS];

static void compute(void *arg)
{
    uint64_t i = (uint64_t)(uintptr_t)arg;
    for (;;) {
        uint64_t sum = mix(i, i + 1, i + 2, i + 3, i + 4, i + 5, 20);
        results[i] = sum;
        neap_stack_switch(stacks[i], &first);
    }
}

static void what_a_call_keeps_is_kept_on_every_stack(void)
{
    for (int i = 0; i < STACKS; i++)
        stacks[i] = neap_stack_new(compute, (void *)(uintptr_t)i);
    for (int round = 0; round < 2; round++)
        for (number = 0; number < STACKS; number++)
            neap_stack_switch(&first, stacks[number]);
    for (int i = 0; i < STACKS; i++) {
        uint64_t before = results[i];
        results[i] = 0;
        number = i;
        neap_stack_switch(&first, stacks[i]);
        neap_stack_switch(&first, stacks[i]);
        CHECK(before != 0 && results[i] == before && (i == 0 || before > results[i - 1]));
        neap_stack_free(stacks[i]);
    }
}

static jmp_buf target;

static void land(int depth)
{
    longjmp(target, 1 + depth);
}

static void jump(int depth)
{
    (depth > 1 ? jump : land)(depth - 1);
    number = -1;
}

static void fail(void *arg)
{
    (void)arg;
    for (;;) {
        if (setjmp(target) == 0)
            jump(50);
        number++;
        neap_stack_switch(one, &first);
    }
}

static void errors_jump_on_their_own_stack(void)
{
    one = neap_stack_new(fail, NULL);
    number = 0;
    neap_stack_switch(&first, one);
    if (setjmp(target) == 0)
        jump(50);
    neap_stack_switch(&first, one);
    CHECK(number == 2);
    neap_stack_free(one);
}

static unsigned descend(unsigned depth)
{
    volatile char frame[1024];
    frame[0] = (char)depth;
    return depth == 0 ? 0 : descend(depth - 1) + (unsigned)frame[0];
}

static void overrun(void *arg)
{
    number += (int)descend((unsigned)(uintptr_t)arg);
    abort();
}

static void an_overrun_is_a_segmentation_fault(void)
{
    int status = 0;
    pid_t child = fork();
    if (child == 0) {
        signal(SIGSEGV, SIG_DFL);
        freopen("/dev/null", "w", stderr);      /* of a sanitizer */
        one = neap_stack_new(overrun, (void *)(uintptr_t)NEAP_STACK_SIZE);
        neap_stack_switch(&first, one);
        _exit(0);
    }
    CHECK(waitpid(child, &status, 0) == child);
    CHECK(status != 0 && !(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT));
}

static void go_deep(void *arg)
{
    for (;;) {
        descend((unsigned)(uintptr_t)arg);
        number++;
        neap_stack_switch(one, &first);
    }
}

static void what_deep_calls_took_is_given_back(void)
{
    one = neap_stack_new(go_deep, (void *)(uintptr_t)4096);
    number = 0;
    long before_kb = test_resident_kb();
    neap_stack_switch(&first, one);
    long deep_kb = test_resident_kb();
    neap_stack_trim(one);
    long after_kb = test_resident_kb();
    CHECK(deep_kb - before_kb > 3000 && after_kb - before_kb < 1500);
    neap_stack_switch(&first, one);
    CHECK(number == 2);
    neap_stack_free(one);
}

int main(void)
{
    RUN(a_stack_goes_on_where_it_left);
    RUN(what_a_call_keeps_is_kept_on_every_stack);
    RUN(errors_jump_on_their_own_stack);
    RUN(an_overrun_is_a_segmentation_fault);
    RUN(what_deep_calls_took_is_given_back);
    return REPORT();
}
