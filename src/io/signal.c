#include "io/signal.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "io/uvloop.h"

enum { STATUS_OF_SIGNAL = 128 };    /* as shells count it */

_Atomic unsigned neap_signal_noted;

/* SIGALRM is the grace's, SIGURG the slices', SIGCHLD libuv's. */
#define SIGNALS(X) X(SIGHUP) X(SIGQUIT) X(SIGUSR2) X(SIGWINCH) X(SIGCONT) X(SIGTSTP)

#define NAME(number) #number,
const char *const neap_signal_names[] = { SIGNALS(NAME) NULL };
#undef NAME

#define NUMBER(number) number,
static const int numbers[] = { SIGNALS(NUMBER) 0 };
#undef NUMBER

static uv_async_t       async;
static neap_loop       *owner;
static _Atomic bool     is_open;        /* async may be sent */
static struct itimerval grace;          /* 0: none */
static _Atomic int      status_of_end;
static _Atomic bool     ending;
static _Atomic bool     grace_over;
static _Atomic bool     prompt;
static _Atomic uint64_t arrived;        /* for receivers */
static neap_link        receivers = { &receivers, &receivers };
static void           (*told)(void *arg);
static void            *told_arg;

static void note(unsigned bit)
{
    atomic_fetch_or(&neap_signal_noted, bit);
}

/* True if nobody reads what the process prints. */
static bool has_lost_reader(void)
{
    struct pollfd outputs[] = { { .fd = STDOUT_FILENO }, { .fd = STDERR_FILENO } };

    return poll(outputs, 2, 0) > 0 && ((outputs[0].revents | outputs[1].revents) & POLLERR);
}

/* False if the end is under way. Also called in a signal handler. */
static bool begin_end(int status)
{
    if (atomic_exchange(&ending, true))
        return false;
    atomic_store(&status_of_end, status);
    setitimer(ITIMER_REAL, &grace, NULL);
    note(NEAP_SIGNAL_END);
    return true;
}

/* Runs in a signal handler: nothing but what may be called there. */
static void handle(int number)
{
    int saved = errno;

    switch (number) {
    case SIGINT:
        if (atomic_load(&prompt)) {
            note(NEAP_SIGNAL_INTERRUPT);
            break;
        }
        /* fall through */
    case SIGTERM:
        if (!begin_end(STATUS_OF_SIGNAL + number))
            _exit(STATUS_OF_SIGNAL + number);
        break;
    case SIGPIPE:
        if (has_lost_reader())
            begin_end(STATUS_OF_SIGNAL + number);
        break;
    case SIGUSR1:
        note(NEAP_SIGNAL_TREE);
        break;
    case SIGALRM:
        if (atomic_exchange(&grace_over, true))
            _exit(atomic_load(&status_of_end));
        note(NEAP_SIGNAL_GRACE);
        break;
    default:
        atomic_fetch_or(&arrived, UINT64_C(1) << number);
    }
    if (atomic_load(&is_open))
        uv_async_send(&async);
    errno = saved;
}

static void catch(int number)
{
    struct sigaction action = { .sa_handler = handle, .sa_flags = SA_RESTART };

    sigaction(number, &action, NULL);
}

static void on_async(uv_async_t *handle_)
{
    uint64_t signals = atomic_exchange(&arrived, 0);

    (void)handle_;
    if (signals != 0) {
        for (neap_link *at = receivers.next; at != &receivers; at = at->next) {
            neap_receiver *receiver = neap_container(at, neap_receiver, link);
            if ((signals & receiver->wanted) == 0)
                continue;
            receiver->arrived |= signals & receiver->wanted;
            receiver->on_arrival(receiver);
        }
    }
    if (told != NULL && atomic_load(&neap_signal_noted) != 0)
        told(told_arg);
}

/* The loop is the one that the handler wakes. */
static int attach(neap_loop *loop)
{
    if (owner != NULL)
        return owner == loop ? NEAP_OK : NEAP_EINVAL;
    if (uv_async_init(&loop->uv, &async, on_async) != 0)
        return NEAP_ENOMEM;
    owner = loop;
    atomic_store(&is_open, true);
    return NEAP_OK;
}

int neap_signal_number(const char *name)
{
    for (int i = 0; neap_signal_names[i] != NULL; i++)
        if (strcmp(name, neap_signal_names[i]) == 0)
            return numbers[i];
    return 0;
}

const char *neap_signal_name(int number)
{
    for (int i = 0; numbers[i] != 0; i++)
        if (numbers[i] == number)
            return neap_signal_names[i];
    return NULL;
}

int neap_signal_open(neap_loop *loop, uint64_t grace_ns, void (*on_signal)(void *arg), void *arg)
{
    int status = attach(loop);

    if (status != NEAP_OK)
        return status;
    told = on_signal;
    told_arg = arg;
    if (grace_ns != NEAP_NEVER) {
        uint64_t grace_us = grace_ns / 1000 > 0 ? grace_ns / 1000 : 1;
        grace.it_value = (struct timeval){ .tv_sec = (time_t)(grace_us / 1000000),
                                           .tv_usec = (suseconds_t)(grace_us % 1000000) };
        grace.it_interval = grace.it_value;
    }
    catch(SIGALRM);
    catch(SIGINT);
    catch(SIGTERM);
    catch(SIGUSR1);
    /* Not ignored: that would pass to the programs that a script starts. */
    catch(SIGPIPE);
    return NEAP_OK;
}

void neap_signal_prompt(void)
{
    atomic_store(&prompt, true);
}

void neap_signal_close(neap_loop *loop)
{
    if (owner == loop)
        atomic_store(&is_open, false);
}

unsigned neap_signal_take(void)
{
    return atomic_exchange(&neap_signal_noted, 0);
}

void neap_signal_end(int status)
{
    if (begin_end(status))
        uv_async_send(&async);
}

int neap_signal_status(void)
{
    return atomic_load(&status_of_end);
}

int neap_receiver_open(neap_receiver *receiver, neap_loop *loop, uint64_t wanted,
                       void (*on_arrival)(neap_receiver *receiver))
{
    int status = attach(loop);

    if (status != NEAP_OK)
        return status;
    receiver->wanted = wanted;
    receiver->arrived = 0;
    receiver->on_arrival = on_arrival;
    neap_link_init(&receiver->link);
    neap_link_append(&receivers, &receiver->link);
    for (int i = 0; numbers[i] != 0; i++)
        if (wanted >> numbers[i] & 1)
            catch(numbers[i]);
    return NEAP_OK;
}

void neap_receiver_close(neap_receiver *receiver)
{
    neap_link_remove(&receiver->link);
}
