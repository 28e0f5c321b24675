#include "codecs/redis/reply_shape.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>

#include <fmt/format.h>

#include "codecs/redis/command_name.h"
#include "codecs/redis/command_table.h"

namespace misrule::codecs::redis {
namespace {

using S = ReplyShape;

struct Named {
  ReplyShape shape;
  std::string_view commands;
};
// As redis-server 7.0 answers, whatever the arguments are.
constexpr std::array kNamed = std::to_array<Named>({
    {S::kStatus,
     "|AUTH|SELECT|MSET|SETEX|PSETEX|HMSET|LSET|LTRIM|RENAME|TYPE|WATCH|UNWATCH|FLUSHALL|FLUSHDB|"
     "SWAPDB|RESTORE|PFMERGE|SAVE|BGSAVE|BGREWRITEAOF|CONFIG SET|CONFIG RESETSTAT|CONFIG REWRITE|"
     "CLIENT SETNAME|CLIENT PAUSE|CLIENT UNPAUSE|CLIENT TRACKING|CLIENT CACHING|SCRIPT FLUSH|"
     "XGROUP CREATE|XGROUP SETID|XSETID|ASKING|READONLY|READWRITE|REPLICAOF|SLAVEOF|FUNCTION FLUSH|"
     "FUNCTION RESTORE|"},
    {S::kText,
     "|GET|GETDEL|GETEX|GETSET|GETRANGE|SUBSTR|HGET|LINDEX|LMOVE|RPOPLPUSH|BLMOVE|BRPOPLPUSH|ECHO|"
     "RANDOMKEY|DUMP|INCRBYFLOAT|HINCRBYFLOAT|XADD|GEODIST|OBJECT ENCODING|CLIENT GETNAME|"
     "SCRIPT LOAD|ACL WHOAMI|ACL GENPASS|CLUSTER MYID|FUNCTION LOAD|FUNCTION DUMP|"},
    {S::kVerbatim, "|INFO|CLIENT INFO|CLIENT LIST|CLUSTER INFO|CLUSTER NODES|LOLWUT|"},
    {S::kNumber,
     "|INCR|INCRBY|DECR|DECRBY|APPEND|STRLEN|SETRANGE|SETNX|MSETNX|DEL|UNLINK|EXISTS|TOUCH|EXPIRE|"
     "PEXPIRE|EXPIREAT|PEXPIREAT|EXPIRETIME|PEXPIRETIME|TTL|PTTL|PERSIST|MOVE|COPY|RENAMENX|DBSIZE|"
     "LPUSH|RPUSH|LPUSHX|RPUSHX|LLEN|LREM|LINSERT|HSET|HSETNX|HDEL|HEXISTS|HLEN|HSTRLEN|HINCRBY|"
     "SADD|SREM|SCARD|SISMEMBER|SMOVE|SINTERCARD|SINTERSTORE|SUNIONSTORE|SDIFFSTORE|ZCARD|ZCOUNT|"
     "ZLEXCOUNT|ZREM|ZRANK|ZREVRANK|ZREMRANGEBYRANK|ZREMRANGEBYSCORE|ZREMRANGEBYLEX|ZUNIONSTORE|"
     "ZINTERSTORE|ZDIFFSTORE|ZRANGESTORE|ZINTERCARD|BITCOUNT|BITOP|BITPOS|GETBIT|SETBIT|PFADD|"
     "PFCOUNT|PUBLISH|SPUBLISH|XACK|XDEL|XLEN|XTRIM|XGROUP DESTROY|XGROUP CREATECONSUMER|"
     "XGROUP DELCONSUMER|WAIT|LASTSAVE|CLIENT ID|CLIENT UNBLOCK|OBJECT REFCOUNT|OBJECT IDLETIME|"
     "OBJECT FREQ|MEMORY USAGE|GEOADD|GEOSEARCHSTORE|COMMAND COUNT|CLUSTER KEYSLOT|PUBSUB NUMPAT|"},
    {S::kDouble, "|ZSCORE|ZINCRBY|"},
    {S::kTexts,
     "|MGET|KEYS|LRANGE|HKEYS|HVALS|HMGET|ZRANGEBYLEX|ZREVRANGEBYLEX|GEOHASH|BLPOP|BRPOP|"
     "PUBSUB CHANNELS|ACL USERS|ACL LIST|TIME|CONFIG HELP|"},
    {S::kMembers, "|SMEMBERS|SINTER|SUNION|SDIFF|"},
    {S::kNumbers, "|SMISMEMBER|SCRIPT EXISTS|BITFIELD_RO|BITFIELD|"},
    {S::kDoubles, "|ZMSCORE|"},
    {S::kPairs, "|HGETALL|CONFIG GET|"},
    {S::kLists, "|GEOPOS|"},
    {S::kPage, "|SCAN|SSCAN|HSCAN|ZSCAN|"},
    {S::kList,
     "|LMPOP|BLMPOP|ZMPOP|BZMPOP|BZPOPMIN|BZPOPMAX|XRANGE|XREVRANGE|XCLAIM|XPENDING|EXEC|"
     "ROLE|SLOWLOG GET|CLUSTER SLOTS|"},
});
constexpr std::string_view kRanges =
    "|ZRANGE|ZREVRANGE|ZRANGEBYSCORE|ZREVRANGEBYSCORE|ZUNION|ZINTER|ZDIFF|";
// Of these it depends on the arguments.
constexpr std::string_view kDepends =
    "|SET|PING|LPOP|RPOP|SPOP|SRANDMEMBER|ZADD|ZPOPMIN|ZPOPMAX|ZRANDMEMBER|";

bool is_among(std::string_view list, std::string_view name) {
  const std::size_t at = list.find(name);
  return at != std::string_view::npos && at > 0 && list[at - 1] == '|' &&
         at + name.size() < list.size() && list[at + name.size()] == '|';
}

bool says(std::span<const ByteView> arguments, std::string_view word) {
  return std::ranges::any_of(arguments, [&](ByteView said) { return is_word(said, word); });
}

ReplyShape by_arguments(std::string_view name, std::span<const ByteView> arguments) {
  const bool counted = arguments.size() > 1;
  if (name == "SET") return says(arguments, "GET") ? S::kText : S::kStatus;
  if (name == "PING") return arguments.empty() ? S::kStatus : S::kText;
  if (name == "LPOP" || name == "RPOP") return counted ? S::kTexts : S::kText;
  if (name == "SPOP") return counted ? S::kMembers : S::kText;
  if (name == "SRANDMEMBER") return counted ? S::kTexts : S::kText;
  if (name == "ZADD") return says(arguments, "INCR") ? S::kDouble : S::kNumber;
  if (name == "ZPOPMIN" || name == "ZPOPMAX") return counted ? S::kScores : S::kOneScore;
  if (says(arguments, "WITHSCORES")) return S::kScores;
  return counted || name != "ZRANDMEMBER" ? S::kTexts : S::kText;
}

bool is_list_shape(ReplyShape shape) {
  switch (shape) {
    case S::kTexts:
    case S::kMembers:
    case S::kNumbers:
    case S::kDoubles:
    case S::kPairs:
    case S::kScores:
    case S::kOneScore:
    case S::kList:
    case S::kLists:
    case S::kPage:
      return true;
    default:
      return false;
  }
}

std::string bulk(std::string_view text) { return fmt::format("${}\r\n{}\r\n", text.size(), text); }

// As redis-server writes them: 1, 1.5, inf.
std::string double_text(double number) {
  if (std::isinf(number)) return number > 0 ? "inf" : "-inf";
  return std::isnan(number) ? "nan" : fmt::format("{:.17g}", number);
}

std::string short_double(double number) {
  const std::string shortest = fmt::format("{}", number);
  return std::isfinite(number) && shortest.find('e') == std::string::npos ? shortest
                                                                          : double_text(number);
}

/// Writes values of one version.
class Writer {
 public:
  explicit Writer(int version) : is_3_(version == 3) {}

  void value(const Value& value, ReplyShape shape) {
    shape_ = shape;
    std::visit([this](const auto& held) { write(held); }, value.held);
  }
  std::string take() { return std::move(out_); }

 private:
  void write(std::monostate) {
    const bool list = is_list_shape(shape_);
    out_ += is_3_ ? "_\r\n" : (list ? "*-1\r\n" : "$-1\r\n");
  }

  // No command of the server itself answers with a boolean; scripts and modules do.
  void write(bool truth) {
    if (is_3_ && shape_ == S::kAny) {
      out_ += truth ? "#t\r\n" : "#f\r\n";
    } else {
      write(std::int64_t{truth ? 1 : 0});
    }
  }

  void write(std::int64_t number) {
    if (shape_ == S::kDouble) {
      write(static_cast<double>(number));
    } else if (is_text(shape_)) {
      write(fmt::to_string(number));
    } else {
      out_ += fmt::format(":{}\r\n", number);
    }
  }

  void write(double number) {
    const std::string text = short_double(number);
    out_ += is_3_ && !is_text(shape_) ? fmt::format(",{}\r\n", text) : bulk(text);
  }

  void write(const std::string& text) {
    const bool is_line = text.find_first_of("\r\n") == std::string::npos;
    if (shape_ == S::kStatus && is_line) {
      out_ += fmt::format("+{}\r\n", text);
    } else if (shape_ == S::kVerbatim && is_3_) {
      out_ += fmt::format("={}\r\ntxt:{}\r\n", text.size() + 4, text);
    } else {
      out_ += bulk(text);
    }
  }

  void write(const ValueList& list) {
    const ReplyShape shape = shape_;
    out_ += fmt::format("{}{}\r\n", is_3_ && shape == S::kMembers ? '~' : '*', list.size());
    for (std::size_t at = 0; at < list.size(); ++at) value(list[at], item_shape(shape, at));
  }

  void write(const ValueMap& map) {
    const bool scores = shape_ == S::kScores || shape_ == S::kOneScore;
    const bool in_pairs = is_3_ && shape_ == S::kScores;
    const ReplyShape of_value = value_shape(shape_);
    if (in_pairs) {
      out_ += fmt::format("*{}\r\n", map.size());
    } else if (is_3_ && !scores) {
      out_ += fmt::format("%{}\r\n", map.size());
    } else {
      out_ += fmt::format("*{}\r\n", map.size() * 2);
    }
    for (const auto& [name, held] : map) {
      if (in_pairs) out_ += "*2\r\n";
      out_ += bulk(name);
      value(held, of_value);
    }
  }

  static bool is_text(ReplyShape shape) {
    return shape == S::kText || shape == S::kVerbatim || shape == S::kStatus;
  }

  static ReplyShape item_shape(ReplyShape list, std::size_t at) {
    switch (list) {
      case S::kTexts:
      case S::kMembers:
      case S::kPairs:
        return S::kText;
      case S::kDoubles:
        return S::kDouble;
      case S::kNumbers:
        return S::kNumber;
      case S::kLists:
        return S::kList;
      case S::kPage:
        return at == 0 ? S::kText : S::kTexts;
      case S::kScores:
      case S::kOneScore:
        return at % 2 == 0 ? S::kText : S::kDouble;
      default:
        return S::kAny;
    }
  }

  static ReplyShape value_shape(ReplyShape map) {
    if (map == S::kPairs || map == S::kTexts) return S::kText;
    return map == S::kScores || map == S::kOneScore ? S::kDouble : S::kAny;
  }

  bool is_3_;
  ReplyShape shape_ = S::kAny;
  std::string out_;
};

template <class T>
bool holds(const Value& value) {
  return std::holds_alternative<T>(value.held);
}

}  // namespace

ReplyShape shape_of(std::string_view name, std::span<const ByteView> arguments) {
  for (const Named& named : kNamed) {
    if (is_among(named.commands, name)) return named.shape;
  }
  if (!is_among(kRanges, name) && !is_among(kDepends, name)) return S::kAny;
  const bool unsaid = arguments.empty() && name != "PING";
  return unsaid ? S::kAny : by_arguments(name, arguments);
}

bool can_hold(ReplyShape shape, const Value& value) {
  if (value.is_null()) return shape != S::kPage;
  const bool number = holds<std::int64_t>(value) || holds<double>(value);
  switch (shape) {
    case S::kAny:
      return true;
    case S::kStatus:
      return holds<std::string>(value);
    case S::kText:
    case S::kVerbatim:
      return holds<std::string>(value) || number;
    case S::kNumber:
      return holds<std::int64_t>(value) || holds<bool>(value);
    case S::kDouble:
      return number;
    case S::kPairs:
    case S::kScores:
    case S::kOneScore:
      return holds<ValueMap>(value);
    case S::kPage: {
      const auto* const page = std::get_if<ValueList>(&value.held);
      return page != nullptr && page->size() == 2 && !holds<ValueList>(page->front()) &&
             holds<ValueList>(page->back());
    }
    default:
      return holds<ValueList>(value);
  }
}

std::string_view words_for(ReplyShape shape) {
  switch (shape) {
    case S::kStatus:
      return "a status such as \"OK\", or None";
    case S::kText:
    case S::kVerbatim:
      return "a string or None";
    case S::kNumber:
      return "a whole number or None";
    case S::kDouble:
      return "a number or None";
    case S::kPairs:
      return "a dict of strings";
    case S::kScores:
    case S::kOneScore:
      return "a dict of members and scores";
    case S::kPage:
      return "a list of a cursor and a list";
    default:
      return "a list or None";
  }
}

std::string encoded_reply(const Value& value, ReplyShape shape, int version) {
  Writer writer(version);
  writer.value(value, shape);
  return writer.take();
}

}  // namespace misrule::codecs::redis
