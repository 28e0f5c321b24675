// fsync_family FILE [errno]: every way to wait for the disk. msync(MS_ASYNC) is none and never
// fails.
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "check.h"

static int failed;

static void show(const char* name, int result, int expected) {
  int error = result < 0 ? errno : 0;
  printf("%s %d\n", name, error);
  if (error != expected) failed = 1;
}

int main(int argc, char** argv) {
  CHECK(argc >= 2);
  int expected = argc > 2 ? atoi(argv[2]) : 0;
  int fd = open(argv[1], O_RDWR | O_CREAT, 0644);
  CHECK(fd >= 0 && ftruncate(fd, 4096) == 0);
  char* map = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  CHECK(map != MAP_FAILED);
  map[0] = 'x';
  show("fsync", fsync(fd), expected);
  show("fdatasync", fdatasync(fd), expected);
  show("sync_file_range", sync_file_range(fd, 0, 4096, SYNC_FILE_RANGE_WRITE), expected);
  show("syncfs", syncfs(fd), expected);
  show("msync", msync(map, 4096, MS_SYNC), expected);
  show("msync_async", msync(map, 4096, MS_ASYNC), 0);
  CHECK(!failed);
  return succeed();
}
