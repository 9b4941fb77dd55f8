#include "io/slice.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "io/thread.h"

/* Its default is to be ignored, so that one which comes late does no harm. */
enum { SIGNAL = SIGURG, LOOK_NS = 10000000, IDLE_LOOKS = 100 };

#define UNKNOWN UINT64_MAX

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t  work = PTHREAD_COND_INITIALIZER;
static neap_link       slices = { &slices, &slices };
static bool            running;
static _Atomic bool    asleep;

static _Thread_local neap_slice *own;

static void on_signal(int number)
{
    int saved = errno;

    (void)number;
    if (own != NULL && atomic_load_explicit(&own->number, memory_order_relaxed) != 0)
        own->on_overrun(own);
    errno = saved;
}

static uint64_t read_number(const char *digit)
{
    uint64_t number = 0;

    for (; *digit >= '0' && *digit <= '9'; digit++)
        number = number * 10 + (uint64_t)(*digit - '0');
    return number;
}

/* How long the thread has waited for a processor in all its life: the second number of
 * "294282 128753 2". Runs in a signal handler, too. */
static uint64_t total_waited_ns(const neap_slice *slice)
{
    char text[64];
    ssize_t size = slice->statistics < 0 ? 0 : pread(slice->statistics, text, sizeof text - 1, 0);

    text[size > 0 ? size : 0] = '\0';
    const char *blank = strchr(text, ' ');
    return blank == NULL ? 0 : read_number(blank + 1);
}

/* How often the thread has slept in all its life, by its status; UNKNOWN if it is asleep. Runs in
 * a signal handler, too. */
static uint64_t total_sleeps(const neap_slice *slice)
{
    static const char awake[] = "\nState:\tR", name[] = "\nvoluntary_ctxt_switches:\t";
    char text[4096];
    ssize_t size = slice->status < 0 ? 0 : pread(slice->status, text, sizeof text - 1, 0);

    text[size > 0 ? size : 0] = '\0';
    const char *line = strstr(text, name);
    if (strstr(text, awake) == NULL || line == NULL)
        return UNKNOWN;
    return read_number(line + sizeof name - 1);
}

static uint64_t total_computed_ns(const neap_slice *slice)
{
    struct timespec at = { 0 };
    clockid_t clock;

    pthread_getcpuclockid(slice->thread, &clock);       /* which lives: it does not fail */
    clock_gettime(clock, &at);
    return (uint64_t)at.tv_sec * 1000000000 + (uint64_t)at.tv_nsec;
}

/* True if the slice does something. */
static bool look(neap_slice *slice, uint64_t now_ns)
{
    uint64_t number = atomic_load_explicit(&slice->number, memory_order_relaxed);

    if (number != slice->seen) {
        slice->seen = number;
        if (number != 0) {
            atomic_store(&slice->waited_ns, total_waited_ns(slice));
            atomic_store(&slice->computed_ns, total_computed_ns(slice));
            atomic_store(&slice->sleeps, total_sleeps(slice));
        }
        /* Last: what is computed in between counts for the slice. */
        atomic_store(&slice->since_ns, neap_clock_now(&neap_clock_system));
    } else if (number != 0 && now_ns - atomic_load(&slice->since_ns) > NEAP_SLICE_LIMIT_NS) {
        pthread_kill(slice->thread, SIGNAL);
    }
    return number != 0;
}

static void *watch(void *arg)
{
    int idle = 0;

    (void)arg;
    pthread_mutex_lock(&lock);
    while (neap_link_linked(&slices)) {
        bool busy = false;
        uint64_t now_ns = neap_clock_now(&neap_clock_system);
        for (neap_link *at = slices.next; at != &slices; at = at->next)
            busy |= look(neap_container(at, neap_slice, link), now_ns);
        idle = busy ? 0 : idle + 1;
        if (idle > IDLE_LOOKS) {
            idle = 0;
            atomic_store(&asleep, true);
            /* A turn that began before it could see `asleep` is seen here. */
            busy = false;
            for (neap_link *at = slices.next; at != &slices; at = at->next)
                busy |= atomic_load(&neap_container(at, neap_slice, link)->number) != 0;
            while (!busy && atomic_load(&asleep))
                pthread_cond_wait(&work, &lock);
            atomic_store(&asleep, false);
        } else {
            struct timespec pause = { .tv_nsec = LOOK_NS };
            pthread_mutex_unlock(&lock);
            nanosleep(&pause, NULL);
            pthread_mutex_lock(&lock);
        }
    }
    running = false;
    pthread_mutex_unlock(&lock);
    return NULL;
}

static int start_watcher(void)
{
    struct sigaction action = { .sa_handler = on_signal, .sa_flags = SA_RESTART };

    sigaction(SIGNAL, &action, NULL);
    return neap_thread_start(NULL, watch, NULL);
}

int neap_slice_open(neap_slice *slice, void (*on_overrun)(neap_slice *slice))
{
    int status = NEAP_OK;
    sigset_t signals;

    *slice = (neap_slice){ .thread = pthread_self(), .on_overrun = on_overrun };
    slice->statistics = open("/proc/thread-self/schedstat", O_RDONLY | O_CLOEXEC);
    slice->status = open("/proc/thread-self/status", O_RDONLY | O_CLOEXEC);
    own = slice;
    sigemptyset(&signals);
    sigaddset(&signals, SIGNAL);
    pthread_sigmask(SIG_UNBLOCK, &signals, NULL);
    pthread_mutex_lock(&lock);
    neap_link_append(&slices, &slice->link);
    if (!running)
        status = start_watcher();
    running = status == NEAP_OK;
    pthread_mutex_unlock(&lock);
    return status;
}

void neap_slice_close(neap_slice *slice)
{
    pthread_mutex_lock(&lock);
    neap_link_remove(&slice->link);
    own = NULL;
    atomic_store(&asleep, false);
    pthread_cond_signal(&work);
    pthread_mutex_unlock(&lock);
    if (slice->statistics >= 0)
        close(slice->statistics);
    if (slice->status >= 0)
        close(slice->status);
}

static uint64_t took_ns(const neap_slice *slice)
{
    return neap_clock_now(&neap_clock_system) - atomic_load(&slice->since_ns);
}

static uint64_t difference(uint64_t more, uint64_t less)
{
    return more > less ? more - less : 0;
}

uint64_t neap_slice_waited_ns(neap_slice *slice)
{
    uint64_t sleeps = total_sleeps(slice);

    if (sleeps == UNKNOWN || sleeps != atomic_load(&slice->sleeps))
        return difference(total_waited_ns(slice), atomic_load(&slice->waited_ns));
    uint64_t computed_ns = difference(total_computed_ns(slice), atomic_load(&slice->computed_ns));
    return difference(took_ns(slice), computed_ns);
}

uint64_t neap_slice_held_ns(neap_slice *slice)
{
    return difference(took_ns(slice), neap_slice_waited_ns(slice));
}

void neap_slice_wake(neap_slice *slice)
{
    atomic_store(&slice->number, ++slice->begun);
    if (!atomic_load(&asleep))
        return;
    pthread_mutex_lock(&lock);
    atomic_store(&asleep, false);
    pthread_cond_signal(&work);
    pthread_mutex_unlock(&lock);
}
