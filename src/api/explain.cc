#include "api/explain.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "api/kinds.h"
#include "base/strings.h"

namespace tiphys::api {
namespace {

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

Result<const Kind*> find_kind(std::string_view word) {
  const std::string called = lower(word);
  std::vector<std::string> known;
  for (const Kind& kind : kinds()) {
    if (called == lower(kind.name) || called == kind.plural || called == kind.short_name) return &kind;
    known.push_back(lower(kind.name));
  }
  return fail(Code::kInvalidArgument,
              fmt::format("there is no kind \"{}\"{}: {}", word, did_you_mean(called, known), join(known, ", ")));
}

/// What a path leads to: a field, or a kind when there is none.
struct Found {
  const Kind* kind;
  std::optional<FieldInfo> field;
  const FieldTable* fields;
};

Result<Found> follow(std::string_view path) {
  const auto words = split(path, '.');
  TIPHYS_TRY(const Kind* kind, find_kind(words.front()));
  Found found{kind, std::nullopt, kind->fields};
  std::string where(words.front());
  bool in_map = false;
  for (std::size_t i = 1; i < words.size(); ++i) {
    const std::string_view word = words[i].substr(0, words[i].find('['));
    if (!found.fields) {
      const bool elsewhere = found.field->shape->kubernetes;
      return fail(Code::kInvalidArgument,
                  fmt::format("{} is {}: its fields are not told here{}", where, type_name(*found.field->shape),
                              elsewhere ? "; see " + kubernetes_link(found.field->shape->kubernetes) : ""));
    }
    const auto field = found.fields->find(word);
    where += fmt::format(".{}", word);
    if (!field && in_map) {  // the name of an entry
      in_map = false;
      continue;
    }
    if (!field) {
      return fail(Code::kInvalidArgument,
                  fmt::format("there is no field {}{}", where, did_you_mean(word, found.fields->names())));
    }
    found.field = field;
    found.fields = field->shape->fields;
    in_map = field->shape->around == Shape::Around::kMap;
  }
  return found;
}

void list_below(const FieldTable& fields, std::size_t depth, std::vector<const FieldTable*>& above, std::string& text) {
  for (std::size_t i = 0; i < fields.size(); ++i) {
    const FieldInfo field = fields[i];
    text += fmt::format("{:{}}{}\t<{}>\n", "", 2 * depth, field.name, type_name(*field.shape));
    const FieldTable* below = field.shape->fields;
    if (!below || std::ranges::find(above, below) != above.end()) continue;
    above.push_back(below);
    list_below(*below, depth + 1, above, text);
    above.pop_back();
  }
}

std::string list_fields(const FieldTable& fields) {
  std::string text;
  for (std::size_t i = 0; i < fields.size(); ++i) {
    const FieldInfo field = fields[i];
    const std::string plane =
        plane_of(field.handling) == "embedded" ? "" : fmt::format("  ({})", plane_of(field.handling));
    text += fmt::format("  {}\t<{}>{}\n    {}\n\n", field.name, type_name(*field.shape), plane, field.about);
  }
  if (!text.empty()) text.pop_back();
  return text;
}

std::string describe(const FieldInfo& field) {
  std::string text = fmt::format("FIELD:    {} <{}>\nPLANE:    {}\n\nDESCRIPTION:\n    {}\n", field.name,
                                 type_name(*field.shape), plane_of(field.handling), field.about);
  if (!field.deviation.empty()) text += fmt::format("    Differs from Argo: {}\n", field.deviation);
  if (field.shape->kubernetes) text += fmt::format("    See {}\n", kubernetes_link(field.shape->kubernetes));
  if (!field.shape->choices.empty()) {
    text += "\nENUM:\n";
    for (const std::string_view choice : field.shape->choices) text += fmt::format("    {}\n", choice);
  }
  return text;
}

}  // namespace

Result<std::string> explain(std::string_view path, bool recursive) {
  TIPHYS_TRY(const Found found, follow(path));
  std::string text = fmt::format("KIND:     {}\nVERSION:  {}\n\n", found.kind->name, kApiVersion);
  text += found.field ? describe(*found.field) : fmt::format("DESCRIPTION:\n    {}\n", found.kind->about);
  if (!found.fields || found.fields->size() == 0) return text;
  text += "\nFIELDS:\n";
  std::vector<const FieldTable*> above = {found.fields};
  if (recursive) {
    list_below(*found.fields, 1, above, text);
  } else {
    text += list_fields(*found.fields);
  }
  return text;
}

}  // namespace tiphys::api
