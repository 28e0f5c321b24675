// docs/events.md lists exactly the types and fields that specs may use.

#include <fstream>
#include <map>
#include <set>
#include <string>

#include <gtest/gtest.h>

#include "spec/dsl/event_types.h"

namespace misrule::dsl {
namespace {

using Page = std::map<std::string, std::set<std::string>>;

/// The words in backticks of one table cell, or of one heading.
std::set<std::string> code_words(const std::string& text) {
  std::set<std::string> words;
  std::size_t open = text.find('`');
  while (open != std::string::npos) {
    const std::size_t close = text.find('`', open + 1);
    if (close == std::string::npos) break;
    words.insert(text.substr(open + 1, close - open - 1));
    open = text.find('`', close + 1);
  }
  return words;
}

Page read_page() {
  std::ifstream file(std::string(MISRULE_SOURCE_DIR) + "/docs/events.md");
  Page page;
  std::set<std::string> types;
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("## ")) {
      types = code_words(line);
    } else if (line.starts_with("| `")) {
      const std::string cell = line.substr(0, line.find('|', 1));
      for (const std::string& type : types) page[type].merge(code_words(cell));
    }
  }
  return page;
}

TEST(EventsPage, ListsEveryTypeAndEveryField) {
  const Page page = read_page();
  ASSERT_FALSE(page.empty());
  EXPECT_EQ(page.size(), event_types().size());
  for (const EventType& type : event_types()) {
    const auto found = page.find(std::string(type.name));
    ASSERT_NE(found, page.end()) << type.name;
    std::set<std::string> expected(type.fields.begin(), type.fields.end());
    if (type.name == "step_send" || type.name == "step_recv") {
      // One table for both: a field of either may stand there.
      for (const EventType& other : event_types()) {
        if (other.name.starts_with("step_")) {
          expected.insert(other.fields.begin(), other.fields.end());
        }
      }
    }
    EXPECT_EQ(found->second, expected) << type.name;
  }
}

}  // namespace
}  // namespace misrule::dsl
