#include <algorithm>

#include "doc/duplicate_fields.h"
#include "doc/gjson.h"
#include "doc/jsonpath.h"
#include "doc/patch.h"
#include "doc/sjson.h"
#include "doc/utf8.h"
#include "doc/yaml.h"
#include "fuzz/targets.h"

namespace tiphys::fuzz {

doc::Value document(std::string_view json) {
  constexpr std::string_view kSmall =
      R"({"kind":"Pod","n":3,"x":1.5,"yes":true,"no":null,"a.b":"dot","metadata":{"name":"p","labels":{"a":"1"}},)"
      R"("list":[1,"2",[3],{"name":"a","n":1},{"name":"b","n":2}],"status":{"phase":"Done","succeeded":3}})";
  auto parsed = doc::parse_json(json);
  return parsed ? *std::move(parsed) : doc::parse_json(kSmall).value();
}

namespace {

/// The same but for what texts do not tell: 1.0 from 1, -0 from 0.
bool same(const doc::Value& a, const doc::Value& b) {
  if (a.is_number() && b.is_number()) return a == b || a.to_number<double>() == b.to_number<double>();
  if (a.is_array() && b.is_array()) return std::ranges::equal(a.get_array(), b.get_array(), same);
  if (!a.is_object() || !b.is_object()) return a == b;
  return std::ranges::equal(a.get_object(), b.get_object(), [](const auto& x, const auto& y) {
    return x.key() == y.key() && same(x.value(), y.value());
  });
}

void check_read_back(const Result<doc::Value>& again, const doc::Value& value) {
  TIPHYS_CHECK(again && same(*again, value), "what is written is read back");
}

void json(std::string_view input) {
  const auto parsed = doc::parse_json(input);
  check_error(parsed);
  if (!parsed) return;
  check_read_back(doc::parse_json(doc::to_json(*parsed)), *parsed);
  check_read_back(doc::parse_json(doc::to_pretty_json(*parsed)), *parsed);
  static_cast<void>(doc::duplicate_fields(input));
  TIPHYS_CHECK(doc::duplicate_fields(doc::to_json(*parsed)).empty(), "nothing is written twice");
}

void yaml(std::string_view input) {
  const auto documents = doc::parse_yaml(input, "in.yaml");
  check_error(documents);
  if (!documents) return;
  for (const doc::Document& document : *documents) {
    const auto again = doc::parse_yaml(doc::to_yaml(document.root), "again.yaml");
    TIPHYS_CHECK(again, again.error().message);
    TIPHYS_CHECK(again->size() == 1, "it is still one document");
    check_read_back(again->front().root, document.root);
  }
}

void kubectl_jsonpath(std::string_view input) {
  const auto [path, json] = parts<2>(input);
  const doc::Value root = document(json);
  check_error(doc::eval_jsonpath(path, root));
  check_error(doc::eval_jsonpath(path, root, true));
}

void gjson(std::string_view input) {
  const auto [path, json] = parts<2>(input);
  const doc::GjsonResult found = doc::gjson_get(json, path);
  // What a modifier or a literal gives stands in a text of its own.
  if (found.index > 0 && !path.starts_with('@') && !path.starts_with('!')) {
    TIPHYS_CHECK(found.index <= json.size() && json.substr(found.index).starts_with(found.raw),
                 "it stands in the text");
  }
  static_cast<void>(found.to_bool());
  static_cast<void>(found.to_int());
  static_cast<void>(found.to_uint());
  static_cast<void>(found.to_float());
  for (const doc::GjsonResult& element : found.elements()) static_cast<void>(element.text());
}

void sjson(std::string_view input) {
  const auto [path, json, raw] = parts<3>(input);
  check_error(doc::sjson_set(json, path, document(raw)));
  check_error(doc::sjson_set_raw(json, path, raw));
  check_error(doc::sjson_delete(json, path));
}

template <typename Apply>
void patch(std::string_view patch_json, std::string_view target_json, Apply apply) {
  const auto patch = doc::parse_json(patch_json);
  if (!patch) return;
  const doc::Value before = document(target_json);
  doc::Value target = before;
  const Status done = apply(target, *patch);
  check_error(done);
  TIPHYS_CHECK(done || target == before, "what fails changes nothing");
}

void json_patch(std::string_view input) {
  const auto [changes, target] = parts<2>(input);
  patch(changes, target, doc::apply_json_patch);
}

void merge_patch(std::string_view input) {
  const auto [changes, target] = parts<2>(input);
  patch(changes, target, doc::apply_merge_patch);
}

void strategic_merge_patch(std::string_view input) {
  const auto [changes, target, kind] = parts<3>(input);
  patch(changes, target, [&](doc::Value& value, const doc::Value& change) {
    return doc::apply_strategic_merge_patch(value, change, kind.empty() ? "Pod" : kind);
  });
}

constexpr std::array kTargets{
    Target{"json", json},
    Target{"yaml", yaml},
    Target{"kubectl_jsonpath", kubectl_jsonpath},
    Target{"gjson", gjson},
    Target{"sjson", sjson},
    Target{"json_patch", json_patch},
    Target{"merge_patch", merge_patch},
    Target{"strategic_merge_patch", strategic_merge_patch},
};

}  // namespace

std::span<const Target> doc_targets() {
  return kTargets;
}

}  // namespace tiphys::fuzz
