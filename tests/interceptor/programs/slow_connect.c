// slow_connect PORT: a connect that does not block; how long the call took and until the socket was
// ready, in milliseconds.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "check.h"

static double now_ms(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1e3 + t.tv_nsec / 1e6;
}

int main(int argc, char** argv) {
  CHECK(argc == 2);
  struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(atoi(argv[1]))};
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  int s = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  double begin = now_ms();
  CHECK(connect(s, (struct sockaddr*)&to, sizeof to) == -1 && errno == EINPROGRESS);
  double returned = now_ms();
  struct pollfd wait = {s, POLLOUT, 0};
  CHECK(poll(&wait, 1, 10000) == 1);
  double ready = now_ms();
  int error = -1;
  socklen_t length = sizeof error;
  CHECK(getsockopt(s, SOL_SOCKET, SO_ERROR, &error, &length) == 0 && error == 0);
  char word[16];
  wait.events = POLLIN;
  CHECK(poll(&wait, 1, 5000) == 1 && read(s, word, sizeof word) > 0);
  printf("%.1f %.1f ", returned - begin, ready - begin);
  return succeed();
}
