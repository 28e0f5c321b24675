#pragma once

// What a rule may want to know of a request beyond its method and path, now or when its reply or a
// message after it comes.

#include <memory>
#include <string>
#include <string_view>

#include "codecs/conversation.h"
#include "codecs/http/message_head.h"

namespace misrule::codecs::http {

/// A request that is remembered.
struct Asked {
  std::string head = {};
  std::string method = {};
  std::string target = {};
  std::string path = {};
  std::string body = {};  ///< As far as it was read ahead.

  static std::unique_ptr<Asked> of(const RequestHead& request);
  /// Of its reply, or of messages after it.
  Facts facts(Phase phase, std::uint64_t unit) const;
};

class RequestDetails final : public Details {
 public:
  RequestDetails(ByteView head, ByteView target, ByteView body)
      : head_(head), target_(target), body_(body) {}
  explicit RequestDetails(const Asked& asked)
      : RequestDetails(asked.head, asked.target, asked.body) {}

  /// The reply to it is known, too.
  RequestDetails& with_status(unsigned status);
  /// It is about a message; what cannot be read is not said.
  RequestDetails& with_message(std::optional<ByteView> text, std::string_view direction);

  bool any(Detail what, std::string_view key,
           const std::function<bool(std::string_view)>& wants) const override;

 private:
  ByteView head_;
  ByteView target_;
  ByteView body_;
  std::string status_;
  std::optional<ByteView> message_;
  std::string_view direction_;
};

}  // namespace misrule::codecs::http
