#pragma once

// What does this connection speak? Found out from a client's first bytes, where a listener was not
// told.
//
// Rules are for one protocol, so such a listener counts as several interfaces: its own, which is
// plain TCP, and one per protocol that can be found out ("main.postgres"). A rule that names the
// listener's interface is aimed at the one that speaks what the rule's match is about.

#include <array>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "codecs/conversation.h"
#include "proxy/proxy.h"
#include "spec/model/topology.h"

namespace misrule::proxy {

inline constexpr std::array kSniffed = {model::Protocol::kPostgres, model::Protocol::kHttp,
                                        model::Protocol::kRedis};

std::string sniffed_interface(std::string_view interface, model::Protocol protocol);
void declare_sniffed(model::Service& service, const std::string& interface);
void aim_at_sniffed(const Listener& listener, model::RuleSet& rules);

/// Nothing while these bytes may still become several; kTcp where they are nothing that we know.
std::optional<model::Protocol> sniff(ByteView first_bytes);

using ConversationOf = std::function<std::unique_ptr<codecs::Conversation>(model::Protocol)>;
/// Becomes `make(protocol)` when the first bytes have told. A server that speaks first is plain
/// TCP.
std::unique_ptr<codecs::Conversation> make_sniffing_conversation(codecs::ConversationHost& host,
                                                                 ConversationOf make);

}  // namespace misrule::proxy
