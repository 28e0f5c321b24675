#pragma once

// As much of a PostgreSQL server as a fuzzer's client asks: statements that name a key, in
// transactions, in both protocols.

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "tests/fuzz/model/table.h"

namespace misrule::codecs::postgres {

/// "k12" of a statement; empty if it names none.
std::string key_in(std::string_view sql);

class ModelPostgres final : public fuzz::ModelServer {
 public:
  std::string serve(std::string_view bytes) override;
  /// The keys of what was carried out, each as often as it was.
  const std::multiset<std::string>& done() const { return done_; }
  /// The state in each ReadyForQuery.
  const std::string& states() const { return states_; }

 private:
  std::string answer(char type, std::string_view body);
  std::string run_all(std::string_view query);
  std::string run(std::string_view statement, bool describes);
  std::string parse(std::string_view body);
  std::string bind(std::string_view body);
  std::string describe(std::string_view body);
  std::string execute(std::string_view body);
  std::string fail(std::string_view code, std::string_view text);
  std::string ready();
  bool refuses(std::string_view statement) const;

  std::string unread_ = {};
  std::map<std::string, std::string> statements_ = {};
  std::map<std::string, std::string> portals_ = {};
  std::multiset<std::string> done_ = {};
  std::string states_ = {};
  char state_ = 'I';
  bool began_ = false;
  bool skips_ = false;   // To the next Sync.
  bool failed_ = false;  // What was run last.
};

}  // namespace misrule::codecs::postgres
