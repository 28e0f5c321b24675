#include "cli/completion_scripts.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace misrule::cli {

namespace {

bool takes_files(const OptionOutline& option) { return option.value == "FILE"; }
bool takes_folders(const OptionOutline& option) { return option.value == "DIR"; }

bool has_positional(const CommandOutline& command, bool (*is_such)(const OptionOutline&)) {
  for (const OptionOutline& option : command.options) {
    if (option.positional && is_such(option)) return true;
  }
  return false;
}

std::vector<std::string> names_of(const std::vector<CommandOutline>& commands) {
  std::vector<std::string> names;
  names.reserve(commands.size());
  for (const CommandOutline& command : commands) names.push_back(command.name);
  return names;
}

std::string words_of(const CommandOutline& command) {
  std::vector<std::string> words = names_of(command.commands);
  for (const OptionOutline& option : command.options) {
    if (option.positional) {
      words.insert(words.end(), option.choices.begin(), option.choices.end());
    } else {
      words.push_back(option.names.back());
    }
  }
  return fmt::format("{}", fmt::join(words, " "));
}

std::string with_escapes(const std::string& text, std::string_view special) {
  std::string out;
  for (const char c : text) {
    if (special.find(c) != std::string_view::npos) out += '\\';
    out += c;
  }
  return out;
}

/// Within single quotes of zsh, where a quote cannot be escaped.
std::string zsh_text(const std::string& text) {
  std::string out;
  for (const char c : with_escapes(text, "\\[]:")) {
    if (c == '\'') {
      out += "'\\''";
    } else {
      out += c;
    }
  }
  return out;
}

std::string bash_values(const CommandOutline& command) {
  std::string out;
  for (const OptionOutline& option : command.options) {
    if (option.positional || option.value.empty()) continue;
    std::string answer;
    if (takes_files(option)) answer = "_misrule_paths -f; ";
    if (takes_folders(option)) answer = "_misrule_paths -d; ";
    if (!option.choices.empty()) {
      answer = fmt::format("COMPREPLY=($(compgen -W \"{}\" -- \"$current\")); ",
                           fmt::join(option.choices, " "));
    }
    out += fmt::format("        {}) {}return ;;\n", fmt::join(option.names, "|"), answer);
  }
  return out;
}

constexpr std::string_view kBash =
    R"(# bash completion of misrule: source it, or put it among bash's completions.
_misrule_paths() {{
  compopt -o filenames 2>/dev/null
  local IFS=$'\n'
  COMPREPLY=($(compgen "$1" -- "$current"))
}}

_misrule() {{
  local current=${{COMP_WORDS[COMP_CWORD]}} before=${{COMP_WORDS[COMP_CWORD-1]}} command=
  # --name=value comes as three words.
  if [[ $before == = ]]; then before=${{COMP_WORDS[COMP_CWORD-2]}}; fi
  if [[ $current == = ]]; then before=${{COMP_WORDS[COMP_CWORD-1]}} current=; fi
  COMPREPLY=()
  if ((COMP_CWORD > 1)); then command=${{COMP_WORDS[1]}}; fi
  case $command in
    {0}) ;;
    *) COMPREPLY=($(compgen -W "{1}" -- "$current")); return ;;
  esac
  case $command in
{2}  esac
}}
complete -F _misrule misrule
)";

}  // namespace

std::string bash_completion(const CommandOutline& program) {
  std::string commands;
  for (const CommandOutline& command : program.commands) {
    const std::string values = bash_values(command);
    commands += fmt::format("    {})\n", command.name);
    if (!values.empty()) {
      commands += fmt::format("      case $before in\n{}      esac\n", values);
    }
    const bool folders = has_positional(command, takes_folders);
    if (folders || has_positional(command, takes_files)) {
      commands += fmt::format("      if [[ $current != -* ]]; then _misrule_paths {}; return; fi\n",
                              folders ? "-d" : "-f");
    }
    commands += fmt::format("      COMPREPLY=($(compgen -W \"{}\" -- \"$current\")) ;;\n",
                            words_of(command));
  }
  return fmt::format(kBash, fmt::join(names_of(program.commands), "|"), words_of(program),
                     commands);
}

namespace {

std::string zsh_action(const OptionOutline& option) {
  if (takes_files(option)) return "_files";
  if (takes_folders(option)) return "_files -/";
  if (!option.choices.empty()) return fmt::format("({})", fmt::join(option.choices, " "));
  return " ";
}

/// One argument of _arguments.
std::string zsh_argument(const OptionOutline& option) {
  const std::string value =
      option.value.empty() ? "" : fmt::format(":{}:{}", option.value, zsh_action(option));
  if (option.positional) return fmt::format("'{}{}'", option.repeated ? "*" : "", value);
  std::string out;
  for (const std::string& name : option.names) {
    const bool wide = name.starts_with("--") && !option.value.empty();
    out += fmt::format("{}'{}{}{}[{}]{}'", out.empty() ? "" : " ", option.repeated ? "*" : "", name,
                       wide ? "=" : "", zsh_text(option.description), value);
  }
  return out;
}

}  // namespace

std::string zsh_completion(const CommandOutline& program) {
  std::string described;
  std::string cases;
  for (const CommandOutline& command : program.commands) {
    described += fmt::format("    '{}:{}'\n", command.name, zsh_text(command.description));
    cases += fmt::format("    {})\n      _arguments -s", command.name);
    for (const OptionOutline& option : command.options) {
      cases += fmt::format(" \\\n        {}", zsh_argument(option));
    }
    cases += " ;;\n";
  }
  return fmt::format(R"(#compdef misrule
# zsh completion of misrule: put it as _misrule into a folder of $fpath.
_misrule() {{
  local -a commands
  commands=(
{})
  if ((CURRENT == 2)); then
    _describe command commands
    return
  fi
  local command=$words[2]
  shift words
  ((CURRENT--))
  case $command in
{}  esac
}}
if [[ $funcstack[1] == _misrule ]]; then _misrule "$@"; else compdef _misrule misrule; fi
)",
                     described, cases);
}

namespace {

std::string fish_quoted(const std::string& text) { return "'" + with_escapes(text, "\\'") + "'"; }

std::string fish_value(const OptionOutline& option) {
  if (option.value.empty()) return "";
  if (takes_files(option)) return " -r -F";
  if (takes_folders(option)) return " -x -a '(__fish_complete_directories)'";
  if (option.choices.empty()) return " -x";
  return fmt::format(" -x -a '{}'", fmt::join(option.choices, " "));
}

std::string fish_option(const std::string& when, const OptionOutline& option) {
  std::string out = fmt::format("complete -c misrule -n '{}'", when);
  if (option.positional) return out + fish_value(option) + "\n";
  for (const std::string& name : option.names) {
    const bool wide = name.starts_with("--");
    out += fmt::format(" -{} {}", wide ? "l" : "s", name.substr(wide ? 2 : 1));
  }
  return out + fish_value(option) + " -d " + fish_quoted(option.description) + "\n";
}

}  // namespace

std::string fish_completion(const CommandOutline& program) {
  std::string out =
      "# fish completion of misrule: put it as misrule.fish among fish's completions.\n"
      "complete -c misrule -f\n";
  for (const CommandOutline& command : program.commands) {
    out += fmt::format("complete -c misrule -n __fish_use_subcommand -a {} -d {}\n", command.name,
                       fish_quoted(command.description));
    for (const OptionOutline& option : command.options) {
      out += fish_option("__fish_seen_subcommand_from " + command.name, option);
    }
  }
  for (const OptionOutline& option : program.options) {
    out += fish_option("__fish_use_subcommand", option);
  }
  return out;
}

}  // namespace misrule::cli
