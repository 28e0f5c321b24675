// other_sockets PORT PATH: connects UDP to a declared port (as getaddrinfo does to sort addresses),
// a unix socket to PATH, and a TCP socket to nothing (AF_UNSPEC).
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "check.h"

int main(int argc, char** argv) {
  CHECK(argc == 3);
  struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(atoi(argv[1]))};
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  int udp = socket(AF_INET, SOCK_DGRAM, 0);
  CHECK(connect(udp, (struct sockaddr*)&to, sizeof to) == 0);
  struct sockaddr_in peer;
  socklen_t size = sizeof peer;
  CHECK(getpeername(udp, (struct sockaddr*)&peer, &size) == 0 && peer.sin_port == to.sin_port);

  struct sockaddr_un path = {.sun_family = AF_UNIX};
  strncpy(path.sun_path, argv[2], sizeof path.sun_path - 1);
  unlink(argv[2]);
  int listener = socket(AF_UNIX, SOCK_STREAM, 0);
  CHECK(bind(listener, (struct sockaddr*)&path, sizeof path) == 0 && listen(listener, 1) == 0);
  int local = socket(AF_UNIX, SOCK_STREAM, 0);
  CHECK(connect(local, (struct sockaddr*)&path, sizeof path) == 0);

  struct sockaddr nothing = {.sa_family = AF_UNSPEC};
  CHECK(connect(socket(AF_INET, SOCK_STREAM, 0), &nothing, sizeof nothing) == 0);
  CHECK(connect(udp, (struct sockaddr*)1, sizeof to) == -1 && errno == EFAULT);
  CHECK(connect(99, (struct sockaddr*)&to, sizeof to) == -1 && errno == EBADF);
  CHECK(connect(0, (struct sockaddr*)&to, sizeof to) == -1 && errno == ENOTSOCK);
  return succeed();
}
