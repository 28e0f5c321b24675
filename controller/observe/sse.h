#pragma once

// Which events does a stream of server-sent events hold? Pure.

#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace misrule::controller {

struct SseEvent {
  std::string name = {};  ///< "message" if the stream names none.
  std::string data = {};
  std::string id = {};  ///< The latest of the stream; empty if it has none.
};

class SseParser {
 public:
  using OnEvent = std::function<void(const SseEvent&)>;
  void feed(std::string_view bytes, const OnEvent& on_event);
  /// The connection broke: what was not ended is forgotten, the latest id is not.
  void restart();

  const std::string& last_id() const { return id_; }

 private:
  void take_line(const OnEvent& on_event);
  void dispatch(const OnEvent& on_event);

  std::string line_ = {};
  bool after_return_ = false;  ///< A line feed that comes next belongs to the line before.
  bool is_first_line_ = true;
  std::string name_ = {};
  std::optional<std::string> data_ = {};
  std::string id_ = {};
};

}  // namespace misrule::controller
