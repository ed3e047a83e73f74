#include "cli/umbel/help.h"

#include <algorithm>

#include "base/text.h"
#include "cli/umbel/output.h"
#include "cli/umbel/version.h"

namespace umbel::cli {

namespace {

constexpr std::size_t line_width = 96;
constexpr std::size_t help_column = 30;

std::string usage(const Command& command, const Syntax& syntax) {
  std::string text = "umbel " + std::string(command.name);
  if (!syntax.sections.empty()) text += " [OPTION]...";
  if (!syntax.operands.usage.empty()) text += " " + std::string(syntax.operands.usage);
  return text;
}

std::string wrapped(std::string_view text, std::size_t indent, std::size_t used = 0) {
  std::string lines;
  std::size_t column = used;
  for (const std::string_view word : words(text)) {
    if (column > indent && column + 1 + width(word) > line_width) {
      lines += "\n";
      column = 0;
    }
    if (column < indent) {
      lines.append(indent - column, ' ');
      column = indent;
    } else if (column > indent) {
      lines += ' ';
      ++column;
    }
    lines += word;
    column += width(word);
  }
  return lines + "\n";
}

std::vector<std::string> paragraphs(std::string_view text) {
  std::vector<std::string> all;
  while (!text.empty()) {
    const std::size_t end = text.find("\n\n");
    all.emplace_back(text.substr(0, end));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 2);
  }
  return all;
}

// "  -e, --env NAME[=VALUE]"
std::string spelled(const Option& option) {
  std::string text = option.letter != 0 ? "  -" + std::string(1, option.letter) + ", " : "      ";
  text += "--" + std::string(option.name);
  if (!option.argument.empty()) text += " " + std::string(option.argument);
  return text;
}

std::string option_lines(const Option& option) {
  std::string text = spelled(option);
  if (text.size() + 2 > help_column) text += "\n";
  const std::size_t used = text.ends_with('\n') ? 0 : text.size();
  return text + wrapped(option.help, help_column, used);
}

// A line of troff must not begin with a dot or a quote, and a dash must be asked for.
std::string troff(std::string_view text) {
  std::string escaped;
  for (const char c : text) {
    if (c == '\\')
      escaped += "\\e";
    else if (c == '-')
      escaped += "\\-";
    else if (c == '~')
      escaped += "\\(ti";
    else if (c == '^')
      escaped += "\\(ha";
    else if (c == '\'')
      escaped += "\\(aq";
    else
      escaped += c;
  }
  return escaped.starts_with('.') ? "\\&" + escaped : escaped;
}

std::string page_head(std::string_view name, std::string_view what) {
  std::string upper(name);
  std::ranges::transform(upper, upper.begin(),
                         [](char c) { return c >= 'a' && c <= 'z' ? c - 32 : c; });
  return ".TH " + upper + " 1 \"\" \"umbel " + std::string(version) + "\" \"User Commands\"\n" +
         ".SH NAME\n" + troff(name) + " \\- " + troff(what) + "\n";
}

std::string command_manual(const Command& command) {
  const Syntax syntax = command.verb->syntax();
  std::string text = ".SH " + troff("umbel " + std::string(command.name)) + "\n";
  text += ".B " + troff(usage(command, syntax)) + "\n.PP\n";
  std::string summary(command.summary);
  if (!summary.empty() && summary[0] >= 'a' && summary[0] <= 'z')
    summary[0] = static_cast<char>(summary[0] - 32);
  text += troff(summary) + ".\n";
  if (!command.alias.empty())
    text += "Also known as\n.BR " + troff("umbel " + std::string(command.alias)) + " .\n";
  for (const std::string& paragraph : paragraphs(syntax.about))
    text += ".PP\n" + troff(paragraph) + "\n";
  for (const Section& section : syntax.sections) {
    if (!section.title.empty()) text += ".SS " + troff(section.title) + "\n";
    for (const Option& option : section.options) {
      text += ".TP\n.B ";
      if (option.letter != 0) text += "\\-" + std::string(1, option.letter) + ", ";
      text += troff("--" + std::string(option.name));
      if (!option.argument.empty()) text += " \\fI" + troff(option.argument) + "\\fR";
      text += "\n" + troff(option.help) + "\n";
    }
  }
  if (!syntax.examples.empty()) text += ".SS Examples\n";
  for (const Example& example : syntax.examples)
    text += ".TP\n.B " + troff(example.command) + "\n" + troff(example.what) + "\n";
  return text;
}

std::string summary_line(const Command& command) {
  std::string line = "  " + std::string(command.name);
  line.resize(15, ' ');
  return line + std::string(command.summary) + "\n";
}

std::string page_name(const GroupInfo& group) { return "umbel-" + std::string(group.name); }

std::string all_pages(std::string_view but) {
  std::string list;
  for (const GroupInfo& group : groups())
    if (page_name(group) != but) list += (list.empty() ? "" : ",\n") + page_name(group) + "(1)";
  return ".SH SEE ALSO\n" + troff(list) + "\n";
}

}  // namespace

std::string overview() {
  std::string text =
      "umbel runs commands in containers that are made of the namespaces you choose.\n\n"
      "  umbel COMMAND [OPTION]... [ARG]...        umbel help COMMAND explains one\n";
  for (const GroupInfo& group : groups()) {
    text += "\n" + coloured(Colour::bold, group.title) + "\n";
    for (const Command& command : commands()) {
      if (command.group != group.group) continue;
      text += summary_line(command);
    }
  }
  return text +
         "\nExamples\n"
         "  umbel run -it bash                     a shell with the host's files, thrown away at "
         "its end\n"
         "  umbel run -d --name web -- nginx       in the background, with a name\n"
         "  umbel run --net with:web -- curl localhost\n"
         "                                         another container, sharing web's network "
         "alone\n";
}

std::string overview(std::string_view family) {
  std::string text = "umbel " + std::string(family) + " COMMAND [OPTION]... [ARG]...\n\n";
  for (const Command& command : commands())
    if (command.name.starts_with(std::string(family) + " ")) text += summary_line(command);
  text += "\numbel help " + std::string(family) + " COMMAND explains one\n\n" +
          coloured(Colour::bold, "Examples") + "\n";
  for (const Command& command : commands()) {
    if (!command.name.starts_with(std::string(family) + " ")) continue;
    const Syntax syntax = command.verb->syntax();
    if (syntax.examples.empty()) continue;
    text +=
        "  " + std::string(syntax.examples[0].command) + "\n" + wrapped(syntax.examples[0].what, 6);
  }
  return text;
}

std::string help_text(const Command& command, const Syntax& syntax) {
  std::string text = "umbel " + std::string(command.name) + ": " + std::string(command.summary);
  if (!command.alias.empty()) text += " (also: umbel " + std::string(command.alias) + ")";
  text += "\n\n  " + usage(command, syntax) + "\n";
  for (const std::string& paragraph : paragraphs(syntax.about))
    text += "\n" + wrapped(paragraph, 0);
  for (const Section& section : syntax.sections) {
    text += "\n" + coloured(Colour::bold, section.title.empty() ? "Options" : section.title) + "\n";
    for (const Option& option : section.options) text += option_lines(option);
  }
  if (syntax.examples.empty()) return text;
  text += "\n" + coloured(Colour::bold, "Examples") + "\n";
  for (const Example& example : syntax.examples)
    text += "  " + std::string(example.command) + "\n" + wrapped(example.what, 6);
  return text;
}

std::string manual() {
  std::string text = page_head("umbel", "run commands in containers made of chosen namespaces");
  text +=
      ".SH SYNOPSIS\n.B umbel\n.I COMMAND\n[\\fIOPTION\\fR]... [\\fIARG\\fR]...\n"
      ".SH DESCRIPTION\n"
      "A container ties chosen kernel namespaces together. For each kind of namespace it has a new "
      "one, the host's, one that it shares with another container, or one that has a name or a "
      "file.\n";
  for (const GroupInfo& group : groups()) {
    text += ".SS " + troff(group.title) + ", see " + troff(page_name(group)) + "(1)\n";
    for (const Command& command : commands())
      if (command.group == group.group)
        text += ".TP\n.B " + troff(command.name) + "\n" + troff(command.summary) + "\n";
  }
  text +=
      ".SH EXIT STATUS\n"
      ".B run, exec, attach\nand\n.B start \\-\\-attach\nend as the command ends: with its own "
      "status, or 128 + n when signal n killed it. 125 is a failure of umbel itself, 126 a command "
      "that cannot be executed, 127 one that is not there.\n"
      ".SH ENVIRONMENT\n"
      ".TP\n.B UMBEL_HOME\nThe directory of umbel's records; without it /run/umbel for root, else "
      "$XDG_RUNTIME_DIR/umbel.\n"
      ".TP\n.B NO_COLOR\nNo colours, also on a terminal.\n";
  return text + all_pages("umbel");
}

std::string manual(const GroupInfo& group) {
  std::string names;
  for (const Command& command : commands())
    if (command.group == group.group)
      names += (names.empty() ? "" : ", ") + std::string(command.name);
  std::string text = page_head(page_name(group), "umbel's commands " + names);
  for (const Command& command : commands())
    if (command.group == group.group) text += command_manual(command);
  return text + all_pages(page_name(group));
}

}  // namespace umbel::cli
