#include "codecs/postgres/parse_tree.h"

#include <algorithm>
#include <array>
#include <list>
#include <unordered_map>

#include <boost/json.hpp>
#include <pg_query.h>

#include "base/bytes.h"

namespace misrule::codecs::postgres {

namespace {

namespace json = boost::json;

constexpr std::size_t kDepthMax = 400;
constexpr std::size_t kShapesMax = 4096;
constexpr std::size_t kShapeBytesMax = 4 * kMiB;  // Of the texts that shapes are kept by.

/// What PostgreSQL's parser makes of a text, as JSON; empty if it refuses it.
std::string tree_text(const std::string& raw) {
  const PgQueryParseResult result = pg_query_parse(raw.c_str());
  std::string text = result.error == nullptr ? result.parse_tree : std::string();
  pg_query_free_parse_result(result);
  return text;
}

std::string_view text_at(const json::object& object, std::string_view key) {
  const json::value* const value = object.if_contains(key);
  const json::string* const text = value == nullptr ? nullptr : value->if_string();
  return text == nullptr ? std::string_view() : std::string_view(*text);
}

const json::array* list_at(const json::object& object, std::string_view key) {
  const json::value* const value = object.if_contains(key);
  return value == nullptr ? nullptr : value->if_array();
}

const json::object* node_at(const json::value& value, std::string_view kind) {
  const json::object* const object = value.if_object();
  const json::value* const node = object == nullptr ? nullptr : object->if_contains(kind);
  return node == nullptr ? nullptr : node->if_object();
}

/// {"String": {"sval": "x"}}.
std::string_view string_node(const json::value& value) {
  const json::object* const node = node_at(value, "String");
  if (node == nullptr) return {};
  const std::string_view text = text_at(*node, "sval");
  return text.empty() ? text_at(*node, "str") : text;
}

void add_once(std::vector<std::string>& names, std::string_view name) {
  if (name.empty() || std::ranges::find(names, name) != names.end()) return;
  names.emplace_back(name);
}

/// Collects what is named, wherever it stands in the tree.
class Names {
 public:
  explicit Names(StatementShape& shape) : shape_(shape) {}

  void walk(const json::value& value) {
    if (const json::array* const list = value.if_array()) {
      for (const json::value& item : *list) walk(item);
    }
    const json::object* const object = value.if_object();
    if (object == nullptr) return;
    for (const auto& [key, child] : *object) {
      if (const json::object* const node = child.if_object()) see(key, *node);
      walk(child);
    }
    if (object->contains("relname") && object->contains("relpersistence")) see_table(*object);
  }

  /// What WITH names is no table.
  void forget_common_tables() {
    std::erase_if(shape_.tables, [this](const std::string& table) {
      return std::ranges::find(common_tables_, table) != common_tables_.end();
    });
  }

 private:
  void see(std::string_view kind, const json::object& node) {
    if (kind == "ColumnRef") see_column(node);
    if (kind == "ColumnDef") add_once(shape_.columns, text_at(node, "colname"));
    if (kind == "CommonTableExpr") add_once(common_tables_, text_at(node, "ctename"));
    if (kind == "InsertStmt") see_targets(node, "cols");
    if (kind == "UpdateStmt" || kind == "onConflictClause") see_targets(node, "targetList");
    if (kind == "CopyStmt") see_strings(node, "attlist");
    if (kind == "DropStmt") see_dropped(node);
  }

  void see_table(const json::object& node) {
    const std::string_view schema = text_at(node, "schemaname");
    const std::string_view table = text_at(node, "relname");
    add_once(shape_.schemas, schema);
    add_once(shape_.tables,
             schema.empty() ? std::string(table) : std::string(schema).append(".").append(table));
  }

  void see_column(const json::object& node) {
    const json::array* const fields = list_at(node, "fields");
    if (fields != nullptr && !fields->empty()) {
      add_once(shape_.columns, string_node(fields->back()));
    }
  }

  void see_targets(const json::object& node, std::string_view key) {
    const json::array* const targets = list_at(node, key);
    if (targets == nullptr) return;
    for (const json::value& target : *targets) {
      if (const json::object* const named = node_at(target, "ResTarget")) {
        add_once(shape_.columns, text_at(*named, "name"));
      }
    }
  }

  void see_strings(const json::object& node, std::string_view key) {
    const json::array* const strings = list_at(node, key);
    if (strings == nullptr) return;
    for (const json::value& string : *strings) add_once(shape_.columns, string_node(string));
  }

  void see_dropped(const json::object& node) {
    constexpr std::array kTables = {"OBJECT_TABLE", "OBJECT_VIEW", "OBJECT_MATVIEW",
                                    "OBJECT_FOREIGN_TABLE"};
    const json::array* const objects = list_at(node, "objects");
    if (objects == nullptr ||
        std::ranges::find(kTables, text_at(node, "removeType")) == kTables.end()) {
      return;
    }
    for (const json::value& dropped : *objects) {
      const json::object* const list = node_at(dropped, "List");
      const json::array* const items = list == nullptr ? nullptr : list_at(*list, "items");
      if (items == nullptr || items->empty()) continue;
      std::string name;
      for (const json::value& part : *items) {
        name.append(name.empty() ? "" : ".").append(string_node(part));
      }
      if (items->size() > 1) add_once(shape_.schemas, string_node((*items)[items->size() - 2]));
      add_once(shape_.tables, name);
    }
  }

  StatementShape& shape_;
  std::vector<std::string> common_tables_;
};

std::string take_word_in_capitals(std::string_view& rest) {
  while (rest.starts_with(' ')) rest.remove_prefix(1);
  std::string word;
  while (!rest.empty() && ((rest.front() >= 'a' && rest.front() <= 'z') || rest.front() == '_')) {
    word.push_back(rest.front() == '_' ? '_' : static_cast<char>(rest.front() - 'a' + 'A'));
    rest.remove_prefix(1);
  }
  return word;
}

/// "CREATE TABLE", "DROP MATERIALIZED VIEW": the first word, and of what it makes, changes or
/// drops, without what stands between them.
std::string kind_of_words(std::string_view normal) {
  constexpr std::array<std::string_view, 11> kBetween = {
      "OR",    "REPLACE", "TEMP",    "TEMPORARY",  "UNLOGGED", "GLOBAL",
      "LOCAL", "UNIQUE",  "TRUSTED", "PROCEDURAL", "RECURSIVE"};
  constexpr std::array<std::string_view, 6> kTwoWords = {"MATERIALIZED", "FOREIGN", "EVENT",
                                                         "TEXT",         "ACCESS",  "CONSTRAINT"};
  std::string kind = take_word_in_capitals(normal);
  if (kind != "CREATE" && kind != "ALTER" && kind != "DROP") return kind;
  std::string word = take_word_in_capitals(normal);
  while (std::ranges::find(kBetween, word) != kBetween.end()) word = take_word_in_capitals(normal);
  if (!word.empty()) kind += " " + word;
  if (std::ranges::find(kTwoWords, word) == kTwoWords.end()) return kind;
  return kind + " " + take_word_in_capitals(normal);
}

/// Where the first word does not say it: WITH, a parenthesis, VALUES.
std::string kind_of_node(std::string_view node) {
  struct Named {
    std::string_view node;
    std::string_view kind;
  };
  constexpr std::array<Named, 5> kKinds = {{{"SelectStmt", "SELECT"},
                                            {"InsertStmt", "INSERT"},
                                            {"UpdateStmt", "UPDATE"},
                                            {"DeleteStmt", "DELETE"},
                                            {"MergeStmt", "MERGE"}}};
  const auto* const found = std::ranges::find(kKinds, node, &Named::node);
  return found == kKinds.end() ? std::string() : std::string(found->kind);
}

const json::object* first_statement(const json::value& tree) {
  const json::object* const root = tree.if_object();
  const json::array* const statements = root == nullptr ? nullptr : list_at(*root, "stmts");
  if (statements == nullptr || statements->empty()) return nullptr;
  return node_at(statements->front(), "stmt");
}

class Shapes {
 public:
  ShapePtr find(const std::string& raw, std::string_view normal) {
    if (const auto known = places_.find(raw); known != places_.end()) {
      used_.splice(used_.begin(), used_, known->second);
      return known->second->shape;
    }
    ++parsed_;
    auto shape = std::make_shared<const StatementShape>(parse_statement(raw, normal));
    used_.push_front({.raw = raw, .shape = shape});
    places_.emplace(used_.front().raw, used_.begin());
    bytes_ += raw.size();
    while (used_.size() > kShapesMax || (bytes_ > kShapeBytesMax && used_.size() > 1)) {
      bytes_ -= used_.back().raw.size();
      places_.erase(used_.back().raw);
      used_.pop_back();
    }
    return shape;
  }
  std::size_t parsed() const { return parsed_; }

 private:
  struct Kept {
    std::string raw;
    ShapePtr shape;
  };
  std::list<Kept> used_;  // The last used first.
  std::unordered_map<std::string_view, std::list<Kept>::iterator> places_;
  std::size_t bytes_ = 0;
  std::size_t parsed_ = 0;
};

Shapes& shapes() {
  thread_local Shapes of_thread;
  return of_thread;
}

}  // namespace

StatementShape parse_statement(const std::string& raw, std::string_view normal) {
  StatementShape shape;
  if (raw.find('\0') != std::string::npos) return shape;
  const std::string text = tree_text(raw);
  boost::system::error_code error;
  json::parse_options options;
  options.max_depth = kDepthMax;
  const json::value tree = json::parse(text, error, {}, options);
  const json::object* const statement = error ? nullptr : first_statement(tree);
  if (statement == nullptr || statement->empty()) return shape;
  shape.parsed = true;
  shape.kind = kind_of_node(statement->begin()->key());
  if (shape.kind.empty()) shape.kind = kind_of_words(normal);
  Names names(shape);
  names.walk(json::value(*statement));
  names.forget_common_tables();
  return shape;
}

ShapePtr shape_of(const std::string& raw, std::string_view normal) {
  return shapes().find(raw, normal);
}

std::size_t statements_parsed() { return shapes().parsed(); }

}  // namespace misrule::codecs::postgres
