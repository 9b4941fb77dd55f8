/* spec/core/file_test.c - replacing a file, with a system that fails at any call. */
#include "test.h"

#include <dirent.h>
#include <errno.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/err.h"
#include "io/file.h"

static char directory[] = "/tmp/neap-file-test-XXXXXX";
static char path[64];

/* The call that fails, counted from 1; 0: none. */
static int calls, failing;
static neap_file_system real;

static bool fails(void)
{
    if (++calls != failing)
        return false;
    errno = ENOSPC;
    return true;
}

static int create_or_fail(const char *name, int flags, mode_t mode)
{
    return fails() ? -1 : real.create(name, flags, mode);
}

/* A byte at a time: every part of a file is met. */
static ssize_t write_or_fail(int fd, const void *bytes, size_t size)
{
    return fails() ? -1 : real.write(fd, bytes, size > 0);
}

static int fsync_or_fail(int fd)
{
    return fails() ? -1 : real.fsync(fd);
}

static int close_or_fail(int fd)
{
    int status = real.close(fd);        /* as Linux: closed all the same */
    return fails() ? -1 : status;
}

static int rename_or_fail(const char *from, const char *to)
{
    return fails() ? -1 : real.rename(from, to);
}

static void begin(void)
{
    real = neap_file_calls;
    neap_file_calls = (neap_file_system){ create_or_fail, write_or_fail, fsync_or_fail,
                                          close_or_fail, rename_or_fail };
}

static void end(void)
{
    neap_file_calls = real;
}

/* Run one act here, without a loop; its result. */
static int act(void (*run)(neap_job *job), const char *data)
{
    neap_file *file = neap_file_new(run, path, data, data ? strlen(data) : 0);

    run(&file->job);
    int result = file->result;
    neap_job_drop(&file->job);
    return result;
}

static bool holds(const char *text)
{
    neap_file *file = neap_file_new(neap_file_read, path, NULL, 0);

    file->max = 100;
    int before = failing;
    failing = 0;
    neap_file_read(&file->job);
    failing = before;
    bool same = file->result == NEAP_OK && file->size == strlen(text) &&
                memcmp(file->data, text, file->size) == 0;
    neap_job_drop(&file->job);
    return same;
}

static int names_in_directory(void)
{
    DIR *open = opendir(directory);
    int count = -2;             /* . and .. */

    while (readdir(open) != NULL)
        count++;
    closedir(open);
    return count;
}

static void a_replace_that_fails_leaves_the_old_bytes_and_nothing_else(void)
{
    int result;

    begin();
    failing = 0;
    CHECK(act(neap_file_write, "old") == NEAP_OK);
    for (failing = 1;; failing++) {
        calls = 0;
        result = act(neap_file_replace, "newer");
        if (calls < failing)
            break;              /* no call was left to fail */
        CHECK(result == NEAP_ENOSPC);
        /* Only the last one, which makes the new name durable, comes too late. */
        if (!holds("old"))
            break;
        CHECK(names_in_directory() == 1);
    }
    CHECK(failing == 1 + 5 + 1 + 1 + 1 + 1);    /* create, write, fsync, close, rename, directory */
    CHECK(result == NEAP_ENOSPC && holds("newer") && names_in_directory() == 1);
    end();
}

static void a_replace_keeps_the_mode_of_the_file(void)
{
    struct stat found;

    CHECK(act(neap_file_write, "old") == NEAP_OK);
    chmod(path, 0640);
    CHECK(act(neap_file_replace, "new") == NEAP_OK);
    CHECK(stat(path, &found) == 0 && (found.st_mode & 07777) == 0640);
}

static void a_symbolic_link_keeps_its_name(void)
{
    char target[80];
    struct stat found;

    snprintf(target, sizeof target, "%s/target", directory);
    unlink(path);
    CHECK(symlink(target, path) == 0);
    CHECK(act(neap_file_write, "old") == NEAP_OK);
    CHECK(act(neap_file_replace, "new") == NEAP_OK);
    CHECK(lstat(path, &found) == 0 && S_ISLNK(found.st_mode) && holds("new"));
    unlink(target);
    unlink(path);
}

/* What stands at `path` is not replaced, and nothing is left beside it. */
static bool refuses_to_replace(int result, mode_t kind)
{
    struct stat found;
    bool refused = act(neap_file_replace, "new") == result && lstat(path, &found) == 0 &&
                   (found.st_mode & S_IFMT) == kind && names_in_directory() == 1;
    unlink(path);
    return refused;
}

static void a_replace_refuses_what_is_no_file(void)
{
    unlink(path);
    CHECK(mkfifo(path, 0600) == 0);
    CHECK(refuses_to_replace(NEAP_ESPIPE, S_IFIFO));
    if (mknod(path, S_IFCHR | 0600, makedev(1, 3)) == 0)        /* root may, and not everywhere */
        CHECK(refuses_to_replace(NEAP_EFTYPE, S_IFCHR));
}

static void a_replace_refuses_a_link_that_leads_nowhere(void)
{
    char target[80];

    unlink(path);
    snprintf(target, sizeof target, "%s/target", directory);
    CHECK(symlink(target, path) == 0);
    CHECK(refuses_to_replace(NEAP_ENOENT, S_IFLNK));
    CHECK(symlink(path, path) == 0);
    CHECK(refuses_to_replace(NEAP_ELOOP, S_IFLNK));
}

static void a_failed_close_is_a_failed_write(void)
{
    begin();
    calls = 0;
    failing = 1 + 3 + 1;        /* create, three bytes, close */
    CHECK(act(neap_file_write, "abc") == NEAP_ENOSPC);
    end();
}

int main(void)
{
    if (mkdtemp(directory) == NULL)
        return 1;
    snprintf(path, sizeof path, "%s/file", directory);
    RUN(a_replace_that_fails_leaves_the_old_bytes_and_nothing_else);
    RUN(a_replace_keeps_the_mode_of_the_file);
    RUN(a_symbolic_link_keeps_its_name);
    RUN(a_replace_refuses_what_is_no_file);
    RUN(a_replace_refuses_a_link_that_leads_nowhere);
    RUN(a_failed_close_is_a_failed_write);
    unlink(path);
    rmdir(directory);
    return REPORT();
}
