// read_family FILE [errno]: every way to read from FILE (at least 64 bytes long).
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
  int fd = open(argv[1], O_RDONLY);
  int sink = open("/dev/null", O_WRONLY);
  int ends[2];
  char room[4];
  CHECK(fd >= 0 && sink >= 0 && pipe(ends) == 0);
  struct iovec piece[2] = {{room, 2}, {room + 2, 2}};
  show("read", read(fd, room, 4), expected);
  show("readv", readv(fd, piece, 2), expected);
  show("pread64", pread(fd, room, 4, 0), expected);
  show("preadv", preadv(fd, piece, 2, 0), expected);
  show("preadv2", preadv2(fd, piece, 2, 0, 0), expected);
  show("sendfile", sendfile(sink, fd, NULL, 4), expected);
  show("splice", splice(fd, NULL, ends[1], NULL, 4, 0), expected);
  CHECK(!failed);
  return succeed();
}
