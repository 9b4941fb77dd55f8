/* spec/core/program.h - tasks whose steps are the letters of a string.
 *
 *   program_spawn(&a, 'a', "LyU")    task a locks, yields, unlocks
 *   program_log                      "aL aU ": what was done, in order
 *
 * A spec says in `program_act` what a letter does. `y` yields; a letter whose
 * wait does not end with NEAP_OK is logged with the code's name and the program
 * goes on behind the next `|`, or ends. As the host does, the end of a task
 * takes back what it still holds.
 */
#ifndef NEAP_SPEC_PROGRAM_H
#define NEAP_SPEC_PROGRAM_H

#include "core/held.h"
#include "test.h"

typedef struct program {
    test_task   task;
    const char *at;         /* the next letter */
    bool        parked;     /* by the letter before */
    neap_scope  cancelled;
    uint32_t    count;      /* the spec's */
    neap_held   held;       /* the spec's */
} program;

/* Do `letter`; true when it is done, false when the task has parked. */
static bool program_act(program *it, char letter);

static neap_sched sched;
static test_clock test_time;
static char       program_log[1024];

static void program_note(const program *it, const char *what)
{
    size_t length = strlen(program_log);
    snprintf(program_log + length, sizeof program_log - length, "%c%s ", it->task.tag, what);
}

static void program_note_letter(const program *it, char letter)
{
    program_note(it, (char[]){ letter, 0 });
}

static void program_end(program *it)
{
    neap_held *held;
    while ((held = neap_held_newest(&it->task.core, NULL)) != NULL) {
        program_note(it, held->class->what);
        held->class->take_back(held);
    }
}

static bool program_step(test_task *task)
{
    program *it = neap_container(task, program, task);

    if (it->parked) {
        int result = task->core.wait.result;
        it->parked = false;
        if (result == NEAP_OK) {
            program_note_letter(it, it->at[-1]);
        } else {
            program_note(it, neap_err_name(result));
            it->at = strchr(it->at, '|') != NULL ? strchr(it->at, '|') + 1 : "";
        }
    }
    while (*it->at != 0 && *it->at != '|') {
        char letter = *it->at++;
        if (letter == 'y') {
            neap_sched_yield(&task->core);
            return true;
        }
        if (!program_act(it, letter)) {
            it->parked = task->core.state == NEAP_TASK_WAITING;
            return true;
        }
        program_note_letter(it, letter);
    }
    program_end(it);
    return false;
}

static void program_begin(void)
{
    test_begin(&sched, &test_time);
    program_log[0] = 0;
}

static void program_spawn(program *it, char tag, const char *letters)
{
    memset(it, 0, sizeof *it);
    test_spawn(&sched, &it->task, tag, program_step);
    it->at = letters;
}

static void program_cancel(program *it)
{
    neap_scope_wrap_task(&it->cancelled, &it->task.core);
    neap_scope_cancel(&it->cancelled, NEAP_CANCEL_CANCELLED, 0);
}

/* Run until nothing is ready; true if that did `log` and nothing else. */
static bool program_did(const char *log)
{
    test_settle(&sched);
    bool same = strcmp(program_log, log) == 0;
    if (!same)
        printf("    did      %s\n    expected %s\n", program_log, log);
    program_log[0] = 0;
    return same;
}

#endif
