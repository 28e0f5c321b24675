#pragma once

// How a program of this folder says what it expected, and that all was as expected.

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHECK(condition)                                                          \
  do {                                                                            \
    if (!(condition)) {                                                           \
      printf("%s:%d: %s, errno %d (%s)\n", __FILE__, __LINE__, #condition, errno, \
             strerror(errno));                                                    \
      exit(1);                                                                    \
    }                                                                             \
  } while (0)

static inline int succeed(void) {
  printf("EXIT-SUCCESS\n");
  return 0;
}
