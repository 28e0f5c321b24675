// A client, rules and a server that answers what reaches it: each request is answered at most once,
// in order, with its own value or with what its rule wants; and what the events say that the server
// did it has done.
//
// Input: what the client asks, what rules want, how the bytes are cut and who moves when.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "base/check.h"
#include "codecs/http/conversation.h"
#include "tests/fuzz/http/model_server.h"

namespace misrule::codecs::http {
namespace {

using Kind = Verb::Kind;

constexpr std::size_t kRequestsMax = 16;

struct Asked {
  std::string key = {};
  std::string body = {};
};

class Client {
 public:
  explicit Client(std::string_view input) : choices_(input) {
    host_.decide_as = [this](const Facts& facts) { return decide(facts); };
    // Now and then nobody listens: units pass undecided then.
    host_.idle_when = [this] { return choices_.byte() % 4 == 1; };
  }

  void run() {
    while (!choices_.over() && asked_.size() < kRequestsMax) ask();
    table_.settle();
    note_skipped();
    if (const std::string why = why_wrong(table_.heard()); !why.empty()) {
      fmt::print(stderr, "{}\n{}\n{}\n", why, table_.heard(), fmt::join(host_.log, "\n"));
      MISRULE_CHECK(why.empty());
    }
    MISRULE_CHECK(!host_.opaque.has_value());
    table_.part();
    check_told();
  }

 private:
  void ask() {
    Asked asked{.key = fmt::format("k{}", asked_.size() + 1)};
    const std::uint8_t shape = choices_.byte();
    const bool posts = shape % 3 == 0;
    if (posts) asked.body = std::string(shape / 3U, 'b');
    const std::string head =
        fmt::format("{} /{} HTTP/1.1\r\nHost: model\r\n", posts ? "POST" : "GET", asked.key);
    const std::string wire = posts ? with_body(head, asked.body, (shape & 1U) != 0) : head + "\r\n";
    asked_.push_back(std::move(asked));
    table_.say(wire);
  }

  Verb decide(const Facts& facts) {
    constexpr Kind kKinds[] = {Kind::kReplace, Kind::kMask,    Kind::kLose,     Kind::kClose,
                               Kind::kReset,   Kind::kRespond, Kind::kDuplicate};
    const std::string key(facts.subject.substr(1));
    MISRULE_CHECK(!kinds_.contains(key));
    key_of_[facts.unit] = key;
    const std::uint8_t hold = choices_.byte();
    Kind& kind = kinds_[key];
    if (choices_.below(3) == 1) kind = kKinds[choices_.byte() % std::size(kKinds)];
    Verb verb{.kind = kind,
              .hold = Duration(hold % 4 == 1 ? 1 : 0),
              .hold_reply = (hold & 16U) != 0,
              .error = {.status = 503, .body = "injected " + key},
              .tag = 7};
    if (kind < Kind::kRespond) return verb;
    verb.plan = std::make_shared<const ReplyPlan>(ReplyPlan{.status = 201, .body = "made " + key});
    return verb;
  }

  void note_skipped() {
    for (const std::string_view line : host_.log) {
      if (!line.starts_with("skipped ")) continue;
      kinds_[key_of_.at(std::stoull(std::string(line.substr(8))))] = Kind::kForward;
    }
  }

  Kind kind_of(const std::string& key) const {
    const auto found = kinds_.find(key);
    return found == kinds_.end() ? Kind::kForward : found->second;
  }

  static bool ends(Kind kind) {
    return kind == Kind::kClose || kind == Kind::kReset || kind == Kind::kLose;
  }

  /// Empty: nothing is.
  std::string why_wrong(std::string_view heard) const {
    const bool closed = table_.closed();
    if (closed && std::ranges::none_of(kinds_, [](const auto& k) { return ends(k.second); })) {
      return "nobody has ended the connection";
    }
    for (const Asked& asked : asked_) {
      const auto reply = take_message(heard);
      if (!reply && closed) return {};
      if (!reply) return "no answer to " + asked.key;
      const std::string wanted = wanted_of(asked);
      const std::string got = fmt::format("{} {}", reply->start.substr(9, 3), reply->body);
      if (got != wanted) return fmt::format("\"{}\", not \"{}\"", got, wanted);
    }
    return heard.empty() ? "" : "something is left";
  }

  std::string wanted_of(const Asked& asked) const {
    const Kind kind = kind_of(asked.key);
    if (ends(kind)) return "an end";
    if (kind == Kind::kReplace || kind == Kind::kMask) return "503 injected " + asked.key;
    if (kind == Kind::kRespond) return "201 made " + asked.key;
    const std::string said = asked.body.empty() ? "" : " for " + asked.body;
    return fmt::format("200 value of {}{}", asked.key, said);
  }

  /// Each unit once, and the truth about it.
  void check_told() const {
    MISRULE_CHECK(table_.closed() || host_.exchanges.size() == host_.decided);
    for (const Exchange& told : host_.exchanges) {
      if (told.server == ServerOutcome::kUnknown) continue;
      const std::string& key = key_of_.at(told.unit);
      const std::size_t times = server_.done().count(key);
      const std::size_t most = kind_of(key) == Kind::kDuplicate ? 2 : 1;
      const bool did = told.server == ServerOutcome::kDid;
      if (did != (times > 0) || times > most) {
        fmt::print(stderr, "{}: told {}, done {} times\n{}\n", key, told.reply, times,
                   fmt::join(host_.log, "\n"));
      }
      MISRULE_CHECK(did == (times > 0) && times <= most);
    }
  }

  fuzz::Choices choices_;
  RecordingHost host_ = {};
  std::unique_ptr<Conversation> conversation_ = make_conversation(host_);
  ModelHttp server_ = {};
  fuzz::Table table_{*conversation_, server_, choices_};
  std::vector<Asked> asked_ = {};
  std::map<std::string, Kind> kinds_ = {};
  std::map<std::uint64_t, std::string> key_of_ = {};
};

}  // namespace
}  // namespace misrule::codecs::http

extern "C" int LLVMFuzzerInitialize(int*, char***) {
  // The pump's own expectations are to stop the fuzzer.
  GTEST_FLAG_SET(break_on_failure, true);
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  misrule::codecs::http::Client({reinterpret_cast<const char*>(data), size}).run();
  return 0;
}
