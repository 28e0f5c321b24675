// threads FILE COUNT MAX_MS: COUNT threads write at once; each write takes less than MAX_MS.
#include <fcntl.h>
#include <pthread.h>
#include <time.h>
#include <unistd.h>

#include "check.h"

static int fd;
static double slowest;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_barrier_t start;

static double now_ms(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1e3 + t.tv_nsec / 1e6;
}

static void* body(void* unused) {
  (void)unused;
  pthread_barrier_wait(&start);
  double begin = now_ms();
  CHECK(write(fd, "x", 1) == 1);
  double took = now_ms() - begin;
  pthread_mutex_lock(&lock);
  if (took > slowest) slowest = took;
  pthread_mutex_unlock(&lock);
  return NULL;
}

int main(int argc, char** argv) {
  CHECK(argc == 4);
  int count = atoi(argv[2]);
  fd = open(argv[1], O_WRONLY | O_CREAT | O_APPEND, 0644);
  CHECK(fd >= 0);
  pthread_barrier_init(&start, NULL, count);
  pthread_t threads[256];
  for (int i = 0; i < count; i++) CHECK(pthread_create(&threads[i], NULL, body, NULL) == 0);
  for (int i = 0; i < count; i++) pthread_join(threads[i], NULL);
  printf("slowest %.1f ms\n", slowest);
  CHECK(slowest < atof(argv[3]));
  return succeed();
}
