#include "controller/observe/wal_values.h"

#include <algorithm>
#include <utility>

#include <boost/json.hpp>

#include "controller/steps/row_json.h"

namespace misrule::controller {
namespace {

namespace json = boost::json;

// pg_type.dat; these numbers never change.
constexpr std::uint32_t kNumeric = 1700;
constexpr std::uint32_t kJson = 114;
constexpr std::uint32_t kJsonb = 3802;
constexpr std::uint32_t kTexts[] = {25, 1042, 1043};
/// Of arrays, and of their elements.
constexpr std::pair<std::uint32_t, std::uint32_t> kArrays[] = {
    {1000, 16},   {1005, 21},   {1007, 23},   {1016, 20},   {1028, 26},   {1021, 700},
    {1022, 701},  {1231, 1700}, {1009, 25},   {1014, 1042}, {1015, 1043}, {1182, 1082},
    {1183, 1083}, {1115, 1114}, {1185, 1184}, {2951, 2950}, {199, 114},   {3807, 3802}};
constexpr int kDimensionsMax = 6;      // PostgreSQL's MAXDIM.
constexpr std::size_t kDepthMax = 24;  // What stands around it counts, too.

/// A document that whoever reads the event's payload can read as a part of it.
bool is_document(std::string_view text) {
  json::error_code error;
  json::parse_options options;
  options.max_depth = kDepthMax;
  json::stream_parser parser({}, options);
  parser.write(text.data(), text.size(), error);
  if (!error) parser.finish(error);
  return !error;
}

void append_scalar(std::string& out, std::uint32_t type_oid, std::string_view text) {
  const bool may_be_none = type_oid == kJson || type_oid == kJsonb || type_oid == kNumeric;
  if (may_be_none && !is_document(text)) return append_json_string(out, text);
  append_value_json(out, type_oid, text);
}

/// '{1,NULL,"a \"b\"",{…}}', as array_out() writes it.
class ArrayReader {
 public:
  ArrayReader(std::string_view text, std::uint32_t element) : rest_(text), element_(element) {}

  bool read(std::string& out) { return list(out, 1) && rest_.empty(); }

 private:
  bool eat(char wanted) {
    if (rest_.empty() || rest_.front() != wanted) return false;
    rest_.remove_prefix(1);
    return true;
  }
  bool list(std::string& out, int depth) {
    if (depth > kDimensionsMax || !eat('{')) return false;
    out += '[';
    if (!eat('}')) {
      do {
        if (!item(out, depth)) return false;
      } while (eat(',') && (out += ',', true));
      if (!eat('}')) return false;
    }
    out += ']';
    return true;
  }
  bool item(std::string& out, int depth) {
    if (rest_.starts_with('{')) return list(out, depth + 1);
    if (rest_.starts_with('"')) return quoted(out);
    const std::string_view text = rest_.substr(0, rest_.find_first_of(",}"));
    if (text.empty()) return false;
    rest_.remove_prefix(text.size());
    if (text == "NULL") {
      out += "null";
    } else {
      append_scalar(out, element_, text);
    }
    return true;
  }
  bool quoted(std::string& out) {
    std::string text;
    for (std::size_t i = 1; i < rest_.size(); ++i) {
      if (rest_[i] == '"') {
        rest_.remove_prefix(i + 1);
        append_scalar(out, element_, text);
        return true;
      }
      if (rest_[i] == '\\' && ++i == rest_.size()) return false;
      text.push_back(rest_[i]);
    }
    return false;
  }

  std::string_view rest_;
  std::uint32_t element_;
};

bool append_array(std::string& out, std::uint32_t type_oid, std::string_view text) {
  const auto* found =
      std::ranges::find(kArrays, type_oid, &std::pair<std::uint32_t, std::uint32_t>::first);
  if (found == std::end(kArrays)) return false;
  std::string list;
  // "[0:1]={…}" says where its indexes begin: that stays text.
  if (!ArrayReader(text, found->second).read(list)) return false;
  out += list;
  return true;
}

std::string_view beginning_of(std::string_view text) {
  std::size_t end = kWalValueBytesMax;
  const auto is_inside = [&] { return (static_cast<unsigned char>(text[end]) & 0xc0U) == 0x80U; };
  for (int back = 0; back < 3 && is_inside(); ++back) --end;
  return text.substr(0, end);
}

}  // namespace

bool append_wal_value(std::string& out, std::uint32_t type_oid, std::string_view text,
                      bool decode_text) {
  if (text.size() > kWalValueBytesMax) {
    append_json_string(out, beginning_of(text));
    return false;
  }
  if (append_array(out, type_oid, text)) return true;
  const bool is_text = std::ranges::find(kTexts, type_oid) != std::end(kTexts);
  const bool may_hold = decode_text && is_text && text.find_first_of("{[") == 0;
  append_scalar(out, may_hold && is_document(text) ? kJson : type_oid, text);
  return true;
}

}  // namespace misrule::controller
