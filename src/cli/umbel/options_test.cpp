#include "cli/umbel/options.h"

#include <gtest/gtest.h>

namespace umbel::cli {

namespace {

struct Given {
  bool all = false, terminal = false;
  std::string name = "default";
  std::optional<std::string> user;
  std::vector<std::string> env, rest;
};

Syntax syntax(Given& g, Rest rest = Rest::operands, std::size_t least = 0,
              std::size_t most = any_number) {
  return {.sections = {{"One",
                        {{"all", 'a', "", "", &g.all},
                         {"tty", 't', "", "", &g.terminal},
                         {"name", 0, "NAME", "", &g.name}}},
                       {"Two",
                        {{"user", 'u', "USER", "", &g.user, "person"},
                         {"env", 'e', "NAME[=VALUE]", "", &g.env}}}},
          .operands = {"WORD...", least, most, &g.rest, rest}};
}

using Texts = std::vector<std::string>;

Error error_of(const Syntax& syntax, const Texts& words) {
  const Result<Asked> asked = parse(syntax, words);
  if (asked) {
    ADD_FAILURE() << "was taken";
    return {};
  }
  return asked.error();
}

TEST(Options, NothingGivenLeavesTheDefaults) {
  Given g;
  EXPECT_EQ(parse(syntax(g), {}).value(), Asked::run);
  EXPECT_EQ(g.name, "default");
  EXPECT_FALSE(g.user);
  EXPECT_FALSE(g.all);
}

TEST(Options, EverySpelling) {
  for (const Texts& words :
       {Texts{"--user", "bob"}, Texts{"--user=bob"}, Texts{"-u", "bob"}, Texts{"-ubob"},
        Texts{"-u=bob"}, Texts{"--person", "bob"}, Texts{"-atu", "bob"}, Texts{"-atubob"}}) {
    Given g;
    ASSERT_TRUE(parse(syntax(g), words)) << words.front();
    EXPECT_EQ(g.user, "bob") << words.front();
  }
}

TEST(Options, SwitchesTogetherAndWithAValue) {
  Given g;
  ASSERT_TRUE(parse(syntax(g), Texts{"-at"}));
  EXPECT_TRUE(g.all && g.terminal);
  ASSERT_TRUE(parse(syntax(g), Texts{"--all=false", "--tty=true"}));
  EXPECT_FALSE(g.all);
  EXPECT_TRUE(g.terminal);
  EXPECT_NE(error_of(syntax(g), {"--all=maybe"}).message().find("maybe"), std::string::npos);
}

TEST(Options, AListKeepsAllAndTheLastOfOthersWins) {
  Given g;
  ASSERT_TRUE(
      parse(syntax(g), Texts{"-e", "A=1", "--env", "B=x=y", "--name", "one", "--name=two"}));
  EXPECT_EQ(g.env, (Texts{"A=1", "B=x=y"}));
  EXPECT_EQ(g.name, "two");
}

TEST(Options, AValueMayBeginWithADash) {
  Given g;
  ASSERT_TRUE(parse(syntax(g), Texts{"--name", "-1", "-e", "--"}));
  EXPECT_EQ(g.name, "-1");
  EXPECT_EQ(g.env, Texts{"--"});
}

TEST(Options, OptionsAmongOperands) {
  Given g;
  ASSERT_TRUE(parse(syntax(g), Texts{"one", "-a", "-", "--", "-t"}));
  EXPECT_TRUE(g.all);
  EXPECT_FALSE(g.terminal);
  EXPECT_EQ(g.rest, (Texts{"one", "-", "-t"}));
}

TEST(Options, WhatFollowsACommandIsItsOwn) {
  Given g;
  ASSERT_TRUE(parse(syntax(g, Rest::command, 1), Texts{"-a", "ls", "-t", "--", "x"}));
  EXPECT_FALSE(g.terminal);
  EXPECT_EQ(g.rest, (Texts{"ls", "-t", "--", "x"}));
  Given with_dashes;
  ASSERT_TRUE(parse(syntax(with_dashes, Rest::command, 1), Texts{"--", "ls", "--", "-t"}));
  EXPECT_EQ(with_dashes.rest, (Texts{"ls", "--", "-t"}));
}

TEST(Options, MisspeltOnesAreAnsweredWithWhatWasMeant) {
  Given g;
  const Error error = error_of(syntax(g), {"--usr", "bob"});
  EXPECT_EQ(error.detail, "there is no option --usr");
  EXPECT_EQ(error.cure, "did you mean --user?");
  EXPECT_EQ(error_of(syntax(g), {"-x"}).detail, "there is no option -x");
  EXPECT_EQ(error_of(syntax(g), {"--something-else"}).cure, "--help lists them");
}

TEST(Options, AMissingValueSaysWhatItIs) {
  Given g;
  EXPECT_EQ(error_of(syntax(g), {"--user"}).detail, "--user needs a value: USER");
  EXPECT_EQ(error_of(syntax(g), {"-e"}).detail, "-e needs a value: NAME[=VALUE]");
}

TEST(Options, TooFewAndTooManyOperands) {
  Given g;
  EXPECT_EQ(error_of(syntax(g, Rest::operands, 1, 1), {}).detail, "needs WORD...");
  EXPECT_EQ(error_of(syntax(g, Rest::operands, 1, 1), {"a", "b"}).detail,
            "'b' is one word too many");
  EXPECT_EQ(error_of(syntax(g, Rest::operands, 2, 2), {"a"}).detail, "needs more: WORD...");
}

TEST(Options, HelpIsAskedFor) {
  Given g;
  for (const char* word : {"--help", "-h"})
    EXPECT_EQ(parse(syntax(g, Rest::operands, 1), Texts{word}).value(), Asked::help);
  // Not when it belongs to the command.
  EXPECT_EQ(parse(syntax(g, Rest::command, 1), Texts{"ls", "--help"}).value(), Asked::run);
}

}  // namespace

}  // namespace umbel::cli
