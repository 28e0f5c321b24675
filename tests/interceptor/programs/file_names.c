// file_names FOLDER errno: writes to files whose current name ends in "hit" fail with errno, all
// others work, whatever they were opened as.
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "check.h"

static int failed;

static void show(const char* name, int fd, int expected) {
  CHECK(fd >= 0);
  ssize_t n = write(fd, "x", 1);
  int error = n < 0 ? errno : 0;
  printf("%s %d\n", name, error);
  if (error != expected) failed = 1;
}

static int make(const char* name) { return open(name, O_RDWR | O_CREAT | O_EXCL, 0644); }

int main(int argc, char** argv) {
  CHECK(argc == 3 && chdir(argv[1]) == 0);
  int hit = atoi(argv[2]);
  show("plain", make("hit"), hit);
  int renamed = make("before");
  CHECK(rename("before", "after.hit") == 0);
  show("renamed to", renamed, hit);
  int away = make("away.hit");
  CHECK(rename("away.hit", "gone") == 0);
  show("renamed from", away, 0);
  CHECK(symlink("hit", "soft") == 0);
  show("through a link", open("soft", O_WRONLY), hit);
  int unlinked = make("unlinked.hit");
  CHECK(unlink("unlinked.hit") == 0);
  show("unlinked", unlinked, hit);
  show("named deleted", make("named.hit (deleted)"), 0);
  int linked = make("two.hit");
  CHECK(link("two.hit", "two.other") == 0 && unlink("two.hit") == 0);
  show("one link left", linked, hit);
  int copy = dup2(open("hit", O_WRONLY), 77);
  show("duplicate", copy, hit);
  show("tmpfile", open(".", O_RDWR | O_TMPFILE, 0600), 0);
  show("memfd", memfd_create("memory.hit", 0), 0);
  CHECK(!failed);
  return succeed();
}
