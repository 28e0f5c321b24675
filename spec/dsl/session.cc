#include "spec/dsl/session.h"

#include <algorithm>

namespace misrule::dsl {

void ThreadRegistry::add(star::Thread& thread) {
  const std::scoped_lock lock(mutex_);
  threads_.insert(&thread);
  if (reason_) thread.cancel(*reason_);
}

void ThreadRegistry::remove(star::Thread& thread) {
  const std::scoped_lock lock(mutex_);
  threads_.erase(&thread);
}

void ThreadRegistry::cancel_all(const std::string& reason) {
  const std::scoped_lock lock(mutex_);
  reason_ = reason;
  for (star::Thread* thread : threads_) thread->cancel(reason);
}

bool Session::is_family(std::string_view name) const {
  return std::ranges::find(options.syscall_families, name) != options.syscall_families.end();
}

std::set<std::string> Session::families_of(const std::string& service) const {
  std::set<std::string> families = families_for_all;
  families.insert("connect");
  for (const auto& [name, family] : families_by_service) {
    if (name == service) families.insert(family);
  }
  if (const model::Service* found = topology.find_service(service); found != nullptr) {
    families.insert(found->intercept.begin(), found->intercept.end());
  }
  return families;
}

star::Span Session::span_of(std::size_t service, std::string_view keyword) const {
  const auto found = keyword_spans[service].find(keyword);
  const bool known = found != keyword_spans[service].end() && found->second;
  return known ? found->second : service_spans[service];
}

Session& session_of(const star::Args& args) {
  return *static_cast<Session*>(args.thread().runtime().user());
}

RunState& run_of(const star::Args& args) {
  Session& session = session_of(args);
  const auto apart = session.apart.find(&args.thread());
  if (apart != session.apart.end()) {
    args.fail(star::code::kValue, fmt::format("has no place in {}, by steps", apart->second.what));
  }
  if (session.run == nullptr) {
    args.fail(star::code::kValue, "acts on a running system; call it in a test");
  }
  return *session.run;
}

model::SourcePosition position_of(star::Span at) {
  const star::Position position = at.position();
  return {.file = std::string(position.path), .line = position.line, .column = position.column};
}

TestHost& host_of(const star::Args& args) {
  const Session& session = session_of(args);
  const auto apart = session.apart.find(&args.thread());
  return apart != session.apart.end() ? *apart->second.host : run_of(args).host;
}

namespace {

unsigned code_points(std::string_view text) {
  return static_cast<unsigned>(std::ranges::count_if(
      text, [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; }));
}

/// Who called whom, innermost first, without what the finding's own position says.
void append_callers(std::vector<std::string>& lines, std::span<const star::CallFrame> frames) {
  std::string inner;
  for (std::size_t i = frames.size(); i-- > 0;) {
    if (frames[i].native) continue;
    if (!inner.empty()) {
      const model::SourcePosition at = position_of(frames[i].at);
      lines.push_back(fmt::format("{} called at {}:{}:{} in {}", inner, at.file, at.line, at.column,
                                  frames[i].name));
    }
    inner = frames[i].name;
  }
}

}  // namespace

unsigned column_end_of(star::Span at) {
  const std::string_view text = at.text();
  return at.position().column + code_points(text.substr(0, std::min(text.find('\n'), text.size())));
}

model::Finding finding_of(const star::Diagnostic& diagnostic) {
  model::Finding finding{.message = diagnostic.message,
                         .position = position_of(diagnostic.at),
                         .hint = diagnostic.help};
  if (diagnostic.at) {
    finding.column_end = column_end_of(diagnostic.at);
    finding.source_line = diagnostic.at.file->line(finding.position.line);
  }
  for (const star::Label& label : diagnostic.labels) {
    const model::SourcePosition at = position_of(label.at);
    finding.detail.push_back(
        label.at ? fmt::format("{}:{}:{}: {}", at.file, at.line, at.column, label.text)
                 : label.text);
  }
  append_callers(finding.detail, diagnostic.frames);
  return finding;
}

star::Diagnostic diagnostic_at(star::Severity severity, star::Span at, std::string message,
                               std::string help) {
  const bool error = severity == star::Severity::kError;
  return {.severity = severity,
          .code = std::string(error ? star::code::kValue : star::code::kLint),
          .message = std::move(message),
          .help = std::move(help),
          .at = at};
}

std::string listed(const std::vector<std::string>& names) {
  return fmt::format("{}", fmt::join(names, ", "));
}

std::string did_you_mean(std::string_view name, const std::vector<std::string>& candidates) {
  const std::vector<std::string_view> views(candidates.begin(), candidates.end());
  return star::did_you_mean(name, views);
}

}  // namespace misrule::dsl
