#pragma once

// As much of a Redis server as a fuzzer's client asks: GET, transactions, and what it does not
// know.

#include <string>
#include <string_view>
#include <vector>

#include "tests/fuzz/model/table.h"

namespace misrule::codecs::redis {

std::string array_of(const std::vector<std::string>& words);
std::string bulk_of(std::string_view text);
/// What GET answers: long for some keys, so that not all of it is gathered.
std::string value_of(std::string_view key);

class ModelRedis final : public fuzz::ModelServer {
 public:
  std::string serve(std::string_view bytes) override;
  /// The keys of GET in the order in which they were carried out.
  const std::vector<std::string>& done() const { return done_; }

 private:
  std::string answer(const std::vector<std::string>& words);
  std::string end_transaction(std::string_view how);
  std::string carry_out(const std::vector<std::string>& words);

  std::string unread_ = {};
  std::vector<std::vector<std::string>> queue_ = {};
  std::vector<std::string> done_ = {};
  bool in_transaction_ = false;
  bool refuses_ = false;
};

}  // namespace misrule::codecs::redis
