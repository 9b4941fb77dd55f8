/* What a task holds: counted exactly while it is little, found newest first. */
#include "core/held.h"
#include "test.h"

static neap_sched sched;
static test_clock test_time;
static neap_task  tasks[NEAP_SCHED_HELD + 1];
static neap_held  held[NEAP_HELD_MANY + 3];

static void take_back(neap_held *record)
{
    neap_held_remove(record);
}

static const neap_held_class CLASS = { .what = "thing", .take_back = take_back };

/* The first and the last task share a list. */
static neap_task *const first = &tasks[0], *const last = &tasks[NEAP_SCHED_HELD];

static void begin(void)
{
    test_begin(&sched, &test_time);
    for (int i = 0; i <= NEAP_SCHED_HELD; i++)
        neap_task_adopt(&tasks[i], &sched.root, true);
    for (int i = 0; i < NEAP_HELD_MANY + 3; i++)
        neap_held_init(&held[i], &CLASS);
}

static void a_task_finds_its_own_newest_first(void)
{
    begin();
    neap_held_add(&held[0], first);
    neap_held_add(&held[1], last);
    neap_held_add(&held[2], first);
    neap_held_add(&held[3], &tasks[1]);
    CHECK(neap_held_newest(first, NULL) == &held[2]);
    CHECK(neap_held_newest(first, &held[2]) == &held[0]);
    CHECK(neap_held_newest(first, &held[0]) == NULL);
    CHECK(neap_held_newest(last, NULL) == &held[1] && held[1].task == last);
    CHECK(neap_held_newest(&tasks[2], NULL) == NULL);
    neap_sched_deinit(&sched);
}

static void who_gave_all_back_holds_nothing(void)
{
    begin();
    for (int i = 0; i < NEAP_HELD_MANY - 1; i++)
        neap_held_add(&held[i], first);
    for (int i = 0; i < NEAP_HELD_MANY - 1; i++)
        neap_held_remove(&held[i]);
    CHECK(first->held == 0 && neap_held_newest(first, NULL) == NULL);
    neap_held_add(&held[0], last);
    CHECK(held[0].task == last && last->held == 1);
    neap_sched_deinit(&sched);
}

static void who_holds_many_is_asked_to_the_last(void)
{
    begin();
    for (int i = 0; i < NEAP_HELD_MANY + 3; i++)
        neap_held_add(&held[i], first);
    for (int i = NEAP_HELD_MANY + 2; i >= 0; i--) {
        CHECK(neap_held_newest(first, NULL) == &held[i]);
        held[i].class->take_back(&held[i]);
    }
    CHECK(neap_held_newest(first, NULL) == NULL);
    neap_sched_deinit(&sched);
}

static void what_is_forgotten_is_out_of_the_list(void)
{
    begin();
    neap_held_add(&held[0], first);
    neap_held_add(&held[1], first);
    neap_held_forget(&held[1]);
    memset(&held[1], 0xff, sizeof held[1]);
    CHECK(neap_held_newest(first, NULL) == &held[0]);
    neap_sched_deinit(&sched);
}

int main(void)
{
    RUN(a_task_finds_its_own_newest_first);
    RUN(who_gave_all_back_holds_nothing);
    RUN(who_holds_many_is_asked_to_the_last);
    RUN(what_is_forgotten_is_out_of_the_list);
    return REPORT();
}
