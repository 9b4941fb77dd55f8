#include "io/slice.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "io/thread.h"

/* Its default is to be ignored, so that one which comes late does no harm. */
enum { SIGNAL = SIGURG, LOOK_NS = 10000000, IDLE_LOOKS = 100 };

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

/* How long the thread has waited for a processor in all its life: the second number of
 * "294282 128753 2". Runs in a signal handler, too. */
static uint64_t total_waited_ns(const neap_slice *slice)
{
    char text[64];
    ssize_t size = slice->statistics < 0 ? 0 : pread(slice->statistics, text, sizeof text, 0);
    ssize_t i = 0;
    uint64_t ns = 0;

    while (i < size && text[i] != ' ')
        i++;
    while (++i < size && text[i] >= '0' && text[i] <= '9')
        ns = ns * 10 + (uint64_t)(text[i] - '0');
    return ns;
}

/* True if the slice does something. */
static bool look(neap_slice *slice, uint64_t now_ns)
{
    uint64_t number = atomic_load_explicit(&slice->number, memory_order_relaxed);

    if (number != slice->seen) {
        slice->seen = number;
        if (number != 0)
            atomic_store(&slice->waited_ns, total_waited_ns(slice));
        atomic_store(&slice->since_ns, now_ns);
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
}

uint64_t neap_slice_waited_ns(neap_slice *slice)
{
    uint64_t total_ns = total_waited_ns(slice), before_ns = atomic_load(&slice->waited_ns);

    return total_ns > before_ns ? total_ns - before_ns : 0;
}

uint64_t neap_slice_held_ns(neap_slice *slice)
{
    uint64_t took_ns = neap_clock_now(&neap_clock_system) - atomic_load(&slice->since_ns);
    uint64_t waited_ns = neap_slice_waited_ns(slice);

    return took_ns > waited_ns ? took_ns - waited_ns : 0;
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
