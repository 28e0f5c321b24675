// interval_timer FILE: twenty writes under a signal every 5 ms. If a signal ended the wait for the
// supervisor, a write that is delayed longer than that would be issued again for ever.
#include <fcntl.h>
#include <signal.h>
#include <sys/time.h>
#include <unistd.h>

#include "check.h"

static volatile sig_atomic_t ticks;

static void tick(int signal) {
  (void)signal;
  if (++ticks > 2000) _exit(3);
}

int main(int argc, char** argv) {
  CHECK(argc == 2);
  int fd = open(argv[1], O_WRONLY | O_CREAT, 0644);
  struct sigaction action = {.sa_handler = tick, .sa_flags = SA_RESTART};
  CHECK(fd >= 0 && sigaction(SIGALRM, &action, NULL) == 0);
  struct itimerval every = {{0, 5000}, {0, 5000}};
  CHECK(setitimer(ITIMER_REAL, &every, NULL) == 0);
  for (int i = 0; i < 20; i++) CHECK(write(fd, "x", 1) == 1);
  CHECK(ticks > 0);
  struct itimerval off = {{0, 0}, {0, 0}};
  CHECK(setitimer(ITIMER_REAL, &off, NULL) == 0);
  return succeed();
}
