#include "spec/dsl/redis_steps.h"

#include <algorithm>
#include <array>

#include "spec/dsl/arguments.h"
#include "spec/dsl/session.h"

namespace misrule::dsl {

using star::Args;
using star::Value;

namespace {

/// A step that is one command with named arguments, in the order in which the command wants them.
/// "name=value" has a default; a name that ends in "..." takes all that follow.
struct Shape {
  std::string_view step = {};
  std::string_view command = {};
  std::array<std::string_view, 3> parameters = {};
  bool pairs = false;
};

constexpr std::array kShapes = {
    Shape{"append", "APPEND", {"key", "value"}},
    Shape{"dbsize", "DBSIZE", {}},
    Shape{"decr", "DECR", {"key"}},
    Shape{"delete", "DEL", {"key..."}},
    Shape{"exists", "EXISTS", {"key..."}},
    Shape{"expire", "EXPIRE", {"key", "seconds"}},
    Shape{"flushall", "FLUSHALL", {}},
    Shape{"get", "GET", {"key"}},
    Shape{"hdel", "HDEL", {"key", "field..."}},
    Shape{"hget", "HGET", {"key", "field"}},
    Shape{"hgetall", "HGETALL", {"key"}, true},
    Shape{"hincrby", "HINCRBY", {"key", "field", "by=1"}},
    Shape{"hset", "HSET", {"key", "field", "value"}},
    Shape{"incr", "INCR", {"key"}},
    Shape{"incrby", "INCRBY", {"key", "by"}},
    Shape{"keys", "KEYS", {"pattern=*"}},
    Shape{"llen", "LLEN", {"key"}},
    Shape{"lpop", "LPOP", {"key"}},
    Shape{"lpush", "LPUSH", {"key", "value..."}},
    Shape{"lrange", "LRANGE", {"key", "start=0", "stop=-1"}},
    Shape{"mget", "MGET", {"key..."}},
    Shape{"ping", "PING", {}},
    Shape{"publish", "PUBLISH", {"channel", "message"}},
    Shape{"rpop", "RPOP", {"key"}},
    Shape{"rpush", "RPUSH", {"key", "value..."}},
    Shape{"sadd", "SADD", {"key", "member..."}},
    Shape{"scard", "SCARD", {"key"}},
    Shape{"set", "SET", {"key", "value"}},
    Shape{"setex", "SETEX", {"key", "seconds", "value"}},
    Shape{"sismember", "SISMEMBER", {"key", "member"}},
    Shape{"smembers", "SMEMBERS", {"key"}},
    Shape{"srem", "SREM", {"key", "member..."}},
    Shape{"ttl", "TTL", {"key"}},
    Shape{"type", "TYPE", {"key"}},
    Shape{"xlen", "XLEN", {"key"}},
    Shape{"zadd", "ZADD", {"key", "score", "member"}},
    Shape{"zrange", "ZRANGE", {"key", "start=0", "stop=-1"}},
    Shape{"zscore", "ZSCORE", {"key", "member"}},
};
constexpr std::string_view kAnyCommand = "command";

std::string word_of(const Args& args, const Value& value, star::Span at) {
  if (const auto text = value.as_string()) return std::string(*text);
  if (const auto number = value.as_int()) return std::to_string(*number);
  if (const auto number = value.as_float()) return fmt::format("{}", *number);
  args.fail_at(at, star::code::kArgument,
               fmt::format("Redis takes strings and numbers, not a {}", value.type_name()));
}

std::string_view name_of(std::string_view parameter) {
  return parameter.substr(0, parameter.find_first_of("=."));
}

/// The words of one step: what was given by position or name, then the defaults.
class WordReader {
 public:
  WordReader(const Args& args, const Shape& shape) : args_(args), shape_(shape) {}

  RedisStep read(DurationText& timeout) {
    RedisStep step{.words = {std::string(shape_.command)}, .pairs = shape_.pairs};
    refuse_unknown(timeout);
    std::size_t at = 0;
    for (const std::string_view parameter : shape_.parameters) {
      if (parameter.empty()) break;
      if (parameter.ends_with("...")) {
        append_rest(name_of(parameter), at, step.words);
        return step;
      }
      append_one(parameter, at++, step.words);
    }
    if (args_.size() > at) {
      args_.fail_at(args_.span(at), star::code::kArgument,
                    fmt::format("got {} arguments, want at most {}", args_.size(), at));
    }
    return step;
  }

 private:
  void refuse_unknown(DurationText& timeout) {
    std::vector<std::string> known = {"timeout"};
    for (const std::string_view parameter : shape_.parameters) {
      if (!parameter.empty()) known.emplace_back(name_of(parameter));
    }
    for (std::size_t k = 0; k < args_.keywords().size(); ++k) {
      const std::string_view name = args_.keyword_name(k);
      if (std::ranges::find(known, name) == known.end()) {
        args_.fail_at(
            args_.keyword_span(k), star::code::kArgument,
            fmt::format("unexpected keyword argument \"{}\"{}", name, did_you_mean(name, known)),
            "it takes " + listed(known));
      }
      if (name == "timeout" && !convert(args_.keyword(k), timeout)) {
        args_.fail_at(args_.keyword_value_span(k), star::code::kArgument,
                      "timeout= is a duration such as \"3s\"");
      }
    }
  }

  void append_one(std::string_view parameter, std::size_t at, std::vector<std::string>& words) {
    const auto named = args_.find_keyword(name_of(parameter));
    if (at < args_.size()) {
      words.push_back(word_of(args_, args_[at], args_.span(at)));
    } else if (named) {
      words.push_back(word_of(args_, args_.keyword(*named), args_.keyword_value_span(*named)));
    } else if (const std::size_t sign = parameter.find('='); sign != parameter.npos) {
      words.emplace_back(parameter.substr(sign + 1));
    } else {
      args_.fail(star::code::kArgument, fmt::format("missing argument for {}", parameter));
    }
  }

  void append_rest(std::string_view name, std::size_t from, std::vector<std::string>& words) {
    const std::size_t before = words.size();
    for (std::size_t i = from; i < args_.size(); ++i) {
      words.push_back(word_of(args_, args_[i], args_.span(i)));
    }
    if (const auto named = args_.find_keyword(name)) {
      words.push_back(word_of(args_, args_.keyword(*named), args_.keyword_value_span(*named)));
    }
    if (words.size() == before) {
      args_.fail(star::code::kArgument, fmt::format("missing argument for {}", name));
    }
  }

  const Args& args_;
  const Shape& shape_;
};

}  // namespace

const std::vector<std::string>& redis_step_names() {
  static const std::vector<std::string> kNames = [] {
    std::vector<std::string> names = {std::string(kAnyCommand)};
    for (const Shape& shape : kShapes) names.emplace_back(shape.step);
    std::ranges::sort(names);
    return names;
  }();
  return kNames;
}

StepCall redis_call(const Args& args, std::string_view step) {
  DurationText timeout{std::chrono::seconds(30)};
  RedisStep redis;
  if (step == kAnyCommand) {
    constexpr Shape kWords{kAnyCommand, "", {"word..."}};
    redis = WordReader(args, kWords).read(timeout);
    redis.words.erase(redis.words.begin());
  } else {
    redis = WordReader(args, *std::ranges::find(kShapes, step, &Shape::step)).read(timeout);
  }
  if (timeout.value <= Duration::zero()) args.fail(star::code::kArgument, "timeout= is zero");
  StepCall call{.timeout = timeout.value};
  call.step = std::move(redis);
  return call;
}

}  // namespace misrule::dsl
