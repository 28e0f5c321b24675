#pragma once

// As much of an HTTP/1.1 server as a fuzzer's client asks: a key's value, with a length or in
// chunks; and the reader of messages that both of them need.

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "tests/fuzz/model/table.h"

namespace misrule::codecs::http {

struct ModelMessage {
  std::string start = {};                          ///< "GET /k1 HTTP/1.1".
  std::map<std::string, std::string> fields = {};  ///< Names in small letters.
  std::string body = {};
};

/// Takes one message off; nothing while it is incomplete.
std::optional<ModelMessage> take_message(std::string_view& rest);
/// "k12" of "GET /k12 HTTP/1.1".
std::string key_of(const ModelMessage& request);
/// With a length, or in two chunks.
std::string with_body(std::string_view head, std::string_view body, bool in_chunks);

class ModelHttp final : public fuzz::ModelServer {
 public:
  std::string serve(std::string_view bytes) override;
  /// The keys of what was carried out, each as often as it was.
  const std::multiset<std::string>& done() const { return done_; }

 private:
  std::string unread_ = {};
  std::multiset<std::string> done_ = {};
};

}  // namespace misrule::codecs::http
