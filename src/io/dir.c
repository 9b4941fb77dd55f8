/* io/dir.c - the acts of io/file.h on directories. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "io/file.h"
#include "io/uverr.h"

static neap_file *file_of(neap_job *job)
{
    return neap_container(job, neap_file, job);
}

/* Open directory `name` in `at` and never what a link leads to; NULL: errno. */
static DIR *open_directory(int at, const char *name, int flags)
{
    int fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | flags);
    DIR *directory = fd < 0 ? NULL : fdopendir(fd);

    if (directory == NULL && fd >= 0)
        close(fd);
    return directory;
}

static bool is_dots(const char *name)
{
    return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

/* The next name in `directory`, or NULL: at the end *result is NEAP_OK. */
static struct dirent *next_name(DIR *directory, int *result)
{
    struct dirent *entry;

    do {
        errno = 0;
        entry = readdir(directory);
        if (entry == NULL)
            *result = errno == 0 ? NEAP_OK : neap_uverr_errno();
    } while (entry != NULL && is_dots(entry->d_name));
    return entry;
}

static bool is_directory(int at, const struct dirent *entry)
{
    struct stat found;

    if (entry->d_type != DT_UNKNOWN)
        return entry->d_type == DT_DIR;
    return fstatat(at, entry->d_name, &found, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(found.st_mode);
}

/* --- list --------------------------------------------------------------------- */

/* Names one behind the other, each with its 0. */
struct list {
    neap_file *file;
    neap_buf   prefix;      /* "a/b/" */
    neap_buf   names;
};

static int walk(struct list *list, DIR *directory, int depth)
{
    neap_file *file = list->file;
    size_t prefix_len = list->prefix.len;
    struct dirent *entry;
    int result = NEAP_OK;

    if (depth > NEAP_FILE_DEPTH_MAX)
        return NEAP_EDEPTH;
    while (result == NEAP_OK && (entry = next_name(directory, &result)) != NULL) {
        if (file->count >= file->max)
            return NEAP_EFULL;
        file->count++;
        size_t size = strlen(entry->d_name) + 1;
        if (!neap_buf_try_reserve(&list->names, prefix_len + size))
            return NEAP_ENOMEM;
        neap_buf_append(&list->names, list->prefix.data, prefix_len);
        neap_buf_append(&list->names, entry->d_name, size);
        if (!file->flag || !is_directory(dirfd(directory), entry))
            continue;
        DIR *inner = open_directory(dirfd(directory), entry->d_name, O_NOFOLLOW);
        if (inner == NULL && (errno == ENOENT || errno == ENOTDIR || errno == ELOOP))
            continue;                   /* it has gone, or is something else, since */
        if (inner == NULL)
            return neap_uverr_errno();
        if (!neap_buf_try_reserve(&list->prefix, size)) {
            closedir(inner);
            return NEAP_ENOMEM;
        }
        neap_buf_text(&list->prefix, entry->d_name);
        neap_buf_char(&list->prefix, '/');
        result = walk(list, inner, depth + 1);
        closedir(inner);
        list->prefix.len = prefix_len;
    }
    return result;
}

static int by_bytes(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static int sort_names(neap_file *file)
{
    char *at = file->data;

    file->names = neap_mem_try_realloc(NULL, file->count * sizeof *file->names);
    if (file->names == NULL)
        return NEAP_ENOMEM;
    for (size_t i = 0; i < file->count; i++, at += strlen(at) + 1)
        file->names[i] = at;
    qsort(file->names, file->count, sizeof *file->names, by_bytes);
    return NEAP_OK;
}

void neap_file_list(neap_job *job)
{
    neap_file *file = file_of(job);
    struct list list = { .file = file };
    DIR *directory = open_directory(AT_FDCWD, file->path, 0);

    if (directory == NULL) {
        file->result = neap_uverr_errno();
        return;
    }
    file->result = walk(&list, directory, 1);
    closedir(directory);
    neap_buf_deinit(&list.prefix);
    file->data = list.names.data;
    if (file->result == NEAP_OK)
        file->result = sort_names(file);
}

/* --- mkdir, remove --------------------------------------------------------------- */

static int make_directory(const char *path, mode_t mode)
{
    struct stat found;

    if (mkdir(path, mode) == 0)
        return NEAP_OK;
    int result = neap_uverr_errno();
    /* On a read-only disk, or without permission, what exists will do, too. */
    if (stat(path, &found) == 0)
        return S_ISDIR(found.st_mode) ? NEAP_OK : NEAP_EEXIST;
    return result;
}

void neap_file_mkdir(neap_job *job)
{
    neap_file *file = file_of(job);
    mode_t mode = file->mode == NEAP_FILE_MODE_DEFAULT ? 0777 : (mode_t)file->mode;
    char *path = file->path;

    for (size_t i = 1; path[0] != '\0' && path[i] != '\0' && file->result == NEAP_OK; i++) {
        if (path[i] != '/' || path[i - 1] == '/')
            continue;
        path[i] = '\0';
        file->result = make_directory(path, 0777);
        path[i] = '/';
    }
    if (file->result == NEAP_OK)
        file->result = make_directory(path, mode);
}

/* By descriptors: a name that becomes a link in the middle leads nowhere. */
static int remove_at(int at, const char *name, bool recursive, int depth)
{
    int result = NEAP_OK;
    struct dirent *entry;

    if (unlinkat(at, name, 0) == 0)
        return NEAP_OK;
    if (errno != EISDIR)
        return neap_uverr_errno();
    if (unlinkat(at, name, AT_REMOVEDIR) == 0)
        return NEAP_OK;
    if (!recursive || (errno != ENOTEMPTY && errno != EEXIST))
        return neap_uverr_errno();
    if (depth > NEAP_FILE_DEPTH_MAX)
        return NEAP_EDEPTH;
    DIR *directory = open_directory(at, name, O_NOFOLLOW);
    if (directory == NULL)
        return neap_uverr_errno();
    while (result == NEAP_OK && (entry = next_name(directory, &result)) != NULL)
        result = remove_at(dirfd(directory), entry->d_name, true, depth + 1);
    closedir(directory);
    if (result == NEAP_OK && unlinkat(at, name, AT_REMOVEDIR) != 0)
        result = neap_uverr_errno();
    return result;
}

void neap_file_remove(neap_job *job)
{
    neap_file *file = file_of(job);
    file->result = remove_at(AT_FDCWD, file->path, file->flag, 1);
}

void neap_file_mkdtemp(neap_job *job)
{
    neap_file *file = file_of(job);

    file->made = mkdtemp(file->path) != NULL;
    if (!file->made)
        file->result = neap_uverr_errno();
}
