// kinds FILE errno WHICH: writes to a file, a pipe, a TCP socket, a unix socket and standard
// output; those named in WHICH (letters f p t u s) fail with errno.
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "check.h"

static int failed;

static int tcp_pair(int out[2]) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t size = sizeof address;
  int listener = socket(AF_INET, SOCK_STREAM, 0);
  CHECK(bind(listener, (struct sockaddr*)&address, size) == 0 && listen(listener, 1) == 0);
  CHECK(getsockname(listener, (struct sockaddr*)&address, &size) == 0);
  out[0] = socket(AF_INET, SOCK_STREAM, 0);
  CHECK(connect(out[0], (struct sockaddr*)&address, size) == 0);
  out[1] = accept(listener, NULL, NULL);
  return out[1] >= 0;
}

int main(int argc, char** argv) {
  CHECK(argc == 4);
  int pipes[2], tcp[2], local[2];
  int file = open(argv[1], O_RDWR | O_CREAT, 0644);
  CHECK(file >= 0 && pipe(pipes) == 0 && tcp_pair(tcp));
  CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, local) == 0);
  struct {
    char letter;
    int fd;
  } all[] = {{'f', file}, {'p', pipes[1]}, {'t', tcp[0]}, {'u', local[0]}, {'s', 1}};
  for (unsigned i = 0; i < 5; i++) {
    int expected = strchr(argv[3], all[i].letter) ? atoi(argv[2]) : 0;
    ssize_t n = write(all[i].fd, "x\n", 2);
    int error = n < 0 ? errno : 0;
    if (error != expected) failed = 1;
    fprintf(stderr, "%c %d\n", all[i].letter, error);
  }
  int expected = strchr(argv[3], 't') ? atoi(argv[2]) : 0;
  ssize_t n = send(tcp[0], "x", 1, 0);
  CHECK((n < 0 ? errno : 0) == expected);
  CHECK(!failed);
  fprintf(stderr, "EXIT-SUCCESS\n");
  return 0;
}
