// open_family FOLDER [errno]: every way to open FOLDER/real/target, which need not exist, and one
// file beside it that always opens. FOLDER/link leads to FOLDER/real.
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "check.h"

static int failed;

static void show(const char* name, long result, int expected) {
  int error = result < 0 ? errno : 0;
  printf("%s %d\n", name, error);
  if (error != expected) failed = 1;
}

int main(int argc, char** argv) {
  CHECK(argc >= 2);
  int expected = argc > 2 ? atoi(argv[2]) : 0;
  CHECK(chdir(argv[1]) == 0);
  mkdir("real", 0755);
  (void)!symlink("real", "link");
  (void)!symlink("real/target", "alias");
  char absolute[4096];
  snprintf(absolute, sizeof absolute, "%s/real/target", argv[1]);
  int folder = open("real", O_PATH | O_DIRECTORY);
  CHECK(folder >= 0);
  int flags = O_RDWR | O_CREAT;
  struct open_how how = {.flags = flags, .mode = 0644};
  show("open_absolute", syscall(SYS_open, absolute, flags, 0644), expected);
  show("open_relative", syscall(SYS_open, "real/target", flags, 0644), expected);
  show("open_through_link", syscall(SYS_open, "link/../link/./target", flags, 0644), expected);
  show("open_alias", syscall(SYS_open, "alias", flags, 0644), expected);
  show("creat", syscall(SYS_creat, "link/target", 0644), expected);
  show("openat_cwd", openat(AT_FDCWD, "real/target", flags, 0644), expected);
  show("openat_folder", openat(folder, "target", flags, 0644), expected);
  show("openat_absolute", openat(folder, absolute, flags, 0644), expected);
  show("openat2", syscall(SYS_openat2, folder, "target", &how, sizeof how), expected);
  show("beside", open("real/beside", flags, 0644), 0);
  show("unreadable", syscall(SYS_open, (char*)1, O_RDONLY) < 0 && errno == EFAULT ? 0 : -1, 0);
  CHECK(!failed);
  return succeed();
}
