/* Notes, before each change to a queue file, what the change would overwrite, and each sync once it is done.
 *
 * Preloaded into a process, it leaves a journal from which the files can be put back to what a disk is bound to hold
 * after the power fails: everything up to the last sync and nothing after it. One record is
 *   kind (1 byte: w, t or s), path length, offset, old file size, old bytes (4, 8, 8, 4 bytes), path, old bytes.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int journal = -1;

static int watched(int fd, char *path, size_t size) {
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t len = readlink(link, path, size - 1);
    if (len <= 0) return 0;
    path[len] = 0;
    const char *name = strrchr(path, '/');
    return name && (!strcmp(name, "/queue.db") || !strcmp(name, "/queue.db-wal"));
}

static void put(const void *data, size_t len) {
    const char *at = data;
    while (len > 0) {
        long done = syscall(SYS_write, journal, at, len);
        if (done <= 0) abort();
        at += done;
        len -= (size_t)done;
    }
}

static void note(char kind, int fd, const char *path, uint64_t offset, uint64_t reach) {
    struct stat stat;
    if (fstat(fd, &stat) != 0) abort();
    uint64_t size = (uint64_t)stat.st_size;
    uint64_t end = reach < size ? reach : size;
    uint32_t kept = offset < end ? (uint32_t)(end - offset) : 0;
    char *old = malloc(kept + 1);
    if (kept && pread(fd, old, kept, (off_t)offset) != (ssize_t)kept) abort();
    uint32_t path_len = (uint32_t)strlen(path);
    pthread_mutex_lock(&lock);
    if (journal < 0) {
        journal = open(getenv("POWER_JOURNAL"), O_WRONLY | O_CREAT | O_APPEND, 0600);
        if (journal < 0) abort();
    }
    put(&kind, 1);
    put(&path_len, 4);
    put(&offset, 8);
    put(&size, 8);
    put(&kept, 4);
    put(path, path_len);
    put(old, kept);
    pthread_mutex_unlock(&lock);
    free(old);
}

static void before_write(int fd, uint64_t offset, size_t len) {
    char path[4096];
    if (watched(fd, path, sizeof path)) note('w', fd, path, offset, offset + len);
}

static void before_truncate(int fd, off_t len) {
    char path[4096];
    if (watched(fd, path, sizeof path)) note('t', fd, path, (uint64_t)len, UINT64_MAX);
}

static int after_sync(int fd, int result) {
    char path[4096];
    if (result == 0 && watched(fd, path, sizeof path)) note('s', fd, path, 0, 0);
    return result;
}

#define REAL(name) (real ? real : (real = (__typeof__(real))dlsym(RTLD_NEXT, name)))

ssize_t write(int fd, const void *data, size_t len) {
    static ssize_t (*real)(int, const void *, size_t);
    off_t at = lseek(fd, 0, SEEK_CUR);
    if (at >= 0) before_write(fd, (uint64_t)at, len);
    return REAL("write")(fd, data, len);
}

ssize_t pwrite(int fd, const void *data, size_t len, off_t offset) {
    static ssize_t (*real)(int, const void *, size_t, off_t);
    before_write(fd, (uint64_t)offset, len);
    return REAL("pwrite")(fd, data, len, offset);
}

ssize_t pwrite64(int fd, const void *data, size_t len, off64_t offset) {
    static ssize_t (*real)(int, const void *, size_t, off64_t);
    before_write(fd, (uint64_t)offset, len);
    return REAL("pwrite64")(fd, data, len, offset);
}

int ftruncate(int fd, off_t len) {
    static int (*real)(int, off_t);
    before_truncate(fd, len);
    return REAL("ftruncate")(fd, len);
}

int ftruncate64(int fd, off64_t len) {
    static int (*real)(int, off64_t);
    before_truncate(fd, len);
    return REAL("ftruncate64")(fd, len);
}

int fsync(int fd) {
    static int (*real)(int);
    return after_sync(fd, REAL("fsync")(fd));
}

int fdatasync(int fd) {
    static int (*real)(int);
    return after_sync(fd, REAL("fdatasync")(fd));
}
