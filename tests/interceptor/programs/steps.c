// steps FILE FIFO: for each line of FIFO writes to FILE and tells the outcome; "quit" ends it.
#include <fcntl.h>
#include <unistd.h>

#include "check.h"

int main(int argc, char** argv) {
  CHECK(argc == 3);
  int fd = open(argv[1], O_WRONLY | O_CREAT, 0644);
  CHECK(fd >= 0);
  printf("ready\n");
  fflush(stdout);
  FILE* orders = fopen(argv[2], "r");
  CHECK(orders != NULL);
  char line[64];
  while (fgets(line, sizeof line, orders) && strcmp(line, "quit\n")) {
    int error = write(fd, "x", 1) == 1 ? 0 : errno;
    printf("outcome %d\n", error);
    fflush(stdout);
  }
  return succeed();
}
