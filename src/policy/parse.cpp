// Policy files, and the only place that knows toml++. A key that is not known is an error: a rule
// with a slip in its name would otherwise be no rule at all.
#include <algorithm>
#include <functional>
#include <sstream>

#define TOML_EXCEPTIONS 0
#define TOML_ENABLE_FORMATTERS 0
#include <toml++/toml.h>

#include "base/text.h"
#include "policy/policy.h"

namespace umbel::policy {

namespace {

std::string line_of(const toml::node& node) {
  return "line " + std::to_string(node.source().begin.line) + ": ";
}

Failure unknown(const toml::key& key, std::string_view what,
                const std::vector<std::string_view>& known) {
  const auto meant = nearest(key.str(), known);
  std::string all;
  for (const std::string_view one : known) all += (all.empty() ? "" : ", ") + std::string(one);
  return fail("line " + std::to_string(key.source().begin.line) + ": there is no " +
                  std::string(what) + " '" + std::string(key.str()) + "'",
              meant ? "did you mean " + std::string(*meant) + "?" : "there are " + all);
}

Failure wrong(const toml::node& node, std::string_view key, std::string_view wanted) {
  return fail(line_of(node) + std::string(key) + " must be " + std::string(wanted));
}

Result<std::string> text_of(const toml::node& node, std::string_view key) {
  if (const auto value = node.value<std::string>()) return *value;
  return wrong(node, key, "a text in quotes");
}

Result<std::vector<std::string>> texts_of(const toml::node& node, std::string_view key) {
  std::vector<std::string> list;
  if (const toml::array* array = node.as_array()) {
    for (const toml::node& one : *array) list.push_back(TRY(text_of(one, key)));
    return list;
  }
  list.push_back(TRY(text_of(node, key)));
  return list;
}

Result<Accepted> accepted(const toml::node& node, const std::string& word) {
  for (const auto& [need, name] : name_table(Need{}))
    if (name == word && need != Need::named) return Accepted{need, {}};
  const bool named = word.starts_with("with:") || word.starts_with("ns:");
  if (named && word.size() > word.find(':') + 1) return Accepted{Need::named, word};
  static constexpr std::array<std::string_view, 5> known{"own", "group", "host", "any", "with:"};
  const auto meant = nearest(word, known);
  return fail(line_of(node) + "'" + word + "' is nothing that a namespace can be",
              meant ? "did you mean " + std::string(*meant) + "?"
                    : "use own, group, host, any, with:CONTAINER or ns:NAME");
}

Result<void> read_namespaces(const toml::node& node, Policy& policy) {
  const toml::table* table = node.as_table();
  if (table == nullptr) return wrong(node, "namespaces", "a table: [namespaces]");
  for (const auto& [key, value] : *table) {
    const auto kind = ns::kind_named(key.str());
    if (!kind) {
      std::vector<std::string_view> known;
      for (const ns::KindInfo& one : ns::kinds) known.push_back(one.option);
      return unknown(key, "kind of namespace", known);
    }
    for (const std::string& word : TRY(texts_of(value, key.str()))) {
      Accepted one = TRY(accepted(value, word));
      policy.namespaces.at(ns::index(*kind)).push_back(std::move(one));
    }
  }
  return {};
}

Result<void> read_limits(const toml::node& node, Policy& policy) {
  const toml::table* table = node.as_table();
  if (table == nullptr) return wrong(node, "limits", "a table: [limits]");
  for (const auto& [key, value] : *table) {
    if (std::ranges::find(limit_names, key.str()) == limit_names.end())
      return unknown(key, "limit", {limit_names.begin(), limit_names.end()});
    if (const auto whole = value.value_exact<std::int64_t>())
      policy.limits[std::string(key.str())] = std::to_string(*whole);
    else if (value.is_floating_point())
      return wrong(value, key.str(), "a text in quotes: \"0.5\"");
    else
      policy.limits[std::string(key.str())] = TRY(text_of(value, key.str()));
    std::string& chosen = policy.limits[std::string(key.str())];
    if (chosen == "required") chosen.clear();
  }
  return {};
}

Result<void> read_outside(const toml::node& node, Policy& policy) {
  const toml::table* table = node.as_table();
  if (table == nullptr) return wrong(node, "outside", "a table: [outside]");
  for (const auto& [key, value] : *table) {
    const auto known = std::ranges::find(reaches, key.str(), &ReachInfo::name);
    if (known == reaches.end()) {
      std::vector<std::string_view> names;
      for (const ReachInfo& one : reaches) names.push_back(one.name);
      return unknown(key, "reach", names);
    }
    const std::string word = TRY(text_of(value, key.str()));
    if (word != "none" && word != "any") return wrong(value, key.str(), "\"none\" or \"any\"");
    policy.closed.at(static_cast<std::size_t>(known->reach)) = word == "none";
  }
  return {};
}

Result<void> read_hidden(const toml::node& node, Policy& policy) {
  policy.hidden = TRY(texts_of(node, "hide"));
  for (const std::string& path : policy.hidden)
    if (!path.starts_with('/') || path == "/" || path.contains("/../"))
      return fail(line_of(node) + "hide: '" + path + "' is no path below /");
  return {};
}

Result<bool> one_word(const toml::node& node, std::string_view key, std::string_view word) {
  const std::string value = TRY(text_of(node, key));
  if (value != word && value != "any")
    return wrong(node, key, "\"" + std::string(word) + "\" or \"any\"");
  return value == word;
}

struct Key {
  std::string_view name;
  Result<void> (*read)(const toml::node&, Policy&);
};
constexpr std::array keys = std::to_array<Key>({
    {"summary",
     [](const toml::node& node, Policy& policy) -> Result<void> {
       policy.summary = TRY(text_of(node, "summary"));
       return {};
     }},
    {"use",
     [](const toml::node& node, Policy& policy) -> Result<void> {
       policy.use = trimmed(TRY(text_of(node, "use")));
       return {};
     }},
    {"checkpoint",
     [](const toml::node& node, Policy& policy) -> Result<void> {
       if (!node.is_boolean()) return wrong(node, "checkpoint", "true or false");
       policy.checkpoint = node.value_or(false);
       return {};
     }},
    {"rights",
     [](const toml::node& node, Policy& policy) -> Result<void> {
       policy.usual_rights = TRY(one_word(node, "rights", "usual"));
       return {};
     }},
    {"links",
     [](const toml::node& node, Policy& policy) -> Result<void> {
       policy.no_links = TRY(one_word(node, "links", "none"));
       return {};
     }},
    {"hide", read_hidden},
    {"namespaces", read_namespaces},
    {"limits", read_limits},
    {"outside", read_outside},
});

}  // namespace

Result<Policy> parse(const std::string& name, std::string_view text) {
  const toml::parse_result read = toml::parse(text);
  if (!read)
    return fail("policy " + name + ": line " + std::to_string(read.error().source().begin.line) +
                ": " + std::string(read.error().description()));
  Policy policy{.name = name};
  for (const auto& [key, value] : read.table()) {
    const auto known = std::ranges::find(keys, key.str(), &Key::name);
    if (known == keys.end()) {
      std::vector<std::string_view> names;
      for (const Key& one : keys) names.push_back(one.name);
      return during("policy " + name, Result<Policy>(unknown(key, "rule", names)));
    }
    TRY(during("policy " + name, known->read(value, policy)));
  }
  return policy;
}

}  // namespace umbel::policy
