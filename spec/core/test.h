/* spec/core/test.h - what C specs have in common: checks, and tasks in C.
 *
 * A spec is a program: TEST functions called from main by RUN, then REPORT. A
 * task here is a record with a `step` function that the scheduler calls at each
 * turn of it; it parks through the primitive under test, or ends.
 */
#ifndef NEAP_SPEC_TEST_H
#define NEAP_SPEC_TEST_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/sched.h"

static int test_passed, test_failed, test_broken;
static const char *test_name;

#define CHECK(expression)                                                   \
    do {                                                                    \
        if (!(expression)) {                                                \
            printf("%s:%d: %s: %s\n", __FILE__, __LINE__, test_name, #expression); \
            test_broken = 1;                                                \
        }                                                                   \
    } while (0)

#define RUN(test)                                                           \
    do {                                                                    \
        test_name = #test;                                                  \
        test_broken = 0;                                                    \
        test();                                                             \
        if (test_broken) test_failed++; else test_passed++;                 \
    } while (0)

/* The line that the Makefile adds up. */
#define REPORT()                                                            \
    (printf("%d passed, %d failed\n", test_passed, test_failed), test_failed != 0)

/* Memory of this process that is in use. */
static inline long test_resident_kb(void)
{
    long pages = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    CHECK(file != NULL && fscanf(file, "%*d %ld", &pages) == 1);
    fclose(file);
    return pages * (sysconf(_SC_PAGESIZE) / 1024);
}

/* A clock that stands until it is moved. */
typedef struct test_clock {
    neap_clock clock;
    uint64_t   now_ns;
} test_clock;

static inline uint64_t test_clock_now(neap_clock *clock)
{
    return ((test_clock *)(void *)clock)->now_ns;
}

typedef struct test_task test_task;
struct test_task {
    neap_task core;
    /* One turn of the task: park, or return false to end as DONE. */
    bool    (*step)(test_task *task);
    int       turns;        /* how often it has run before */
    int       tag;          /* for the spec */
    void     *data;         /* for the spec */
};

/* The order in which tasks ran: their tags. */
static char   test_trace[256];
static size_t test_traced;

static inline void test_step(neap_task *task)
{
    test_task *it = neap_container(task, test_task, core);

    if (it->tag && test_traced < sizeof test_trace - 1)
        test_trace[test_traced++] = (char)it->tag;
    test_trace[test_traced] = 0;
    if (!it->step(it))
        neap_task_end(task, neap_task_is_cancelled(task) ? NEAP_TASK_CANCELLED : NEAP_TASK_DONE);
    else
        it->turns++;
}

static inline void test_run(neap_sched *sched)
{
    neap_task *task;

    while ((task = neap_sched_take(sched)) != NULL)
        test_step(task);
}

static inline void test_begin(neap_sched *sched, test_clock *clock)
{
    *clock = (test_clock){ .clock = { test_clock_now, test_clock_now }, .now_ns = 1000 };
    test_traced = 0;
    test_trace[0] = 0;
    neap_sched_init(sched, &clock->clock, test_run);
}

static inline void test_spawn(neap_sched *sched, test_task *task, int tag, bool (*step)(test_task *))
{
    memset(task, 0, sizeof *task);
    neap_task_adopt(&task->core, &sched->root, false);
    task->step = step;
    task->tag = tag;
}

/* Turns until nothing is ready; the clock stands. */
static inline void test_settle(neap_sched *sched)
{
    do
        neap_sched_turn(sched);
    while (sched->ready_count > 0);
}

/* The clock jumps from timer to timer until none is left. */
static inline void test_exhaust(neap_sched *sched, test_clock *clock)
{
    uint64_t next_ns;
    test_settle(sched);
    while ((next_ns = neap_sched_next(sched)) != NEAP_NEVER) {
        if (next_ns > clock->now_ns)
            clock->now_ns = next_ns;
        test_settle(sched);
    }
}

#endif
