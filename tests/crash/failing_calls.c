/* Lets one system call of a process fail: the n-th of a kind on a file below a folder.

   Preloaded; `arm` says which, `seen` how many there were, `struck` which file it hit. */

#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

enum { READ, WRITE, SYNC, OPEN, CREATE, RENAME, REMOVE, MKDIR, TRUNCATE, LIST, NOTHING };

#define LONGEST 4096

static int armed = NOTHING, number_of_error, for_good;
static long which;
static atomic_long counted;
static char below[LONGEST], hit[LONGEST];

void arm(int kind, int error, long number, int always, const char *folder) {
  armed = NOTHING;
  number_of_error = error;
  which = number;
  for_good = always;
  counted = 0;
  hit[0] = 0;
  snprintf(below, sizeof below, "%s", folder);
  armed = kind;
}

long seen(void) { return counted; }

const char *struck(void) { return hit; }

static int strikes(int kind, const char *path) {
  if (armed != kind || strncmp(path, below, strlen(below))) return 0;
  long number = atomic_fetch_add(&counted, 1) + 1;
  if (which == 0 || number < which || (number > which && !for_good)) return 0;
  if (number == which) snprintf(hit, sizeof hit, "%s", path);
  errno = number_of_error;
  return 1;
}

static int on_file(int kind, int descriptor) {
  if (armed != kind) return 0;
  char link[64], path[LONGEST];
  snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
  ssize_t size = readlink(link, path, sizeof path - 1);
  if (size < 0) return 0;
  path[size] = 0;
  return strikes(kind, path);
}

static int on_name(int kind, int folder, const char *name) {
  if (armed != kind) return 0;
  if (name[0] == '/') return strikes(kind, name);
  char link[64], path[LONGEST];
  if (folder == AT_FDCWD) snprintf(link, sizeof link, "/proc/self/cwd");
  else snprintf(link, sizeof link, "/proc/self/fd/%d", folder);
  ssize_t size = readlink(link, path, sizeof path - 1);
  if (size < 0) return 0;
  snprintf(path + size, sizeof path - size, "/%s", name);
  return strikes(kind, path);
}

#define FORWARD(result, name, types, words, fails)                 \
  result name types {                                              \
    static result(*next) types;                                    \
    if (!next) next = (result(*) types)dlsym(RTLD_NEXT, #name);    \
    if (fails) return (result)-1;                                  \
    return next words;                                             \
  }

FORWARD(ssize_t, read, (int d, void *b, size_t n), (d, b, n), on_file(READ, d))
FORWARD(ssize_t, pread, (int d, void *b, size_t n, off_t o), (d, b, n, o), on_file(READ, d))
FORWARD(ssize_t, pread64, (int d, void *b, size_t n, off64_t o), (d, b, n, o), on_file(READ, d))
FORWARD(ssize_t, readv, (int d, const struct iovec *v, int n), (d, v, n), on_file(READ, d))
FORWARD(ssize_t, preadv, (int d, const struct iovec *v, int n, off_t o), (d, v, n, o), on_file(READ, d))
FORWARD(ssize_t, preadv64, (int d, const struct iovec *v, int n, off64_t o), (d, v, n, o), on_file(READ, d))
FORWARD(ssize_t, preadv2, (int d, const struct iovec *v, int n, off_t o, int f), (d, v, n, o, f), on_file(READ, d))
FORWARD(ssize_t, write, (int d, const void *b, size_t n), (d, b, n), on_file(WRITE, d))
FORWARD(ssize_t, pwrite, (int d, const void *b, size_t n, off_t o), (d, b, n, o), on_file(WRITE, d))
FORWARD(ssize_t, pwrite64, (int d, const void *b, size_t n, off64_t o), (d, b, n, o), on_file(WRITE, d))
FORWARD(ssize_t, writev, (int d, const struct iovec *v, int n), (d, v, n), on_file(WRITE, d))
FORWARD(ssize_t, sendfile, (int t, int f, off_t *o, size_t n), (t, f, o, n), on_file(WRITE, t))
FORWARD(ssize_t, sendfile64, (int t, int f, off64_t *o, size_t n), (t, f, o, n), on_file(WRITE, t))
FORWARD(ssize_t, copy_file_range, (int f, off64_t *a, int t, off64_t *b, size_t n, unsigned m), (f, a, t, b, n, m), on_file(WRITE, t))
FORWARD(int, fsync, (int d), (d), on_file(SYNC, d))
FORWARD(int, fdatasync, (int d), (d), on_file(SYNC, d))
FORWARD(int, syncfs, (int d), (d), on_file(SYNC, d))
FORWARD(int, rename, (const char *a, const char *b), (a, b), on_name(RENAME, AT_FDCWD, b))
FORWARD(int, renameat, (int c, const char *a, int d, const char *b), (c, a, d, b), on_name(RENAME, d, b))
FORWARD(int, renameat2, (int c, const char *a, int d, const char *b, unsigned m), (c, a, d, b, m), on_name(RENAME, d, b))
FORWARD(int, link, (const char *a, const char *b), (a, b), on_name(RENAME, AT_FDCWD, b))
FORWARD(int, linkat, (int c, const char *a, int d, const char *b, int m), (c, a, d, b, m), on_name(RENAME, d, b))
FORWARD(int, unlink, (const char *a), (a), on_name(REMOVE, AT_FDCWD, a))
FORWARD(int, unlinkat, (int d, const char *a, int m), (d, a, m), on_name(REMOVE, d, a))
FORWARD(int, rmdir, (const char *a), (a), on_name(REMOVE, AT_FDCWD, a))
FORWARD(int, mkdir, (const char *a, mode_t m), (a, m), on_name(MKDIR, AT_FDCWD, a))
FORWARD(int, mkdirat, (int d, const char *a, mode_t m), (d, a, m), on_name(MKDIR, d, a))
FORWARD(int, ftruncate, (int d, off_t n), (d, n), on_file(TRUNCATE, d))
FORWARD(int, ftruncate64, (int d, off64_t n), (d, n), on_file(TRUNCATE, d))
FORWARD(int, fallocate, (int d, int m, off_t a, off_t n), (d, m, a, n), on_file(TRUNCATE, d))
FORWARD(int, fallocate64, (int d, int m, off64_t a, off64_t n), (d, m, a, n), on_file(TRUNCATE, d))

DIR *opendir(const char *name) {
  static DIR *(*next)(const char *);
  if (!next) next = (DIR * (*)(const char *)) dlsym(RTLD_NEXT, "opendir");
  return on_name(LIST, AT_FDCWD, name) ? NULL : next(name);
}

DIR *fdopendir(int descriptor) {
  static DIR *(*next)(int);
  if (!next) next = (DIR * (*)(int)) dlsym(RTLD_NEXT, "fdopendir");
  return on_file(LIST, descriptor) ? NULL : next(descriptor);
}

static int makes(int flags) {
  return (flags & O_CREAT) || (flags & O_TMPFILE) == O_TMPFILE;
}

#define OPENING(name, parameters, folder, types, words)                                  \
  int name parameters {                                                                  \
    static int(*next) types;                                                             \
    if (!next) next = (int(*) types)dlsym(RTLD_NEXT, #name);                             \
    va_list rest;                                                                        \
    va_start(rest, flags);                                                               \
    mode_t mode = makes(flags) ? va_arg(rest, mode_t) : 0;                               \
    va_end(rest);                                                                        \
    if (on_name(makes(flags) ? CREATE : OPEN, folder, path)) return -1; \
    return next words;                                                                   \
  }

OPENING(open, (const char *path, int flags, ...), AT_FDCWD, (const char *, int, ...), (path, flags, mode))
OPENING(open64, (const char *path, int flags, ...), AT_FDCWD, (const char *, int, ...), (path, flags, mode))
OPENING(openat, (int d, const char *path, int flags, ...), d, (int, const char *, int, ...), (d, path, flags, mode))
OPENING(openat64, (int d, const char *path, int flags, ...), d, (int, const char *, int, ...), (d, path, flags, mode))
