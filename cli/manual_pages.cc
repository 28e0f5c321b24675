#include "cli/manual_pages.h"

#include <cctype>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace misrule::cli {

namespace {

// Of the pages' form; a page that carried the day of its build could not be built again.
constexpr std::string_view kDate = "2026-11-22";

/// Text as the formatter prints it: nothing of it is a request or an escape.
std::string roff(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '\\') {
      out += "\\e";
    } else if (c == '-') {
      out += "\\-";
    } else if ((c == '.' || c == '\'') && (out.empty() || out.back() == '\n')) {
      out += std::string("\\&") + c;
    } else {
      out += c;
    }
  }
  return out;
}

std::string upper(std::string text) {
  for (char& c : text) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return text;
}

std::string head(const std::string& name, const std::string& version, const std::string& what) {
  return fmt::format(".TH {} 1 {} \"misrule {}\" \"Misrule\"\n.SH NAME\n{} \\- {}\n.SH SYNOPSIS\n",
                     roff(upper(name)), kDate, roff(version), roff(name), roff(what));
}

std::string literal(std::string_view text) {
  // A line with nothing on it would be a paragraph's end.
  std::string out = ".nf\n";
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    const std::string_view line = text.substr(0, end);
    out += line.empty() ? ".sp\n" : roff(line) + "\n";
    text = end == std::string_view::npos ? "" : text.substr(end + 1);
  }
  return out + ".fi\n";
}

std::string term(const OptionOutline& option) {
  if (option.positional) {
    return fmt::format("\\fI{}\\fR{}", roff(option.names.front()), option.repeated ? " ..." : "");
  }
  std::vector<std::string> names;
  for (const std::string& name : option.names) names.push_back("\\fB" + roff(name) + "\\fR");
  const std::string value =
      option.choices.empty() ? option.value : fmt::format("{}", fmt::join(option.choices, "|"));
  return fmt::format("{}{}", fmt::join(names, ", "),
                     value.empty() ? "" : " \\fI" + roff(value) + "\\fR");
}

std::string options_section(const std::vector<OptionOutline>& options) {
  std::string out = ".SH OPTIONS\n";
  for (const OptionOutline& option : options) {
    out += fmt::format(".TP\n{}\n{}", term(option), roff(option.description));
    if (!option.preset.empty()) out += fmt::format(" (default: {})", roff(option.preset));
    out += "\n";
  }
  return out;
}

std::string synopsis(const CommandOutline& command) {
  std::string out = fmt::format("\\fBmisrule {}\\fR [\\fIoptions\\fR]", roff(command.name));
  for (const OptionOutline& option : command.options) {
    if (!option.positional) continue;
    const std::string word = term(option);
    out += option.required ? " " + word : " [" + word + "]";
  }
  return out + "\n";
}

constexpr std::string_view kExitStatus = R"(.SH EXIT STATUS
.TP
0
Every test passed, or the command did what it was asked for.
.TP
1
A test failed.
.TP
2
The spec or the command line is wrong.
.TP
3
Infrastructure: a service was never ready, something of the machine is missing.
.TP
130
Interrupted.
)";

}  // namespace

std::string manual_of_program(const CommandOutline& program, const std::string& version) {
  std::string out = head("misrule", version, "make things go wrong in a system and see what holds");
  out += "\\fBmisrule\\fR \\fIcommand\\fR [\\fIoptions\\fR]\n.SH DESCRIPTION\n";
  out += roff(program.description) + "\n.SH COMMANDS\n";
  std::vector<std::string> pages;
  for (const CommandOutline& command : program.commands) {
    pages.push_back(fmt::format("\\fBmisrule\\-{}\\fR(1)", roff(command.name)));
    out += fmt::format(".TP\n{}\n{}.\n", pages.back(), roff(command.description));
  }
  out += options_section(program.options);
  out += ".SH EXAMPLES\n" + literal(program.footer) + std::string(kExitStatus);
  return out + fmt::format(".SH SEE ALSO\n{}\n", fmt::join(pages, ",\n"));
}

std::string manual_of_command(const CommandOutline& command, const std::string& version) {
  std::string out = head("misrule-" + command.name, version, command.description);
  out += synopsis(command);
  out += ".SH DESCRIPTION\n" + roff(command.description) + ".\n";
  out += options_section(command.options);
  if (!command.footer.empty()) out += ".SH EXAMPLES\n" + literal(command.footer);
  return out + std::string(kExitStatus) + ".SH SEE ALSO\n\\fBmisrule\\fR(1)\n";
}

}  // namespace misrule::cli
