#include "codecs/http/rewrite_head.h"

#include "codecs/http/field_lines.h"
#include "codecs/http/head_edit.h"
#include "codecs/http/head_fields.h"

namespace misrule::codecs::http {

bool is_bodiless(unsigned status) {
  return status < 200 || status == 204 || status == 205 || status == 304;
}

bool is_event_stream(ByteView head) {
  const auto type = find_field(head, "content-type");
  if (!type.has_value()) return false;
  const ByteView plain = type->substr(0, type->find_first_of("; \t"));
  return equal_without_case(plain, "text/event-stream");
}

std::string rewritten_head(ByteView head, unsigned status, const ReplyPlan& plan,
                           bool answers_head) {
  HeadEdit edit(head);
  if (plan.status != 0) {
    edit.set_status(plan.status);
    const bool loses_body = is_bodiless(plan.status);
    const bool gets_body = is_bodiless(status) && !answers_head;
    if (loses_body || gets_body) {
      for (const auto* name : {"Transfer-Encoding", "Trailer", "Content-Length"}) edit.remove(name);
    }
    if (plan.status == 205 || (gets_body && !loses_body)) edit.set("Content-Length", "0");
  }
  edit.apply(plan.headers);
  return edit.take();
}

}  // namespace misrule::codecs::http
