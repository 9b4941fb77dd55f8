/* io/file.h - what the disk is asked for: a job, and functions that it runs.
 *
 * Each function below is one act from open to close, run on a thread of the
 * pool. Its comment says which fields it reads and writes.
 *
 * Ownership  A neap_file owns its paths and bytes; neap_job_drop(&file->job) ends it.
 * Errors     `result`: NEAP_OK, a code of the system, NEAP_EFULL when `max` is
 *            exceeded, NEAP_EDEPTH beyond NEAP_FILE_DEPTH_MAX, NEAP_ENOMEM.
 * Thread     The functions: any; they touch their neap_file alone.
 */
#ifndef NEAP_IO_FILE_H
#define NEAP_IO_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"
#include "io/job.h"

typedef enum neap_file_kind {
    NEAP_FILE_PLAIN, NEAP_FILE_DIRECTORY, NEAP_FILE_LINK, NEAP_FILE_PIPE, NEAP_FILE_SOCKET,
    NEAP_FILE_DEVICE
} neap_file_kind;

/* Directories inside each other that an act walks into: each holds a descriptor. */
#define NEAP_FILE_DEPTH_MAX 256

/* `mode` of a neap_file: as for any new file, by the process's umask. */
#define NEAP_FILE_MODE_DEFAULT (-1)

typedef struct neap_file {
    neap_job job;
    int      result;
    char    *path;
    char    *to;            /* rename: the new name */
    char    *data;
    size_t   size;
    uint64_t max;           /* bytes, or names */
    int      mode;          /* permissions, or NEAP_FILE_MODE_DEFAULT */
    bool     flag;          /* what it means depends on the act */
    int      fd;            /* -1: none */
    bool     made;          /* mkdtemp: a directory that nobody has taken yet */
    /* What was found. */
    neap_file_kind kind;
    int64_t  mtime_ns;
    char   **names;         /* sorted, in `data` */
    size_t   count;
} neap_file;

/* A file whose act on `path` is `run`. NULL without memory for `size` bytes of
 * `data`, copied if there is any. */
neap_file *neap_file_new(void (*run)(neap_job *job), const char *path, const char *data,
                         size_t size);
/* The new name of a rename; false without memory. */
bool neap_file_set_to(neap_file *file, const char *to);

/* All of the file at `path` -> data, size. At most `max` bytes. */
void neap_file_read(neap_job *job);
/* Make `path` a file of `data`; `flag`: write behind what is there. */
void neap_file_write(neap_job *job);
/* Make `path` a file of `data`, at once: whoever reads it, and whatever happens,
 * finds the old bytes or the new ones. When it ends well, the new ones are on
 * the disk. An old file keeps its mode and owner, a symbolic link its name; one
 * that leads to nothing is NEAP_ENOENT, what is no plain file is refused. */
void neap_file_replace(neap_job *job);
/* What stands at `path` -> kind, size, mode, mtime_ns; `flag`: a symbolic link
 * itself. */
void neap_file_stat(neap_job *job);
/* Give what stands at `path` the name `to`. */
void neap_file_rename(neap_job *job);
/* Open `path` for reading -> fd, which is the taker's once he has set it to -1. */
void neap_file_open(neap_job *job);

/* Names in the directory `path`, sorted -> names, count. At most `max`; `flag`:
 * with those in directories inside it, as "a/b". */
void neap_file_list(neap_job *job);
/* Make the directory `path`, and those it stands in. One that exists will do. */
void neap_file_mkdir(neap_job *job);
/* Remove the file or empty directory `path`; `flag`: with all that is in it. */
void neap_file_remove(neap_job *job);
/* Make a new directory; the end of `path`, "XXXXXX", becomes its name. It is the
 * taker's once he has cleared `made`, or goes with the file. */
void neap_file_mkdtemp(neap_job *job);

/* The calls of the system that write, replaced by specs that let one fail. */
typedef struct neap_file_system {
    int     (*create)(const char *path, int flags, mode_t mode);
    ssize_t (*write)(int fd, const void *bytes, size_t size);
    int     (*fsync)(int fd);
    int     (*close)(int fd);
    int     (*rename)(const char *from, const char *to);
} neap_file_system;

extern neap_file_system neap_file_calls;

#endif
