// write_family FILE [errno]: every way to write to FILE; each fails with errno, or works without
// one.
#include <fcntl.h>
#include <sys/sendfile.h>
#include <sys/uio.h>
#include <unistd.h>

#include "check.h"

static int failed;

static void show(const char* name, ssize_t result, int expected) {
  int error = result < 0 ? errno : 0;
  printf("%s %d\n", name, error);
  if (error != expected || (!error && result != 4)) failed = 1;
}

int main(int argc, char** argv) {
  CHECK(argc >= 2);
  int expected = argc > 2 ? atoi(argv[2]) : 0;
  int fd = open(argv[1], O_RDWR | O_CREAT, 0644);
  int source = open("/proc/self/exe", O_RDONLY);
  int ends[2];
  CHECK(fd >= 0 && source >= 0 && pipe(ends) == 0 && write(ends[1], "pipe", 4) == 4);
  struct iovec piece[2] = {{"ab", 2}, {"cd", 2}};
  show("write", write(fd, "abcd", 4), expected);
  show("writev", writev(fd, piece, 2), expected);
  show("pwrite64", pwrite(fd, "abcd", 4, 0), expected);
  show("pwritev", pwritev(fd, piece, 2, 0), expected);
  show("pwritev2", pwritev2(fd, piece, 2, 0, RWF_DSYNC), expected);
  show("sendfile", sendfile(fd, source, NULL, 4), expected);
  show("splice", splice(ends[0], NULL, fd, NULL, 4, 0), expected);
  int copied = open("/tmp", O_RDWR | O_TMPFILE, 0600);
  if (copied >= 0 && write(copied, "copy", 4) == 4) {
    loff_t from = 0, to = 0;
    ssize_t n = copy_file_range(copied, &from, fd, &to, 4, 0);
    // Between two file systems older kernels say EXDEV: no such call to test then.
    if (n >= 0 || errno != EXDEV) show("copy_file_range", n, expected);
  }
  CHECK(!failed);
  return succeed();
}
