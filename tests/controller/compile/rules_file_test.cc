#include "controller/compile/rules_file.h"

#include <google/protobuf/util/message_differencer.h>

namespace misrule::controller {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::util::MessageDifferencer;

constexpr const char* kAwkward[] = {"plain",       "",          "true",   "no",
                                    "12",          "1e5",       "- item", "a: b",
                                    "# comment",   "tab\there", "\"q\"",  "back\\slash",
                                    "line\nbreak", " lead",     "trail ", "café",
                                    "*/pg_wal/*",  "~",         "null",   "INSERT INTO t*",
                                    "\x01\x7f",    "{x}",       "[y]",    "a,b",
                                    "0x10"};

/// Sets every field that a message type has, so that a new one is tested by being there.
class Filler {
 public:
  void fill(Message& message) {
    if (auto* value = dynamic_cast<google::protobuf::Value*>(&message); value != nullptr)
      return value->set_string_value(text());
    if (auto* list = dynamic_cast<google::protobuf::ListValue*>(&message); list != nullptr) {
      list->add_values()->set_number_value(7);
      return list->add_values()->set_string_value(text());
    }
    const auto& type = *message.GetDescriptor();
    for (int i = 0; i < type.field_count(); ++i) fill_field(message, *type.field(i));
  }

 private:
  std::string text() { return kAwkward[next_++ % std::size(kAwkward)]; }

  /// Two pairs, or two items: one of them might be a scalar that stands in braces by chance.
  void fill_map(Message& message, const FieldDescriptor& field) {
    for (const char* key : {"plain", "a: b"}) {
      Message& pair = *message.GetReflection()->AddMessage(&message, &field);
      fill(pair);
      pair.GetReflection()->SetString(&pair, field.message_type()->FindFieldByName("key"), key);
    }
  }

  void fill_list(Message& message, const FieldDescriptor& field) {
    const bool texts = field.cpp_type() == FieldDescriptor::CPPTYPE_STRING;
    for (int i = 0; i < 2 && (texts || fills_lists_of(field)); ++i) {
      if (texts) {
        message.GetReflection()->AddString(&message, &field, text());
      } else {
        fill(*message.GetReflection()->AddMessage(&message, &field));
      }
    }
  }

  /// Rules and tests are the file's own to add.
  static bool fills_lists_of(const FieldDescriptor& field) {
    return field.message_type()->full_name() == "google.protobuf.ListValue";
  }

  void fill_field(Message& message, const FieldDescriptor& field) {
    const auto& reflection = *message.GetReflection();
    if (field.is_map()) return fill_map(message, field);
    if (field.is_repeated()) return fill_list(message, field);
    switch (field.cpp_type()) {
      case FieldDescriptor::CPPTYPE_BOOL:
        return reflection.SetBool(&message, &field, true);
      case FieldDescriptor::CPPTYPE_UINT32:
        return reflection.SetUInt32(&message, &field, 4294967295U);
      case FieldDescriptor::CPPTYPE_UINT64:
        return reflection.SetUInt64(&message, &field, 18446744073709551615U);
      case FieldDescriptor::CPPTYPE_DOUBLE:
        return reflection.SetDouble(&message, &field, 0.1);
      case FieldDescriptor::CPPTYPE_STRING:
        return reflection.SetString(&message, &field, text());
      case FieldDescriptor::CPPTYPE_MESSAGE:
        return fill(*reflection.MutableMessage(&message, &field));
      default:
        FAIL() << "a field of a type that the writer does not know: " << field.full_name();
    }
  }

  std::size_t next_ = 0;
};

/// One rule for each pair of a match and an action, every other field set.
model::RuleFile full_file() {
  model::RuleFile file;
  file.set_schema("misrule.rules/1");
  file.set_spec("examples/shop/shop.star");
  Filler filler;
  const auto* type = model::Rule::descriptor();
  for (const char* oneof : {"match", "action"}) {
    const auto* choice = type->FindOneofByName(oneof);
    for (int i = 0; i < choice->field_count(); ++i) {
      model::TestRules& test = *file.add_tests();
      test.set_test(fmt::format("test_{}", choice->field(i)->name()));
      model::Rule& rule = *test.add_rules();
      filler.fill(rule);
      auto& chosen = *rule.GetReflection()->MutableMessage(&rule, choice->field(i));
      chosen.Clear();  // The rule has been filled with one of each before.
      filler.fill(chosen);
      rule.set_id("rule");
      *test.add_dynamic() = rule;
    }
  }
  return file;
}

TEST(RulesFile, EveryFieldComesBackAndTheTextIsTheSame) {
  const model::RuleFile file = full_file();
  const std::string text = rules_to_yaml(file);
  const auto back = rules_from_yaml(text, "rules.yaml");
  ASSERT_TRUE(back) << back.error().what << "\n" << text;
  std::string difference;
  MessageDifferencer differencer;
  differencer.ReportDifferencesToString(&difference);
  EXPECT_TRUE(differencer.Compare(file, *back)) << difference;
  EXPECT_EQ(rules_to_yaml(*back), text);
}

TEST(RulesFile, EveryAwkwardTextComesBack) {
  for (const char* awkward : kAwkward) {
    model::RuleFile file;
    file.set_schema("misrule.rules/1");
    file.set_spec(awkward);
    const auto back = rules_from_yaml(rules_to_yaml(file), "rules.yaml");
    ASSERT_TRUE(back) << back.error().what << "\n" << rules_to_yaml(file);
    EXPECT_EQ(back->spec(), awkward);
  }
}

TEST(RulesFile, ReadsAsPeopleWriteIt) {
  model::RuleFile file;
  file.set_schema("misrule.rules/1");
  file.set_spec("shop.star");
  model::TestRules& test = *file.add_tests();
  test.set_test("test_disk_full");
  file.add_tests()->set_test("test_checkout");
  model::Rule& rule = *test.add_dynamic();
  rule.set_id("test_disk_full/1");
  rule.mutable_position()->set_line(45);
  rule.mutable_target()->set_service("postgres");
  rule.mutable_trigger()->set_times(1);
  rule.mutable_syscall()->set_family("write");
  rule.mutable_syscall()->set_path("*/pg_wal/*");
  rule.mutable_deny()->set_error("ENOSPC");
  EXPECT_EQ(rules_to_yaml(file), R"(schema: misrule.rules/1
spec: shop.star
tests:
  - test: test_disk_full
    dynamic:
      # write */pg_wal/* -> ENOSPC
      - id: test_disk_full/1
        position:
          line: 45
        target:
          service: postgres
        trigger:
          times: 1
        syscall:
          family: write
          path: "*/pg_wal/*"
        deny:
          error: ENOSPC
  - test: test_checkout
)");
}

std::string error_of(const std::string& text) {
  const auto file = rules_from_yaml(text, "r.yaml");
  return file ? "no error" : file.error().what;
}

TEST(RulesFile, MistakesAreNamedWhereTheyStand) {
  const std::string head = "schema: misrule.rules/1\n";
  EXPECT_EQ(error_of(""), "r.yaml:1:1: want the keys of a RuleFile");
  EXPECT_EQ(error_of("schema: misrule.rules/9\n"),
            "r.yaml:1:1: schema is \"misrule.rules/9\", want misrule.rules/1");
  EXPECT_EQ(
      error_of(head + "test: x\n"),
      "r.yaml:2:1: unknown key \"test\" (did you mean tests?); a RuleFile has schema, spec, tests");
  const std::string test = head + "tests:\n  - test: t\n    rules:\n";
  EXPECT_EQ(error_of(test + "      - id: a\n        delay: {duration: 5}\n"),
            "r.yaml:6:17: unknown key \"duration\" (did you mean duration_us?); a Delay has "
            "duration_us, side, jitter_us, distribution");
  EXPECT_EQ(error_of(test + "      - id: a\n        delay: {duration_us: -5}\n"),
            "r.yaml:6:30: duration_us: \"-5\" is not a number that fits");
  EXPECT_EQ(error_of(test + "      - id: a\n        tcp: {}\n        http: {}\n        drop: {}\n"),
            "r.yaml:7:9: a rule has one match: \"tcp\" or \"http\"");
  EXPECT_EQ(error_of(test + "      - id: a\n        id: b\n"),
            "r.yaml:6:9: \"id\" stands here twice");
  EXPECT_EQ(error_of(test + "      - drop: {}\n"), "r.yaml:5:9: a rule has an id");
  EXPECT_EQ(error_of(test + "      - id: a\n"),
            "r.yaml:5:9: rule a has no action: deny, delay, error or drop");
  EXPECT_EQ(error_of(test + "      - {id: a, drop: {}}\n      - {id: a, drop: {}}\n"),
            "r.yaml:6:9: two rules have the id a");
  EXPECT_EQ(error_of(head + "tests:\n  - {test: t}\n  - {test: t}\n"),
            "r.yaml:4:5: test t stands here twice");
  EXPECT_EQ(error_of(head + "tests:\n  x: 1\n"), "r.yaml:3:3: \"tests\" is a list");
  EXPECT_EQ(error_of(test + "      - {id: a, may_stay_unfired: yes, drop: {}}\n"),
            "r.yaml:5:35: may_stay_unfired is true or false");
  EXPECT_NE(error_of("a: [1\n").find("r.yaml:2:1: "), std::string::npos) << error_of("a: [1\n");
}

TEST(RulesFile, HostileTextsAreBounded) {
  EXPECT_NE(error_of(std::string(17U << 20U, 'a')).find("exceed"), std::string::npos);
  EXPECT_NE(error_of(std::string(100000, '[')), "no error");
  std::string bomb = "schema: misrule.rules/1\nspec: &a x\ntests: &t\n";
  for (int i = 0; i < 3000; ++i) bomb += "  - &r {test: t, rules: *t}\n";
  EXPECT_NE(error_of(bomb), "no error");
}

}  // namespace
}  // namespace misrule::controller
