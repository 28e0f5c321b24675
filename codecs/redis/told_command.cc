#include "codecs/redis/told_command.h"

#include <algorithm>
#include <cstddef>
#include <limits>
#include <string_view>
#include <utility>

namespace misrule::codecs::redis {
namespace {

constexpr std::size_t kNameMax = 64;
constexpr std::size_t kSpecsMax = 16;
constexpr std::size_t kPartsMax = 512;
constexpr std::size_t kOldFields = 6;  // Name, arity, flags, first, last, step.

char letter(char c) {
  if (c == '|') return ' ';
  return c >= 'a' && c <= 'z' ? static_cast<char>(c - ('a' - 'A')) : c;
}

std::string name_of(std::string_view told) {
  if (told.size() > kNameMax) return {};
  std::string name(told);
  std::ranges::transform(name, name.begin(), letter);
  return name;
}

int small(std::optional<std::int64_t> number) {
  constexpr std::int64_t kMost = std::numeric_limits<std::int16_t>::max();
  return static_cast<int>(std::clamp(number.value_or(0), -kMost, kMost));
}

/// Names with values, as version 2 has them: {"type", "index", "spec", {...}}.
template <class Take>
void for_each_field(ToldValues& values, const Take& take) {
  const std::size_t size = values.array().value_or(0);
  for (std::size_t i = 0; i + 1 < size && !values.failed(); i += 2) {
    take(values.text().value_or(std::string_view()));
  }
  if (size % 2 != 0) values.skip();
}

/// A spec as it is told, of which not all need be understood.
struct ToldSpec {
  KeySpec spec = {};
  bool is_key = true;
  bool knows_begin = false;
  bool knows_number = false;
};

std::string_view word(ToldValues& values) { return values.text().value_or(std::string_view()); }

void read_begin_place(ToldValues& values, KeySpec& spec) {
  for_each_field(values, [&](std::string_view name) {
    if (name == "index" || name == "startfrom") {
      spec.from = small(values.number());
    } else if (name == "keyword") {
      spec.keyword = name_of(word(values));
    } else {
      values.skip();
    }
  });
}

void read_begin(ToldValues& values, ToldSpec& told) {
  for_each_field(values, [&](std::string_view name) {
    if (name == "spec") return read_begin_place(values, told.spec);
    if (name != "type") return values.skip();
    const std::string_view type = word(values);
    told.knows_begin = type == "index" || type == "keyword";
  });
}

int* place_of(KeySpec& spec, std::string_view name) {
  if (name == "lastkey") return &spec.last;
  if (name == "keystep") return &spec.step;
  if (name == "limit") return &spec.limit;
  if (name == "keynumidx") return &spec.number_at;
  return name == "firstkey" ? &spec.first_at : nullptr;
}

void read_places(ToldValues& values, KeySpec& spec) {
  for_each_field(values, [&](std::string_view name) {
    int* const place = place_of(spec, name);
    if (place == nullptr) return values.skip();
    *place = small(values.number());
  });
}

void read_number(ToldValues& values, ToldSpec& told) {
  for_each_field(values, [&](std::string_view name) {
    if (name == "spec") return read_places(values, told.spec);
    if (name != "type") return values.skip();
    const std::string_view type = word(values);
    told.spec.counted = type == "keynum";
    told.knows_number = told.spec.counted || type == "range";
  });
}

void read_spec_flags(ToldValues& values, ToldSpec& told) {
  const std::size_t flags = values.array().value_or(0);
  for (std::size_t i = 0; i < flags && !values.failed(); ++i) {
    if (word(values) == "not_key") told.is_key = false;
  }
}

ToldSpec read_spec(ToldValues& values) {
  ToldSpec told;
  for_each_field(values, [&](std::string_view name) {
    if (name == "flags") return read_spec_flags(values, told);
    if (name == "begin_search") return read_begin(values, told);
    if (name == "find_keys") return read_number(values, told);
    values.skip();
  });
  return told;
}

void read_specs(ToldValues& values, ToldCommand& command) {
  const auto count = values.array();
  command.has_specs = count.has_value();
  for (std::size_t i = 0; i < count.value_or(0) && !values.failed(); ++i) {
    const ToldSpec told = read_spec(values);
    if (!told.is_key) continue;
    const bool is_usable = told.knows_begin && told.knows_number && told.spec.step > 0;
    if (is_usable && command.specs.size() < kSpecsMax) {
      command.specs.push_back(told.spec);
    } else {
      command.keys_beyond_specs = true;
    }
  }
}

void read_flags(ToldValues& values, ToldCommand& command) {
  const std::size_t count = values.array().value_or(0);
  for (std::size_t i = 0; i < count && !values.failed(); ++i) {
    const std::string_view flag = values.text().value_or(std::string_view());
    if (flag == "write") command.writes = true;
    if (flag == "denyoom") command.grows = true;
    if (flag == "movablekeys") command.keys_beyond_specs = true;
  }
}

std::optional<ToldCommand> read_alone(ToldValues& values, std::size_t& fields_left) {
  const auto fields = values.array();
  if (!fields) return std::nullopt;
  if (*fields < kOldFields) {
    values.skip(*fields);
    return std::nullopt;
  }
  ToldCommand command;
  command.name = name_of(values.text().value_or(std::string_view()));
  values.skip();  // How many arguments it takes.
  read_flags(values, command);
  command.first = small(values.number());
  command.last = small(values.number());
  command.step = small(values.number());
  fields_left = *fields - kOldFields;
  if (fields_left >= 3) {
    values.skip(2);  // Categories, hints.
    // That keys move is of no interest where it is told how.
    command.keys_beyond_specs = false;
    read_specs(values, command);
    fields_left -= 3;
  }
  return command;
}

}  // namespace

std::optional<ToldCommand> read_told_command(ToldValues& values) {
  std::size_t left = 0;
  std::optional<ToldCommand> command = read_alone(values, left);
  if (!command || left == 0) return command;
  const std::size_t parts = values.array().value_or(0);
  for (std::size_t i = 0; i < parts && !values.failed(); ++i) {
    std::size_t left_of_part = 0;
    std::optional<ToldCommand> part = read_alone(values, left_of_part);
    values.skip(left_of_part);  // Parts have no parts.
    if (part && command->parts.size() < kPartsMax) command->parts.push_back(*std::move(part));
  }
  values.skip(left - 1);
  return command;
}

}  // namespace misrule::codecs::redis
