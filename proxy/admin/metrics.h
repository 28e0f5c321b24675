#pragma once

// The proxy's counters as Prometheus scrapes them.

#include <memory>
#include <string>

namespace prometheus {
class Registry;
template <typename T>
class Family;
class Counter;
}  // namespace prometheus

namespace misrule::proxy {

struct AdminSubject;

class Metrics {
 public:
  Metrics();
  ~Metrics();
  Metrics(const Metrics&) = delete;
  Metrics& operator=(const Metrics&) = delete;

  void count_request(unsigned status);
  /// In the text format, as everything stands now.
  std::string text(const AdminSubject& subject) const;

 private:
  std::unique_ptr<prometheus::Registry> registry_;
  prometheus::Family<prometheus::Counter>& requests_;
};

}  // namespace misrule::proxy
