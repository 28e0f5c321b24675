// foreign_calls: a 32-bit call passes, io_uring is not there, nothing is killed.
#include <sys/syscall.h>
#include <unistd.h>

#include "check.h"

int main(void) {
  char parameters[120] = {0};
  CHECK(syscall(SYS_io_uring_setup, 4, parameters) == -1 && errno == ENOSYS);
#ifdef __x86_64__
  long pid = 0;
  // getpid by its i386 number.
  __asm__ volatile("int $0x80" : "=a"(pid) : "a"(20L) : "memory", "r8", "r9", "r10", "r11");
  CHECK(pid == getpid());
#endif
  return succeed();
}
