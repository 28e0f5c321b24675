// Replies of a peer that may be no Redis at all.

#include "controller/steps/redis_connection.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/socket.h>

namespace misrule::controller {
namespace {

using testing::HasSubstr;

class Talk {
 public:
  Talk() {
    int ends[2] = {-1, -1};
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends), 0);
    peer_.reset(ends[0]);
    connection_ = std::make_unique<RedisConnection>(UniqueFd(ends[1]));
  }
  void say(std::string_view bytes) const {
    ASSERT_EQ(::send(peer_.fd(), bytes.data(), bytes.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(bytes.size()));
  }
  /// Its text, "(array)" or "(nothing)"; or what is wrong.
  std::string take() {
    const auto reply = connection_->take();
    if (!reply) return reply.error().what;
    if (*reply == nullptr) return "(nothing)";
    return (*reply)->type == REDIS_REPLY_ARRAY ? "(array)" : std::string(text_of(**reply));
  }

  void hang_up() { peer_.reset(); }

 private:
  UniqueFd peer_;
  std::unique_ptr<RedisConnection> connection_;
};

long peak_kib() {
  rusage usage = {};
  ::getrusage(RUSAGE_SELF, &usage);
  return usage.ru_maxrss;
}

TEST(RedisConnectionTest, RepliesComeWholeHoweverTheyArrive) {
  Talk talk;
  EXPECT_EQ(talk.take(), "(nothing)");
  talk.say("+OK\r\n$3\r\na");
  EXPECT_EQ(talk.take(), "OK");
  EXPECT_EQ(talk.take(), "(nothing)");
  talk.say("bc\r\n*2\r\n:1\r\n*1\r\n+x\r\n*-1\r\n");
  EXPECT_EQ(talk.take(), "abc");
  EXPECT_EQ(talk.take(), "(array)");
}

// A header is five bytes; what it announces is not made.
TEST(RedisConnectionTest, ManyElementsAreRefusedAtTheirHeader) {
  Talk talk;
  talk.say("*2147483647\r\n");
  EXPECT_EQ(talk.take(), "the reply exceeds 1048576 elements");
}

TEST(RedisConnectionTest, TheBoundIsOneForAllThatAReplyHolds) {
  Talk talk;
  const long before = peak_kib();
  talk.say("*1048574\r\n*1\r\n+x\r\n*1\r\n+x\r\n");
  EXPECT_EQ(talk.take(), "(nothing)") << "just as many as may be";
  talk.say("*1\r\n");
  EXPECT_EQ(talk.take(), "the reply exceeds 1048576 elements");
  EXPECT_LT(peak_kib() - before, 64 * 1024);
}

TEST(RedisConnectionTest, EachReplyIsCountedAnew) {
  Talk talk;
  const std::string reply = "*3\r\n+a\r\n+b\r\n+c\r\n";
  for (int i = 0; i < 1000; ++i) {
    talk.say(reply);
    ASSERT_EQ(talk.take(), "(array)");
  }
  talk.say("*1048576\r\n");
  EXPECT_EQ(talk.take(), "(nothing)");
}

TEST(RedisConnectionTest, LinesHaveAnEnd) {
  for (const char* begin : {"+", "*1\r\n-", "$1", ":1"}) {
    Talk other;
    other.say(begin);
    std::string said = "(nothing)";
    for (int i = 0; i < 40 && said == "(nothing)"; ++i) {
      other.say(std::string(4096, '1'));
      said = other.take();
    }
    EXPECT_THAT(said, HasSubstr("the reply is not RESP: ")) << begin;
  }
}

TEST(RedisConnectionTest, AWholeValueMayBeLong) {
  Talk talk;
  talk.say("$100000\r\n");
  const std::string half(50000, 'x');
  talk.say(half);
  EXPECT_EQ(talk.take(), "(nothing)");
  talk.say(half + "\r\n");
  EXPECT_EQ(talk.take(), half + half);
}

TEST(RedisConnectionTest, GarbageAndAnEarlyEndAreErrors) {
  Talk talk;
  Talk other;
  other.say("HTTP/1.1 400 Bad Request\r\n");
  EXPECT_THAT(other.take(), HasSubstr("the reply is not RESP: "));
  talk.say("*2\r\n+only one\r\n");
  EXPECT_EQ(talk.take(), "(nothing)");
  talk.hang_up();
  EXPECT_EQ(talk.take(), "the server closed the connection without a reply");
}

}  // namespace
}  // namespace misrule::controller
