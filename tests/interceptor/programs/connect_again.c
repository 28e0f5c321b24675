// connect_again PORT: event loops that call connect() a second time learn the outcome of the first.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "check.h"

int main(int argc, char** argv) {
  CHECK(argc == 2);
  struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(atoi(argv[1]))};
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  int s = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  CHECK(connect(s, (struct sockaddr*)&to, sizeof to) == -1 && errno == EINPROGRESS);
  struct pollfd wait = {s, POLLOUT, 0};
  CHECK(poll(&wait, 1, 5000) == 1);
  CHECK(connect(s, (struct sockaddr*)&to, sizeof to) == 0);
  CHECK(connect(s, (struct sockaddr*)&to, sizeof to) == -1 && errno == EISCONN);
  return succeed();
}
