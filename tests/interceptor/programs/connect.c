// connect FORM PORT [nonblock] [errno]: connects, shows the peer's greeting and what getpeername
// says. FORM is "4" (127.0.0.1), "6" (::1), "mapped" (::ffff:127.0.0.1), "any" (0.0.0.0).
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "check.h"

static socklen_t fill(const char* form, int port, struct sockaddr_storage* out) {
  memset(out, 0, sizeof *out);
  if (!strcmp(form, "4") || !strcmp(form, "any")) {
    struct sockaddr_in* in = (struct sockaddr_in*)out;
    in->sin_family = AF_INET;
    in->sin_port = htons(port);
    in->sin_addr.s_addr = htonl(!strcmp(form, "4") ? INADDR_LOOPBACK : INADDR_ANY);
    return sizeof *in;
  }
  struct sockaddr_in6* in6 = (struct sockaddr_in6*)out;
  in6->sin6_family = AF_INET6;
  in6->sin6_port = htons(port);
  CHECK(inet_pton(AF_INET6, !strcmp(form, "6") ? "::1" : "::ffff:127.0.0.1", &in6->sin6_addr) == 1);
  return sizeof *in6;
}

int main(int argc, char** argv) {
  CHECK(argc >= 3);
  struct sockaddr_storage to;
  socklen_t size = fill(argv[1], atoi(argv[2]), &to);
  int nonblock = argc > 3 && !strcmp(argv[3], "nonblock");
  int expected = argc > 4 ? atoi(argv[4]) : 0;
  int s = socket(to.ss_family, SOCK_STREAM | (nonblock ? SOCK_NONBLOCK : 0), 0);
  CHECK(s >= 0);
  int rc = connect(s, (struct sockaddr*)&to, size);
  if (expected) {
    CHECK(rc == -1 && errno == expected);
    return succeed();
  }
  if (nonblock) {
    // A TCP connect that does not block is never finished at once.
    CHECK(rc == -1 && errno == EINPROGRESS);
    struct pollfd wait = {s, POLLOUT, 0};
    CHECK(poll(&wait, 1, 5000) == 1);
    int error = -1;
    socklen_t length = sizeof error;
    CHECK(getsockopt(s, SOL_SOCKET, SO_ERROR, &error, &length) == 0 && error == 0);
    CHECK((fcntl(s, F_GETFL) & O_NONBLOCK) != 0);
    CHECK(fcntl(s, F_SETFL, fcntl(s, F_GETFL) & ~O_NONBLOCK) == 0);
  } else {
    CHECK(rc == 0);
    CHECK((fcntl(s, F_GETFL) & O_NONBLOCK) == 0);
    // Connected is connected: a second call says so.
    CHECK(connect(s, (struct sockaddr*)&to, size) == -1 && errno == EISCONN);
  }
  char word[64] = {0};
  ssize_t n = 0, got;
  while ((got = read(s, word + n, sizeof word - 1 - n)) > 0) n += got;
  CHECK(got == 0);
  printf("greeting %s\n", word);
  return succeed();
}
