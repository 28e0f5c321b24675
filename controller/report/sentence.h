#pragma once

// How an event reads as a sentence. Types and fields are those of docs/events.md; an event of a
// type that this file does not know is shown with its fields as they are.

#include <string>
#include <string_view>
#include <vector>

#include "spec/model/event.h"

namespace misrule::controller {

/// An event in three parts, so that a list of them can stand in columns. No part has line breaks.
struct Sentence {
  std::string who = {};   ///< "api → postgres"
  std::string what = {};  ///< "INSERT INTO payments …"
  std::string rule = {};  ///< "rule insert_fails: ERROR 40001 (server did nothing)"; often empty.
};

Sentence sentence_of(const model::Event& event);

/// A rule's id as its own test's report shows it: "test_x/1" is rule "1" of test_x.
std::string short_rule_id(std::string_view rule, std::string_view test);

struct StoryLook {
  std::size_t columns = 100;
  std::string_view test = {};  ///< Whose story it is.
};

/// A story as lines: time, who, what, and the rule beside it or below it.
std::vector<std::string> story_lines(const std::vector<model::Event>& story, const StoryLook& look);

}  // namespace misrule::controller
