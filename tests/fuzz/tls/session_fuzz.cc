// TLS on both legs against peers that lie, stall, cut and tamper: only what an honest peer
// encrypted comes out on the other side, in order and from its beginning; how the bytes are cut
// changes nothing; and of a connection whose peers are gone nothing stays.
//
// Input: a byte that says the protocol and which legs speak TLS, then steps of the peers.

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "base/check.h"
#include "codecs/tcp/conversation.h"
#include "proxy/net/tls_listener.h"
#include "tests/proxy/net/test_bed.h"
#include "tests/proxy/net/tls_peer.h"

namespace misrule::proxy::testing {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kSslRequest("\0\0\0\x08\x04\xd2\x16\x2f", 8);
constexpr std::size_t kStepsMax = 64;

const Authority& authority() {
  static const std::unique_ptr<Authority> made = [] {
    const std::string folder = fs::temp_directory_path() / fmt::format("tls-fuzz-{}", ::getpid());
    fs::create_directory(folder);
    MISRULE_CHECK(make_authority(folder).has_value());
    auto loaded = *Authority::load(folder);
    fs::remove_all(folder);
    return loaded;
  }();
  return *made;
}

const Identity& server_identity() {
  static const Identity made = *authority().issue({"db"});
  return made;
}

std::unique_ptr<codecs::Conversation> make_plain_conversation(model::Protocol,
                                                              codecs::ConversationHost& host) {
  return codecs::tcp::make_conversation(host);
}

class Input {
 public:
  explicit Input(std::string_view bytes) : rest_(bytes) {}
  bool empty() const { return rest_.empty(); }
  std::uint8_t byte() {
    if (rest_.empty()) return 0;
    const auto first = static_cast<std::uint8_t>(rest_.front());
    rest_.remove_prefix(1);
    return first;
  }
  std::string_view bytes(std::size_t count) {
    const std::string_view taken = rest_.substr(0, count);
    rest_.remove_prefix(taken.size());
    return taken;
  }

 private:
  std::string_view rest_;
};

struct Setting {
  model::Protocol protocol = model::Protocol::kTcp;
  bool client_leg = true;
  bool server_leg = false;
  bool asks_first = false;  ///< As PostgreSQL's clients ask for TLS.
};

Setting setting_of(std::uint8_t choice) {
  constexpr model::Protocol kProtocols[] = {model::Protocol::kTcp, model::Protocol::kHttp,
                                            model::Protocol::kPostgres, model::Protocol::kRedis};
  Setting setting{.protocol = kProtocols[choice % 4]};
  setting.server_leg = (choice & 4U) != 0;
  setting.client_leg = !setting.server_leg || (choice & 8U) != 0;
  setting.asks_first = setting.protocol == model::Protocol::kPostgres;
  return setting;
}

std::unique_ptr<TlsListener> listener_of(const Setting& setting) {
  Listener listener{.service = "db", .protocol = setting.protocol};
  if (setting.client_leg) listener.tls.emplace();
  if (setting.server_leg) listener.upstream_tls = ServerTls{.verify = ServerTls::Verify::kNone};
  return *TlsListener::make(listener, &authority());
}

/// One for all inputs with this first byte: what a connection leaves behind, the next one meets.
TestBed& bed_for(std::uint8_t choice) {
  static std::map<int, std::unique_ptr<TestBed>> beds;
  std::unique_ptr<TestBed>& bed = beds[choice % 16];
  const Setting setting = setting_of(choice);
  if (!bed) {
    bed =
        std::make_unique<TestBed>(setting.protocol, listener_of(setting), make_plain_conversation);
  }
  return *bed;
}

/// One peer: honest behind its TLS, and on the wire somebody who is not.
class Side {
 public:
  Side(Peer& wire, bool secured, const Identity* identity)
      : wire_(wire), secured_(secured), honest_(identity) {
    honest_.be_tampered_with([this](std::string& bytes) { tamper(bytes); });
  }

  void send_raw(std::string_view bytes) {
    ::send(wire_.fd(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (!secured_) said_ += bytes;
  }
  void step(std::uint8_t place, std::uint8_t change) {
    place_ = place;
    change_ = change;
    if (secured_) {
      honest_.step(wire_);
    } else {
      heard_ += wire_.receive();
    }
    change_ = 0;
    hear();
  }
  void say(std::size_t size) {
    const std::string text(size, static_cast<char>('a' + said_.size() % 26));
    if (!secured_) return send_raw(text);
    if (!honest_.stands()) return;
    said_ += text;
    honest_.send(wire_, text);
  }
  void end(std::uint8_t how) {
    if (how == 0 && secured_ && honest_.stands()) honest_.end(wire_);
    if (how == 1) wire_.shut_sending();
    if (how == 2) wire_.close();
  }
  void hear() { heard_ += secured_ ? honest_.receive(wire_) : wire_.receive(); }
  void leave() { wire_.close(); }

  Peer& wire() { return wire_; }
  const std::string& said() const { return said_; }
  const std::string& heard() const { return heard_; }

 private:
  void tamper(std::string& bytes) const {
    if (change_ == 0 || bytes.empty()) return;
    bytes[std::size_t{place_} * bytes.size() / 256] ^= static_cast<char>(change_);
  }

  Peer& wire_;
  bool secured_;
  TlsPeer honest_;
  std::string said_ = {};
  std::string heard_ = {};
  std::uint8_t place_ = 0;
  std::uint8_t change_ = 0;
};

class Meeting {
 public:
  Meeting(TestBed& bed, const Setting& setting, std::size_t cut)
      : bed_(bed),
        wires_(bed_.connect()),
        client_(wires_.client, setting.client_leg, nullptr),
        server_(wires_.server, setting.server_leg, &server_identity()),
        cut_(cut) {
    if (setting.asks_first && setting.client_leg) ask(client_.wire(), kSslRequest, "S");
    if (setting.asks_first && setting.server_leg && !setting.client_leg) {
      // The proxy asks when the client has begun.
      client_.send_raw(std::string_view("\0\0\0\x08\0\3\0\0", 8));
      bed_.settle();
    }
  }

  void run(Input input) {
    for (std::size_t steps = 0; !input.empty() && steps < kStepsMax; ++steps) {
      const std::uint8_t what = input.byte();
      Side& side = (what & 4U) != 0 ? server_ : client_;
      act(side, what & 3U, what >> 3U, input);
      bed_.settle();
    }
    client_.hear();
    server_.hear();
  }

  std::size_t open() { return bed_.shard.counts().connections_open.value(); }
  void part() {
    client_.leave();
    server_.leave();
    bed_.settle();
    bed_.advance(std::chrono::minutes(2));
  }
  const Side& client() const { return client_; }
  const Side& server() const { return server_; }

 private:
  void ask(Peer& wire, std::string_view question, std::string_view expected) {
    wire.send(question);
    bed_.settle();
    MISRULE_CHECK(wire.receive() == expected);
  }

  void act(Side& side, unsigned kind, std::uint8_t number, Input& input) {
    switch (kind) {
      case 0:
        return feed(side, input.bytes(input.byte()));
      case 1:
        return side.step(number % 2 == 0 ? 0 : input.byte(), number % 2 == 0 ? 0 : input.byte());
      case 2:
        return side.say(std::size_t{number} * number + 1);
      default:
        if (number % 4 == 3) return bed_.advance(std::chrono::seconds(number));
        return side.end(number % 4);
    }
  }

  void feed(Side& side, std::string_view bytes) {
    for (std::size_t at = 0; at < bytes.size(); at += cut_) {
      side.send_raw(bytes.substr(at, cut_));
      bed_.settle();
    }
  }

  TestBed& bed_;
  Pair wires_;
  Side client_;
  Side server_;
  std::size_t cut_;
};

// What the server has heard.
std::string outcome(std::string_view bytes, std::size_t cut) {
  Input input(bytes);
  const std::uint8_t choice = input.byte();
  const Setting setting = setting_of(choice);
  Meeting meeting(bed_for(choice), setting, cut);
  meeting.run(input);
  const bool speaks_up = setting.protocol == model::Protocol::kPostgres;
  // The proxy itself asks PostgreSQL's server for TLS, and tells its client what went wrong.
  if (!speaks_up || !setting.server_leg) {
    MISRULE_CHECK(meeting.client().said().starts_with(meeting.server().heard()));
  }
  if (!speaks_up) MISRULE_CHECK(meeting.server().said().starts_with(meeting.client().heard()));
  std::string heard = meeting.server().heard();
  meeting.part();
  MISRULE_CHECK(meeting.open() == 0);
  return heard;
}

}  // namespace
}  // namespace misrule::proxy::testing

extern "C" int LLVMFuzzerInitialize(int*, char***) {
  // The test bed's own expectations are to stop the fuzzer.
  GTEST_FLAG_SET(break_on_failure, true);
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using misrule::proxy::testing::outcome;
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const std::string whole = outcome(input, std::string::npos / 2);
  MISRULE_CHECK(whole == outcome(input, 13));
  return 0;
}
