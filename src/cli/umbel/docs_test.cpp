// What docs/ holds of generated text is what the tables say now. After a change of options or
// records: UMBEL_WRITE_DOCS=1 build/dev/cli_test --gtest_filter='Docs.*'
#include <gtest/gtest.h>
#include <stdlib.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include "cli/umbel/graph_records.h"
#include "cli/umbel/help.h"
#include "cli/umbel/image_records.h"
#include "cli/umbel/policy_records.h"
#include "cli/umbel/records.h"
#include "cli/umbel/schema.h"

namespace umbel::cli {

namespace {

namespace fs = std::filesystem;

void expect_file(const std::string& name, const std::string& content) {
  const fs::path path = fs::path(UMBEL_SOURCE_DIR) / name;
  if (::getenv("UMBEL_WRITE_DOCS") != nullptr) {
    fs::create_directories(path.parent_path());
    std::ofstream(path) << content;
    return;
  }
  std::ostringstream found;
  found << std::ifstream(path).rdbuf();
  EXPECT_EQ(found.str(), content) << name << " is out of date";
}

template <class Record>
void expect_schema(const std::string& command, const std::string& title) {
  Value schema;
  schema["$schema"] = "https://json-schema.org/draft/2020-12/schema";
  schema["title"] = "umbel " + command + " --json: " + title;
  const Value record = schema_of<Record>();
  for (const auto& [name, value] : *record.as<Value::Object>()) schema[name] = value;
  std::string file = command;
  for (std::size_t at = 0; (at = file.find_first_of(" -", at)) != file.npos; ++at)
    file.replace(at, file.find_first_not_of(" -", at) - at, "-");
  expect_file("docs/json/" + file + ".json", json_text(schema, 2) + "\n");
}

TEST(Docs, ManualPages) {
  expect_file("docs/man/umbel.1", manual());
  for (const GroupInfo& group : groups())
    expect_file("docs/man/umbel-" + std::string(group.name) + ".1", manual(group));
}

TEST(Docs, Completion) { expect_file("docs/completion/umbel.bash", bash_completion()); }

TEST(Docs, Schemas) {
  expect_schema<std::vector<ListedRecord>>("ps", "containers");
  expect_schema<ShownRecord>("show", "one container");
  expect_schema<std::vector<ProcessRecord>>("top", "processes of a container");
  expect_schema<std::vector<StatsRecord>>("stats", "what containers use");
  expect_schema<std::vector<GroupRecord>>("stats --groups", "what groups of containers use");
  expect_schema<std::vector<ChangeRecord>>("diff", "files that a container has changed");
  expect_schema<std::vector<NameRecord>>("ns list", "namespaces with names");
  expect_schema<ShownNameRecord>("ns show", "one namespace with a name");
  expect_schema<InfoRecord>("info", "what this host offers");
  expect_schema<GraphRecord>("graph", "containers and namespaces");
  expect_schema<std::vector<PolicyRecord>>("policy", "policies");
  expect_schema<VerdictRecord>("check", "the verdict");
  expect_schema<ImageRecord>("image", "one checkpoint");
  expect_schema<VersionRecord>("version", "umbel's version");
}

std::string letter_of(const Option& option) {
  return option.letter == 0 ? std::string() : std::string(1, option.letter);
}

// Every command explains itself, and no two of its options can be mistaken for each other.
TEST(Docs, EveryCommandHasHelpThatHolds) {
  for (const Command& command : commands()) {
    const Syntax syntax = command.verb->syntax();
    EXPECT_FALSE(syntax.examples.empty()) << command.name;
    for (const Example& example : syntax.examples)
      EXPECT_TRUE(example.command.starts_with("umbel ")) << example.command;
    std::set<std::string> seen;
    for (const Section& section : syntax.sections)
      for (const Option& option : section.options) {
        EXPECT_TRUE(seen.insert(std::string(option.name)).second) << option.name;
        for (const std::string& other : {letter_of(option), std::string(option.alias)})
          EXPECT_TRUE(other.empty() || seen.insert(other).second) << command.name << " " << other;
        EXPECT_FALSE(option.help.empty()) << option.name;
        EXPECT_EQ(option.argument.empty(), std::holds_alternative<bool*>(option.into))
            << command.name << " --" << option.name;
      }
    std::istringstream help(help_text(command, syntax));
    for (std::string line; std::getline(help, line);)
      EXPECT_LE(line.size(), 100U) << command.name << ": " << line;
  }
}

}  // namespace

}  // namespace umbel::cli
