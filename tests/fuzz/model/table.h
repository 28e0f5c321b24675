#pragma once

// A client, a conversation and a server that answers what reaches it: who of them moves when, and
// how far, is chosen.

#include <cstddef>
#include <string>
#include <string_view>

#include "codecs/conversation.h"
#include "tests/codecs/pump.h"
#include "tests/fuzz/model/choices.h"

namespace misrule::fuzz {

class ModelServer {
 public:
  virtual ~ModelServer() = default;
  /// More of the stream of requests; what is said to it, which is nothing while one is incomplete.
  virtual std::string serve(std::string_view bytes) = 0;
};

class Table {
 public:
  Table(codecs::Conversation& conversation, ModelServer& server, Choices& choices)
      : pump_(conversation), server_(server), choices_(choices) {}

  /// The client says this, in pieces, between which other things happen.
  void say(std::string_view bytes);
  /// Everybody goes on until nothing moves any more.
  void settle();
  /// Both sides end their streams.
  void part();

  const std::string& heard() const { return pump_.to_client(); }
  bool closed() const { return pump_.closed(); }

 private:
  void something_happens();
  void serve();
  void deliver(std::size_t bytes);
  void release(codecs::Direction direction);

  codecs::Pump pump_;
  ModelServer& server_;
  Choices& choices_;
  std::size_t served_ = 0;    // Of what has reached the server.
  std::string answers_ = {};  // On their way to the proxy.
};

}  // namespace misrule::fuzz
