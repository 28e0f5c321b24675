// A client, rules and a server that answers what reaches it: each command is answered exactly once,
// in order, with its own value or with what its rule wants; the server has done what the client and
// the events are told that it did, and nothing else.
//
// Input: what the client asks, what rules want, how the bytes are cut and who moves when.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "base/check.h"
#include "codecs/redis/conversation.h"
#include "tests/fuzz/redis/model_server.h"

namespace misrule::codecs::redis {
namespace {

using Kind = Verb::Kind;

constexpr int kCommandsMax = 24;
constexpr std::uint64_t kPassing = 3;  // Of what is cut off.

struct Asked {
  std::string name = {};
  std::string key = {};
  Kind kind = Kind::kForward;
  bool is_late = false;  ///< kPoison: an error of carrying out.
};

/// What the client must have heard, as far as a rule leaves no doubt.
class Expected {
 public:
  /// Plays all that was asked, as a server under rules answers it.
  explicit Expected(const std::vector<Asked>& asked) {
    for (const Asked& each : asked) {
      if (ended_) return;
      answer(each);
    }
  }

  const std::string& text() const { return text_; }
  /// Where, and how many, bytes may be changed.
  const std::vector<std::pair<std::size_t, std::size_t>>& changed() const { return changed_; }
  const std::vector<std::string>& done() const { return done_; }
  bool ended() const { return ended_; }

 private:
  static std::string error(const Asked& asked) {
    return fmt::format("-{} injected {}\r\n", asked.is_late ? "WRONGTYPE" : "OOM", asked.key);
  }

  void answer(const Asked& asked) {
    if (asked.kind == Kind::kClose || asked.kind == Kind::kReset) {
      ended_ = true;
    } else if (asked.name == "GET") {
      in_transaction_ ? queue(asked) : carry_out(asked);
    } else if (asked.name == "MULTI") {
      begin(asked);
    } else {
      finish(asked);
    }
  }

  void carry_out(const Asked& asked) {
    note_done(asked);
    if (asked.kind == Kind::kDuplicate) note_done(asked);
    tell(asked);
  }

  void queue(const Asked& asked) {
    const bool at_once = asked.kind == Kind::kPoison && !asked.is_late;
    refuses_ = refuses_ || at_once;
    if (!at_once) queue_.push_back(asked);
    text_ += at_once ? error(asked) : "+QUEUED\r\n";
  }

  void begin(const Asked& asked) {
    if (asked.kind == Kind::kPoison) {
      refuses_ = in_transaction_;
      text_ += error(asked);
      return;
    }
    ended_ = asked.kind == Kind::kLose;
    if (!ended_) text_ += in_transaction_ ? "-ERR MULTI calls can not be nested\r\n" : "+OK\r\n";
    in_transaction_ = true;
  }

  void finish(const Asked& asked) {
    const bool poisoned = asked.kind == Kind::kPoison;
    if (!in_transaction_) {
      ended_ = asked.kind == Kind::kLose;
      const bool told = poisoned || asked.kind == Kind::kMask;
      if (!ended_) {
        text_ += told ? error(asked) : fmt::format("-ERR {} without MULTI\r\n", asked.name);
      }
      return;
    }
    in_transaction_ = false;
    const auto queued = std::exchange(queue_, {});
    const bool refused = std::exchange(refuses_, false);
    if (poisoned) {
      text_ += "-EXECABORT Transaction discarded because of: " + error(asked).substr(1);
    } else if (asked.name == "DISCARD") {
      ended_ = asked.kind == Kind::kLose;
      if (!ended_) text_ += "+OK\r\n";
    } else {
      execute(asked, queued, refused);
    }
  }

  void execute(const Asked& exec, const std::vector<Asked>& queued, bool refused) {
    if (!refused) {
      for (const Asked& each : queued) note_done(each);
    }
    const auto is_lost = [](const Asked& each) { return each.kind == Kind::kLose; };
    // Of a lost item nobody hears the others either.
    ended_ = is_lost(exec) ||
             (!refused && exec.kind != Kind::kMask && std::ranges::any_of(queued, is_lost));
    if (ended_) return;
    if (exec.kind == Kind::kMask) {
      text_ += error(exec);
    } else if (refused) {
      text_ += "-EXECABORT Transaction discarded because of previous errors.\r\n";
    } else {
      text_ += fmt::format("*{}\r\n", queued.size());
      for (const Asked& each : queued) tell(each);
    }
  }

  void note_done(const Asked& asked) {
    if (asked.kind != Kind::kPoison && asked.kind != Kind::kRespond) done_.push_back(asked.key);
  }

  void tell(const Asked& asked) {
    if (ended_) return;
    const std::string real = bulk_of(value_of(asked.key));
    switch (asked.kind) {
      case Kind::kPoison:
      case Kind::kMask:
        text_ += error(asked);
        return;
      case Kind::kRespond:
      case Kind::kRewrite:
        text_ += bulk_of("made up " + asked.key);
        return;
      case Kind::kCorrupt:
        changed_.emplace_back(text_.size() + real.find('\n') + 1, value_of(asked.key).size());
        text_ += real;
        return;
      case Kind::kTruncate:
        text_ += real.substr(0, real.find('\n') + 1 + kPassing);
        ended_ = true;
        return;
      case Kind::kLose:
        ended_ = true;
        return;
      default:
        text_ += real;
    }
  }

 private:
  std::string text_ = {};
  std::vector<std::pair<std::size_t, std::size_t>> changed_ = {};
  std::vector<std::string> done_ = {};
  std::vector<Asked> queue_ = {};
  bool in_transaction_ = false;
  bool refuses_ = false;
  bool ended_ = false;
};

std::span<const Kind> kinds_for(std::string_view name) {
  static constexpr Kind kGet[] = {Kind::kPoison,  Kind::kMask,    Kind::kLose,    Kind::kClose,
                                  Kind::kReset,   Kind::kRespond, Kind::kRewrite, Kind::kDuplicate,
                                  Kind::kCorrupt, Kind::kTruncate};
  static constexpr Kind kMulti[] = {Kind::kPoison, Kind::kLose, Kind::kClose};
  static constexpr Kind kExec[] = {Kind::kPoison, Kind::kLose, Kind::kClose, Kind::kMask};
  static constexpr Kind kDiscard[] = {Kind::kLose, Kind::kReset};
  if (name == "GET") return kGet;
  if (name == "MULTI") return kMulti;
  return name == "EXEC" ? std::span<const Kind>(kExec) : std::span<const Kind>(kDiscard);
}

class Client {
 public:
  explicit Client(std::string_view input) : choices_(input) {
    host_.decide_as = [this](const Facts& facts) { return decide(facts); };
    // Now and then nobody listens: units pass undecided then.
    host_.idle_when = [this] { return choices_.byte() % 4 == 1; };
  }

  void run() {
    while (!choices_.over() && asked_.size() < kCommandsMax) ask();
    table_.settle();
    const Expected expected(asked_);
    compare(expected);
    const bool closed = table_.closed();
    table_.part();
    MISRULE_CHECK(closed == expected.ended());
    check_told();
  }

 private:
  void ask() {
    constexpr std::string_view kNames[] = {"GET", "GET", "GET", "GET", "MULTI", "EXEC", "DISCARD"};
    Asked asked{.name = std::string(kNames[choices_.below(std::size(kNames))]),
                .key = fmt::format("k{}", asked_.size() + 1)};
    std::vector<std::string> words = {asked.name};
    if (asked.name == "GET") words.push_back(asked.key);
    asked_.push_back(std::move(asked));
    table_.say(array_of(words));
  }

  Verb decide(const Facts& facts) {
    Asked& asked = asked_.at(facts.unit - 1);
    MISRULE_CHECK(facts.operation == asked.name);
    MISRULE_CHECK(asked.name != "GET" || facts.subject == asked.key);
    const std::uint8_t hold = choices_.byte();
    const std::span<const Kind> kinds = kinds_for(asked.name);
    if (choices_.below(3) == 1) asked.kind = kinds[choices_.byte() % kinds.size()];
    // A duplicate is not wanted where EXEC would answer it.
    if (asked.kind == Kind::kDuplicate && facts.state == "transaction") asked.kind = Kind::kForward;
    asked.is_late = asked.name == "GET" && asked.kind == Kind::kPoison && (hold & 64U) != 0;
    if (asked.kind == Kind::kMask) asked.is_late = false;
    Verb verb{.kind = asked.kind,
              .hold = Duration(hold % 4 == 1 ? 1 : 0),
              .hold_reply = (hold & 16U) != 0,
              .seed = hold,
              .tag = 1};
    verb.error = {.code = asked.is_late ? "WRONGTYPE" : "OOM", .message = "injected " + asked.key};
    if (asked.kind < Kind::kRespond) return verb;
    verb.plan = std::make_shared<const ReplyPlan>(
        ReplyPlan{.value = Value{"made up " + asked.key}, .bytes = kPassing});
    return verb;
  }

  void compare(const Expected& expected) const {
    std::string heard = table_.heard();
    std::string wanted = expected.text();
    for (const auto& [at, size] : expected.changed()) {
      MISRULE_CHECK(heard.size() >= at + size);
      heard.replace(at, size, size, 'x');
      wanted.replace(at, size, size, 'x');
    }
    if (heard != wanted) fmt::print(stderr, "heard:\n{}\nexpected:\n{}\n", heard, wanted);
    MISRULE_CHECK(heard == wanted);
    const std::vector<std::string>& done = server_.done();
    // Behind a lost answer the server goes on for a while.
    MISRULE_CHECK(expected.ended() ? done.size() >= expected.done().size()
                                   : done.size() == expected.done().size());
    MISRULE_CHECK(
        std::ranges::equal(expected.done(), std::span(done).first(expected.done().size())));
    MISRULE_CHECK(!host_.opaque.has_value());
  }

  /// Each unit once, and the truth about it.
  void check_told() const {
    // What is open on a connection that a rule has ended, the host tells by itself.
    MISRULE_CHECK(table_.closed() || host_.exchanges.size() == host_.decided);
    for (const Exchange& told : host_.exchanges) {
      const Asked& asked = asked_.at(told.unit - 1);
      if (asked.name != "GET" || told.server == ServerOutcome::kUnknown) continue;
      const bool done = std::ranges::find(server_.done(), asked.key) != server_.done().end();
      if (done != (told.server == ServerOutcome::kDid)) {
        fmt::print(stderr, "{}: told {}, done {}\n", asked.key, told.reply, done);
      }
      MISRULE_CHECK(done == (told.server == ServerOutcome::kDid));
    }
  }

  fuzz::Choices choices_;
  RecordingHost host_ = {};
  std::unique_ptr<Conversation> conversation_ =
      make_conversation(host_, {.reply_bytes_max = 128, .whole_reply_bytes_max = 256});
  ModelRedis server_ = {};
  fuzz::Table table_{*conversation_, server_, choices_};
  std::vector<Asked> asked_ = {};
};

}  // namespace
}  // namespace misrule::codecs::redis

extern "C" int LLVMFuzzerInitialize(int*, char***) {
  // The pump's own expectations are to stop the fuzzer.
  GTEST_FLAG_SET(break_on_failure, true);
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  misrule::codecs::redis::Client({reinterpret_cast<const char*>(data), size}).run();
  return 0;
}
