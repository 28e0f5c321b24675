// What a C program does with Redis: commands, a pipeline, a transaction, a subscription, errors.
// Prints what it sees.

#include <hiredis/hiredis.h>
#include <stdio.h>
#include <stdlib.h>

static void show(const char* what, redisReply* reply) {
  if (reply == NULL) {
    fprintf(stderr, "%s: no reply\n", what);
    exit(1);
  }
  printf("%s type %d integer %lld text %.*s elements %zu\n", what, reply->type, reply->integer,
         (int)reply->len, reply->str ? reply->str : "", reply->elements);
  for (size_t i = 0; i < reply->elements; ++i) {
    const redisReply* item = reply->element[i];
    printf("  type %d integer %lld text %.*s\n", item->type, item->integer, (int)item->len,
           item->str ? item->str : "");
  }
  freeReplyObject(reply);
}

static void pipeline(redisContext* redis) {
  for (int i = 0; i < 1000; ++i) redisAppendCommand(redis, "SET k:%d %d", i, i);
  for (int i = 0; i < 1000; ++i) redisAppendCommand(redis, "GET k:%d", i);
  for (int i = 0; i < 2000; ++i) {
    redisReply* reply = NULL;
    if (redisGetReply(redis, (void**)&reply) != REDIS_OK) exit(2);
    if (i >= 1000) printf("pipelined %s\n", reply->str);
    freeReplyObject(reply);
  }
}

int main(int count, char** arguments) {
  redisContext* redis = redisConnect("127.0.0.1", atoi(count > 1 ? arguments[1] : "6379"));
  if (redis == NULL || redis->err != 0) return 3;
  show("set", redisCommand(redis, "SET k %b", "a\0b\r\n", (size_t)5));
  show("get", redisCommand(redis, "GET k"));
  show("nil", redisCommand(redis, "GET none"));
  show("push", redisCommand(redis, "RPUSH l 1 2 3"));
  show("range", redisCommand(redis, "LRANGE l 0 -1"));
  show("wrong", redisCommand(redis, "INCR l"));
  pipeline(redis);
  show("multi", redisCommand(redis, "MULTI"));
  show("queued", redisCommand(redis, "INCR n"));
  show("queued", redisCommand(redis, "GET k"));
  show("exec", redisCommand(redis, "EXEC"));
  show("subscribe", redisCommand(redis, "SUBSCRIBE channel"));
  show("unsubscribe", redisCommand(redis, "UNSUBSCRIBE channel"));
  show("ping", redisCommand(redis, "PING"));
  redisFree(redis);
  return 0;
}
