#pragma once

// A response that does not end, as events: server-sent ones, or one for each line.
//
// HTTP knows no place in a stream: the barrier is that everything has been read that the service
// had written to its socket.

#include <memory>
#include <string>
#include <string_view>

#include "controller/observe/line_decoder.h"
#include "controller/observe/listener.h"

namespace misrule::controller {

class HttpTail final : public Listener {
 public:
  struct Wanted {
    std::string url = {};        ///< As the spec gives it.
    std::string path = {};       ///< With the query.
    std::string authority = {};  ///< "localhost:8080"
    LineDecoder decoder = {};
  };
  static Result<std::unique_ptr<HttpTail>> start(ListenerParts parts, Wanted wanted);
  ~HttpTail() override;

 private:
  struct Response;

  HttpTail(ListenerParts parts, Wanted wanted);

  Status open(const Patience& patience) override;
  void close() override;
  int fd() const override;
  Status take() override;
  Status ask(std::uint64_t question) override;
  bool can_resume() const override;

  Status send_request(const Patience& patience);
  Status await_head(const Patience& patience);
  Result<bool> receive();
  Status check_head();
  void take_body();
  void tell_line(std::string_view line);

  Wanted wanted_;
  std::unique_ptr<Response> response_;
};

}  // namespace misrule::controller
