#include "io/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/random.h"
#include "io/uverr.h"

/* What is asked of the system in one read: no gain beyond. */
#define MAX_STEP (1u << 30)

/* For a file that does not tell its size, as those of /proc. */
#define FIRST_CAP 65536

static int create(const char *path, int flags, mode_t mode)
{
    return open(path, flags, mode);
}

neap_file_system neap_file_calls = { create, write, fsync, close, rename };

static neap_file *file_of(neap_job *job)
{
    return neap_container(job, neap_file, job);
}

static void free_file(neap_job *job)
{
    neap_file *file = file_of(job);

    if (file->fd >= 0)
        close(file->fd);
    if (file->made)
        rmdir(file->path);
    neap_mem_free(file->path);
    neap_mem_free(file->to);
    neap_mem_free(file->data);
    neap_mem_free(file->names);
    neap_mem_free(file);
}

/* NULL without memory. */
static char *copy_bytes(const char *bytes, size_t size)
{
    char *copy = neap_mem_try_realloc(NULL, size);

    if (copy != NULL)
        memcpy(copy, bytes, size);
    return copy;
}

/* Open without waiting for the other end of a pipe. */
static int open_file(const char *path, int flags, mode_t mode)
{
    int fd;

    do
        fd = neap_file_calls.create(path, flags | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, mode);
    while (fd < 0 && errno == EINTR);
    return fd;
}

/* A pipe would hold the thread, for good perhaps. */
static int refuse_pipe(int fd, struct stat *found)
{
    if (fstat(fd, found) != 0)
        return neap_uverr_errno();
    return S_ISFIFO(found->st_mode) || S_ISSOCK(found->st_mode) ? NEAP_ESPIPE : NEAP_OK;
}

/* --- reading ------------------------------------------------------------------ */

/* Room for one byte more than is known: it is how the end is noticed. */
static bool grow(neap_file *file, size_t *cap)
{
    size_t limit = file->max >= SIZE_MAX - 1 ? SIZE_MAX : (size_t)file->max + 1;
    size_t larger = *cap > limit / 2 ? limit : *cap * 2;
    char *data = neap_mem_try_realloc(file->data, larger);

    if (data == NULL)
        return false;
    file->data = data;
    *cap = larger;
    return true;
}

static int read_all(neap_file *file, int fd, size_t expected)
{
    size_t cap = expected > 0 ? expected : FIRST_CAP;

    if (expected > file->max)
        return NEAP_EFULL;
    for (cap = cap / 2 + 1;;) {
        if (file->size == cap || file->data == NULL)
            if (!grow(file, &cap))
                return NEAP_ENOMEM;
        size_t room = cap - file->size;
        ssize_t n = read(fd, file->data + file->size, room < MAX_STEP ? room : MAX_STEP);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n == 0 ? NEAP_OK : neap_uverr_errno();
        file->size += (size_t)n;
        if (file->size > file->max)
            return NEAP_EFULL;
    }
}

/* --- writing ------------------------------------------------------------------ */

static int write_all(int fd, const char *bytes, size_t size)
{
    while (size > 0) {
        ssize_t n = neap_file_calls.write(fd, bytes, size < MAX_STEP ? size : MAX_STEP);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return neap_uverr_errno();
        bytes += n;
        size -= (size_t)n;
    }
    return NEAP_OK;
}

/* Some file systems tell only here that a write has failed. */
static int close_written(int fd, int result)
{
    int status = neap_file_calls.close(fd);
    return result != NEAP_OK || status == 0 ? result : neap_uverr_errno();
}

/* Length of the directory in front of the name, with its last '/'. */
static size_t directory_len(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash == NULL ? 0 : (size_t)(slash - path) + 1;
}

/* A name that nobody has, beside `target`. */
static void temporary_name(char *name, size_t size, const char *target)
{
    uint64_t number = 0;

    neap_random_system(&number, sizeof number);
    snprintf(name, size, "%.*s.neap-%016llx.tmp", (int)directory_len(target), target,
             (unsigned long long)number);
}

/* Make the new name in `path`'s directory survive a crash. */
static int sync_directory(const char *path)
{
    char directory[PATH_MAX + 1];
    size_t len = directory_len(path);

    snprintf(directory, sizeof directory, "%.*s", len > 0 ? (int)len : 1, len > 0 ? path : ".");
    int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return neap_uverr_errno();
    int result = neap_file_calls.fsync(fd) == 0 ? NEAP_OK : neap_uverr_errno();
    close(fd);
    /* Not every file system can: it then keeps names in order by itself. */
    return result == NEAP_EINVAL ? NEAP_OK : result;
}

/* Mode and owner of the new file. */
static int dress(const neap_file *file, int fd, const struct stat *old)
{
    mode_t mode = file->mode != NEAP_FILE_MODE_DEFAULT ? (mode_t)file->mode : old->st_mode & 07777;

    if (old->st_nlink > 0 && fchown(fd, old->st_uid, old->st_gid) != 0)
        errno = 0;      /* only root may give a file away: it is ours then */
    if (old->st_nlink == 0 && file->mode == NEAP_FILE_MODE_DEFAULT)
        return NEAP_OK;
    return fchmod(fd, mode) == 0 ? NEAP_OK : neap_uverr_errno();
}

/* A new file in its place would be the end of anything else. */
static int refuse_special(mode_t mode)
{
    switch (mode & S_IFMT) {
    case S_IFREG: return NEAP_OK;
    case S_IFDIR: return NEAP_EISDIR;
    case S_IFIFO:
    case S_IFSOCK: return NEAP_ESPIPE;
    default: return NEAP_EFTYPE;
    }
}

static int replace(const neap_file *file, const char *target)
{
    char name[PATH_MAX + 64];
    struct stat old;

    if (stat(target, &old) != 0)
        memset(&old, 0, sizeof old);
    else if (refuse_special(old.st_mode) != NEAP_OK)
        return refuse_special(old.st_mode);
    temporary_name(name, sizeof name, target);
    int fd = open_file(name, O_WRONLY | O_CREAT | O_EXCL, 0666);
    if (fd < 0)
        return neap_uverr_errno();
    int result = write_all(fd, file->data, file->size);
    if (result == NEAP_OK)
        result = dress(file, fd, &old);
    if (result == NEAP_OK && neap_file_calls.fsync(fd) != 0)
        result = neap_uverr_errno();
    result = close_written(fd, result);
    if (result == NEAP_OK && neap_file_calls.rename(name, target) != 0)
        result = neap_uverr_errno();
    if (result != NEAP_OK) {
        unlink(name);
        return result;
    }
    return sync_directory(target);
}

static neap_file_kind kind_of(mode_t mode)
{
    switch (mode & S_IFMT) {
    case S_IFREG: return NEAP_FILE_PLAIN;
    case S_IFDIR: return NEAP_FILE_DIRECTORY;
    case S_IFLNK: return NEAP_FILE_LINK;
    case S_IFIFO: return NEAP_FILE_PIPE;
    case S_IFSOCK: return NEAP_FILE_SOCKET;
    default: return NEAP_FILE_DEVICE;
    }
}

/* --- the acts ----------------------------------------------------------------- */

neap_file *neap_file_new(void (*run)(neap_job *job), const char *path, const char *data,
                         size_t size)
{
    neap_file *file = neap_mem_try_realloc(NULL, sizeof *file);

    if (file == NULL)
        return NULL;
    *file = (neap_file){ .job = { .run = run, .free = free_file }, .fd = -1,
                         .mode = NEAP_FILE_MODE_DEFAULT, .size = size };
    file->path = copy_bytes(path, strlen(path) + 1);
    file->data = data != NULL ? copy_bytes(data, size) : NULL;
    if (file->path == NULL || (data != NULL && file->data == NULL)) {
        free_file(&file->job);
        return NULL;
    }
    return file;
}

bool neap_file_set_to(neap_file *file, const char *to)
{
    file->to = copy_bytes(to, strlen(to) + 1);
    return file->to != NULL;
}

void neap_file_read(neap_job *job)
{
    neap_file *file = file_of(job);
    struct stat found;
    int fd = open_file(file->path, O_RDONLY, 0);

    if (fd < 0) {
        file->result = neap_uverr_errno();
        return;
    }
    file->result = refuse_pipe(fd, &found);
    if (file->result == NEAP_OK)
        file->result = read_all(file, fd, (size_t)found.st_size);
    close(fd);
}

void neap_file_write(neap_job *job)
{
    neap_file *file = file_of(job);
    struct stat found;
    mode_t mode = file->mode == NEAP_FILE_MODE_DEFAULT ? 0666 : (mode_t)file->mode;
    int fd = open_file(file->path, O_WRONLY | O_CREAT | (file->flag ? O_APPEND : O_TRUNC), mode);

    if (fd < 0) {
        file->result = neap_uverr_errno();
        return;
    }
    file->result = refuse_pipe(fd, &found);
    if (file->result == NEAP_OK)
        file->result = write_all(fd, file->data, file->size);
    file->result = close_written(fd, file->result);
}

void neap_file_replace(neap_job *job)
{
    neap_file *file = file_of(job);
    struct stat link;
    char *target = realpath(file->path, NULL);

    if (target != NULL)
        file->result = replace(file, target);
    else if (errno != ENOENT || lstat(file->path, &link) == 0)
        file->result = neap_uverr_errno();
    else
        file->result = replace(file, file->path);
    free(target);
}

void neap_file_stat(neap_job *job)
{
    neap_file *file = file_of(job);
    struct stat found;

    if ((file->flag ? lstat : stat)(file->path, &found) != 0) {
        file->result = neap_uverr_errno();
        return;
    }
    file->kind = kind_of(found.st_mode);
    file->size = (size_t)found.st_size;
    file->mode = (int)(found.st_mode & 07777);
    file->mtime_ns = (int64_t)found.st_mtim.tv_sec * 1000000000 + found.st_mtim.tv_nsec;
}

void neap_file_rename(neap_job *job)
{
    neap_file *file = file_of(job);

    if (neap_file_calls.rename(file->path, file->to) != 0)
        file->result = neap_uverr_errno();
}

void neap_file_open(neap_job *job)
{
    neap_file *file = file_of(job);
    struct stat found;

    file->fd = open_file(file->path, O_RDONLY, 0);
    if (file->fd < 0) {
        file->result = neap_uverr_errno();
        return;
    }
    file->result = refuse_pipe(file->fd, &found);
    if (file->result == NEAP_OK && S_ISDIR(found.st_mode))
        file->result = NEAP_EISDIR;
}
