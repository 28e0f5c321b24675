// A client, rules and a server that answers what reaches it: each statement is answered at most
// once, in order, with its own row or with what its rule wants; each Query and each Sync ends with
// the server's own state; and what the events say that the server did it has done.
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

#include "base/bytes.h"
#include "base/check.h"
#include "codecs/postgres/conversation.h"
#include "codecs/postgres/fields.h"
#include "tests/codecs/postgres/wire.h"
#include "tests/fuzz/postgres/model_server.h"

namespace misrule::codecs::postgres {
namespace {

using Kind = Verb::Kind;

constexpr std::size_t kStatementsMax = 24;

/// What ends with one ReadyForQuery.
struct Group {
  bool extended = false;
  std::vector<std::string> statements = {};
};

/// What the client has heard, message by message: "1", "D(k4)", "C(SELECT 1)", "E(injected k4)".
class Heard {
 public:
  explicit Heard(std::string_view bytes) {
    while (!bytes.empty()) {
      ByteReader reader(bytes.substr(1));
      const std::size_t size = reader.read_u32();
      MISRULE_CHECK(reader.ok() && size < bytes.size());
      words_.push_back(word_for(bytes.front(), bytes.substr(5, size - 4)));
      bytes.remove_prefix(size + 1);
    }
  }

  bool over() const { return at_ == words_.size(); }
  bool take(std::string_view word) {
    const bool found = !over() && words_[at_] == word;
    if (found) ++at_;
    return found;
  }
  std::string next() { return over() ? std::string() : words_[at_++]; }
  std::string text() const { return fmt::format("{} from {} on", fmt::join(words_, " "), at_); }

 private:
  static std::string word_for(char type, std::string_view body) {
    switch (type) {
      case 'Z':
        return fmt::format("Z({})", body);
      case 'C':
        return fmt::format("C({})", read_text(body));
      case 'D':
        return fmt::format("D({})", body.substr(6));
      case 'E':
        return fmt::format("E({})", read_error(body).message);
      default:
        return {type};
    }
  }

  std::vector<std::string> words_ = {};
  std::size_t at_ = 0;
};

class Client {
 public:
  explicit Client(std::string_view input) : choices_(input) {
    host_.decide_as = [this](const Facts& facts) { return decide(facts); };
    // Now and then nobody listens: units pass undecided then.
    host_.idle_when = [this] { return choices_.byte() % 4 == 1; };
  }

  void run() {
    table_.say(wire::startup());
    while (!choices_.over() && asked_ < kStatementsMax) ask();
    table_.settle();
    note_skipped();
    Heard heard(table_.heard());
    if (const std::string why = why_wrong(heard); !why.empty()) {
      fmt::print(stderr, "{}: {}\n{}\n", why, heard.text(), fmt::join(host_.log, "\n"));
      MISRULE_CHECK(why.empty());
    }
    MISRULE_CHECK(!host_.opaque.has_value());
    table_.part();
    check_told();
  }

 private:
  void ask() {
    Group group{.extended = choices_.below(2) == 1};
    const std::size_t count = 1 + choices_.below(3);
    std::string wire;
    std::string query;
    while (group.statements.size() < count) {
      const std::string sql = statement();
      wire += wire::parse("", sql) + wire::bind("", "");
      if (choices_.below(2) == 1) wire += wire::describe_portal("");
      wire += wire::execute();
      query += (query.empty() ? "" : "; ") + sql;
      group.statements.push_back(sql);
    }
    const std::string said = group.extended ? wire + wire::sync() : wire::query(query);
    groups_.push_back(std::move(group));
    table_.say(said);
  }

  std::string statement() {
    const std::string key = fmt::format("k{}", ++asked_);
    switch (choices_.below(8)) {
      case 0:
        return fmt::format("begin /* {} */ work", key);
      case 1:
        return fmt::format("commit /* {} */ work", key);
      case 2:
        return fmt::format("rollback /* {} */ work", key);
      case 3:
      case 4:
        return fmt::format("insert into t values ('{}') returning a", key);
      default:
        return fmt::format("select '{}'", key);
    }
  }

  Verb decide(const Facts& facts) {
    constexpr Kind kKinds[] = {Kind::kPoison, Kind::kMask,    Kind::kLose,     Kind::kClose,
                               Kind::kReset,  Kind::kRespond, Kind::kDuplicate};
    const std::string key = key_in(facts.text);
    MISRULE_CHECK(!key.empty() && !kinds_.contains(key));
    key_of_[facts.unit] = key;
    const std::uint8_t hold = choices_.byte();
    Kind& kind = kinds_[key];
    // A server refuses no ROLLBACK, and all else in a failed transaction by itself.
    const bool speaks_for_itself = facts.subject.starts_with("rollback") || facts.state == "failed";
    if (choices_.below(3) == 1 && !speaks_for_itself) {
      kind = kKinds[choices_.byte() % std::size(kKinds)];
    }
    Verb verb{.kind = kind,
              .hold = Duration(hold % 4 == 1 ? 1 : 0),
              .hold_reply = (hold & 16U) != 0,
              .tag = 7};
    verb.error = {.code = "40001", .message = "injected " + key, .severity = "ERROR"};
    if (kind < Kind::kRespond) return verb;
    ReplyPlan plan{.columns = {"a"}};
    plan.rows.push_back({Value{"made " + key}});
    verb.plan = std::make_shared<const ReplyPlan>(std::move(plan));
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
  std::string why_wrong(Heard& heard) {
    const bool closed = table_.closed();
    if (closed && std::ranges::none_of(kinds_, [](const auto& k) { return ends(k.second); })) {
      return "nobody has ended the connection";
    }
    if (!(heard.take("R") && heard.take("K") && heard.take("Z(I)"))) return "no welcome";
    std::size_t ready = 1;
    for (const Group& group : groups_) {
      if (const std::string why = why_wrong(heard, group); !why.empty()) return why;
      if (closed && heard.over()) return {};
      // What was done twice has two ends, of which the client hears one.
      const std::string end = heard.next();
      if (!end.starts_with("Z(")) return "no end, but " + end;
      ready = server_.states().find(end[2], ready);
      if (ready++ == std::string::npos) return "not the server's state: " + end;
    }
    return heard.over() ? "" : "something is left";
  }

  std::string why_wrong(Heard& heard, const Group& group) {
    for (const std::string& sql : group.statements) {
      while (group.extended && (heard.take("1") || heard.take("2") || heard.take("n"))) {
      }
      const bool described = heard.take("T");
      if (heard.over()) return table_.closed() ? "" : "no answer to " + sql;
      const std::string key = key_in(sql);
      const std::string word = heard.next();
      if (word.starts_with("E")) return why_wrong_error(word, key);
      if (const std::string why = why_wrong_success(heard, word, sql); !why.empty()) return why;
      const bool has_rows = word.starts_with("D");
      if (!group.extended && has_rows != described) return "columns of " + sql;
    }
    return {};
  }

  std::string why_wrong_error(const std::string& word, const std::string& key) const {
    const Kind kind = kind_of(key);
    const bool injected = kind == Kind::kPoison || kind == Kind::kMask;
    if (word == fmt::format("E(injected {})", key)) return injected ? "" : "no rule: " + word;
    if (word == fmt::format("E(aborted {})", key)) return {};
    // So does what was put in a statement's place before the failure was known.
    if (word == "E(aborted )") return kind == Kind::kForward ? "no rule: " + word : "";
    return "an error of nobody: " + word;
  }

  std::string why_wrong_success(Heard& heard, const std::string& word,
                                const std::string& sql) const {
    const std::string key = key_in(sql);
    const Kind kind = kind_of(key);
    const std::string_view verb = std::string_view(sql).substr(0, sql.find(' '));
    // In a failed transaction COMMIT is one, and is refused as little.
    const bool rolls_back = verb == "commit" && word == "C(ROLLBACK)";
    const bool refused = kind == Kind::kPoison || kind == Kind::kMask || ends(kind);
    if (refused && !rolls_back) return "a success of " + sql;
    if (verb == "begin" || verb == "rollback" || verb == "commit") {
      const bool fits = verb == "begin"
                            ? word == "C(BEGIN)"
                            : word == "C(ROLLBACK)" || (verb == "commit" && word == "C(COMMIT)");
      return fits ? "" : word + " of " + sql;
    }
    const bool made = kind == Kind::kRespond;
    if (word != fmt::format("D({}{})", made ? "made " : "", key)) return word + " of " + sql;
    const std::string tag = heard.next();
    if (tag.empty() && table_.closed()) return {};
    return tag == (verb == "insert" ? "C(INSERT 0 1)" : "C(SELECT 1)") ? "" : tag + " of " + sql;
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
  ModelPostgres server_ = {};
  fuzz::Table table_{*conversation_, server_, choices_};
  std::vector<Group> groups_ = {};
  std::size_t asked_ = 0;
  std::map<std::string, Kind> kinds_ = {};
  std::map<std::uint64_t, std::string> key_of_ = {};
};

}  // namespace
}  // namespace misrule::codecs::postgres

extern "C" int LLVMFuzzerInitialize(int*, char***) {
  // The pump's own expectations are to stop the fuzzer.
  GTEST_FLAG_SET(break_on_failure, true);
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  misrule::codecs::postgres::Client({reinterpret_cast<const char*>(data), size}).run();
  return 0;
}
