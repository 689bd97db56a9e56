/* What a device can be like, put around the command from outside (LD_PRELOAD), so that the command itself knows nothing of
 * tests: a clock that is wrong, a disk that is full or can't be written, a process that is killed.
 *
 *     ISONOMY_TEST_CLOCK=SECONDS           the wall clock stands at this time
 *     ISONOMY_TEST_DISK=FULL:N:FOLDER      the N-th call (from 0) that needs space below FOLDER, and all after it, find none
 *     ISONOMY_TEST_DISK=KILL:N:FOLDER      the process is killed before the N-th call that changes something there
 *     ISONOMY_TEST_DISK=HALF:N:FOLDER      the same, and if it is a write, half of it is there
 *     ISONOMY_TEST_DISK=READONLY:0:FOLDER  nothing can be changed there
 *
 * Linux with glibc; tests/end-to-end/hostile/conditions.rs compiles it. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum disk { FINE, FULL, KILL, HALF, READONLY };
#define MOST_FILES 4096

static enum disk disk = FINE;
static long failing_call;
static const char *folder = "";
static size_t folder_length;
static atomic_long calls;
static atomic_char watched[MOST_FILES];

__attribute__((constructor)) static void read_conditions(void) {
    static char text[4096];
    const char *wanted = getenv("ISONOMY_TEST_DISK");
    if (wanted == NULL || strlen(wanted) >= sizeof text) {
        return;
    }
    strcpy(text, wanted);
    char *number = strchr(text, ':'), *path = number ? strchr(number + 1, ':') : NULL;
    if (path == NULL) {
        abort();
    }
    *number = *path = 0;
    failing_call = atol(number + 1);
    folder = path + 1;
    folder_length = strlen(folder);
    disk = strcmp(text, "FULL") == 0 ? FULL : strcmp(text, "KILL") == 0 ? KILL : strcmp(text, "HALF") == 0 ? HALF : READONLY;
}

static int is_below(const char *path) {
    return disk != FINE && path != NULL && strncmp(path, folder, folder_length) == 0 &&
           (path[folder_length] == '/' || path[folder_length] == 0);
}

static int is_watched(int file) {
    return disk != FINE && file >= 0 && file < MOST_FILES && watched[file];
}

/* Whether the call that is about to be made fails, with errno set; the process may end here. */
static int fails(int needs_space) {
    if (disk == READONLY) {
        errno = EROFS;
        return 1;
    }
    if (disk == FULL && !needs_space) {
        return 0;
    }
    long number = atomic_fetch_add(&calls, 1);
    if (disk == FULL && number >= failing_call) {
        errno = ENOSPC;
        return 1;
    }
    if ((disk == KILL || disk == HALF) && number == failing_call) {
        kill(getpid(), SIGKILL);
        pause();
    }
    return 0;
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

int clock_gettime(clockid_t clock, struct timespec *time) {
    int outcome = (int)syscall(SYS_clock_gettime, clock, time);
    const char *wanted = getenv("ISONOMY_TEST_CLOCK");
    if (outcome == 0 && clock == CLOCK_REALTIME && wanted != NULL) {
        time->tv_sec = (time_t)atoll(wanted);
        time->tv_nsec = 0;
    }
    return outcome;
}

static int opened(const char *path, int flags, int file) {
    if (file >= 0 && file < MOST_FILES) {
        watched[file] = is_below(path) && (flags & (O_WRONLY | O_RDWR)) != 0;
    }
    return file;
}

#define OPEN(name)                                                            \
    int name(const char *path, int flags, ...) {                              \
        va_list rest;                                                         \
        va_start(rest, flags);                                                \
        mode_t mode = (flags & (O_CREAT | O_TMPFILE)) ? va_arg(rest, mode_t) : 0; \
        va_end(rest);                                                         \
        if ((flags & (O_CREAT | O_TRUNC)) && is_below(path) && fails(1)) {    \
            return -1;                                                        \
        }                                                                     \
        return opened(path, flags, REAL(name)(path, flags, mode));            \
    }

OPEN(open)
OPEN(open64)

int close(int file) {
    if (file >= 0 && file < MOST_FILES) {
        watched[file] = 0;
    }
    return REAL(close)(file);
}

ssize_t write(int file, const void *bytes, size_t size) {
    if (!is_watched(file)) {
        return REAL(write)(file, bytes, size);
    }
    if (disk == HALF && atomic_load(&calls) == failing_call && REAL(write)(file, bytes, size / 2) < 0) {
        return -1;
    }
    return fails(1) ? -1 : REAL(write)(file, bytes, size);
}

int fsync(int file) {
    return is_watched(file) && fails(0) ? -1 : REAL(fsync)(file);
}

int fdatasync(int file) {
    return is_watched(file) && fails(0) ? -1 : REAL(fdatasync)(file);
}

int rename(const char *from, const char *to) {
    return is_below(to) && fails(0) ? -1 : REAL(rename)(from, to);
}

int link(const char *from, const char *to) {
    return is_below(to) && fails(1) ? -1 : REAL(link)(from, to);
}

int linkat(int at, const char *from, int to_at, const char *to, int flags) {
    return is_below(to) && fails(1) ? -1 : REAL(linkat)(at, from, to_at, to, flags);
}

int mkdir(const char *path, mode_t mode) {
    return is_below(path) && fails(1) ? -1 : REAL(mkdir)(path, mode);
}

int unlink(const char *path) {
    return is_below(path) && fails(0) ? -1 : REAL(unlink)(path);
}
