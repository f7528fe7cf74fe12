#include <fmt/format.h>

#include <algorithm>

#include "expr/text_bounds.h"
#include "expr/text_template.h"

namespace tiphys::expr {

/// The templates of a value: the text of a string, or those of an object's keys and of the members below.
struct DocumentTemplate::Plan {
  struct Member {
    std::size_t index = 0;  ///< in the array, or in the object's order
    std::optional<TextTemplate> key;
    std::shared_ptr<const Plan> value;  ///< null when the value has no templates
  };
  std::optional<TextTemplate> text;
  std::vector<Member> members;  ///< by rising index

  static Result<std::shared_ptr<const Plan>> of(const doc::Value& value, const std::string& pointer, int depth,
                                                std::size_t& tags);
  /// `room` is what the texts may still give.
  Result<doc::Value> render(const doc::Value& value, const Scope& scope, Unresolved unresolved,
                            const std::string& pointer, std::size_t& room) const;
  Status render_members(const doc::Object& from, doc::Object& to, const Scope& scope, Unresolved unresolved,
                        const std::string& pointer, std::size_t& room) const;
  void add_references(std::vector<std::string>& names) const;
};

namespace {

constexpr int kDeepest = 200;

std::string below(const std::string& pointer, std::string_view key) {
  std::string result = pointer + '/';
  for (const char c : key) {
    if (c == '~') {
      result += "~0";
    } else if (c == '/') {
      result += "~1";
    } else {
      result += c;
    }
  }
  return result;
}

template <typename T>
Result<T> at(Result<T> result, const std::string& pointer) {
  if (result) return result;
  return std::unexpected(result.error().in(pointer.empty() ? "/" : pointer));
}

Result<std::string> render_text(const TextTemplate& text, const Scope& scope, Unresolved unresolved,
                                const std::string& pointer, std::size_t& room) {
  TIPHYS_TRY(std::string rendered, at(text.render(scope, unresolved), pointer));
  if (rendered.size() > room) {
    return fail(Code::kResourceExhausted, fmt::format("{}: what the document's tags give is larger than {} MiB",
                                                      pointer.empty() ? "/" : pointer, kMostRenderedBytes >> 20));
  }
  room -= rendered.size();
  return rendered;
}

Status count_tags(const TextTemplate& text, const std::string& pointer, std::size_t& tags) {
  tags += text.constant() ? 0 : std::max<std::size_t>(1, text.references().size());
  if (tags <= kMostTags) return {};
  return fail(Code::kResourceExhausted, fmt::format("{}: more than {} tags in the document", pointer, kMostTags));
}

}  // namespace

Result<std::shared_ptr<const DocumentTemplate::Plan>> DocumentTemplate::Plan::of(const doc::Value& value,
                                                                                 const std::string& pointer, int depth,
                                                                                 std::size_t& tags) {
  if (depth > kDeepest) return fail(Code::kInvalidArgument, "the document is nested too deeply at " + pointer);
  auto plan = std::make_shared<Plan>();
  const auto add = [&](std::size_t index, std::optional<TextTemplate> key, const doc::Value& member,
                       const std::string& place) -> Status {
    TIPHYS_TRY(auto below_it, of(member, place, depth + 1, tags));
    if (key || below_it) plan->members.push_back({index, std::move(key), std::move(below_it)});
    return {};
  };
  if (const auto* string = value.if_string()) {
    TIPHYS_TRY(TextTemplate text, at(TextTemplate::compile(*string, TextTemplate::Unclosed::kText), pointer));
    TIPHYS_CHECK_OK(count_tags(text, pointer, tags));
    if (!text.constant()) plan->text = std::move(text);
  } else if (const auto* array = value.if_array()) {
    for (std::size_t i = 0; i < array->size(); ++i) {
      TIPHYS_CHECK_OK(add(i, std::nullopt, (*array)[i], below(pointer, std::to_string(i))));
    }
  } else if (const auto* object = value.if_object()) {
    std::size_t index = 0;
    for (const auto& [name, member] : *object) {
      const std::string place = below(pointer, name);
      TIPHYS_TRY(TextTemplate key, at(TextTemplate::compile(name, TextTemplate::Unclosed::kText), place));
      TIPHYS_CHECK_OK(count_tags(key, place, tags));
      TIPHYS_CHECK_OK(add(index++, key.constant() ? std::nullopt : std::optional(std::move(key)), member, place));
    }
  }
  if (!plan->text && plan->members.empty()) return nullptr;
  return plan;
}

Result<doc::Value> DocumentTemplate::Plan::render(const doc::Value& value, const Scope& scope, Unresolved unresolved,
                                                  const std::string& pointer, std::size_t& room) const {
  if (text) {
    TIPHYS_TRY(const std::string rendered, render_text(*text, scope, unresolved, pointer, room));
    return doc::Value(rendered);
  }
  if (const auto* object = value.if_object()) {
    doc::Object result;
    result.reserve(object->size());
    TIPHYS_CHECK_OK(render_members(*object, result, scope, unresolved, pointer, room));
    return doc::Value(std::move(result));
  }
  const auto& array = value.get_array();
  doc::Array result;
  result.reserve(array.size());
  auto next = members.begin();
  for (std::size_t i = 0; i < array.size(); ++i) {
    if (next == members.end() || next->index != i) {
      result.push_back(array[i]);
      continue;
    }
    TIPHYS_TRY(doc::Value rendered,
               next->value->render(array[i], scope, unresolved, below(pointer, std::to_string(i)), room));
    result.push_back(std::move(rendered));
    ++next;
  }
  return doc::Value(std::move(result));
}

Status DocumentTemplate::Plan::render_members(const doc::Object& from, doc::Object& to, const Scope& scope,
                                              Unresolved unresolved, const std::string& pointer,
                                              std::size_t& room) const {
  auto next = members.begin();
  std::size_t index = 0;
  for (const auto& [name, member] : from) {
    if (next == members.end() || next->index != index++) {
      to.insert_or_assign(name, member);
      continue;
    }
    const std::string place = below(pointer, name);
    std::string key(name);
    if (next->key) {
      TIPHYS_TRY(key, render_text(*next->key, scope, unresolved, place, room));
    }
    if (next->value) {
      TIPHYS_TRY(doc::Value rendered, next->value->render(member, scope, unresolved, place, room));
      to.insert_or_assign(key, std::move(rendered));
    } else {
      to.insert_or_assign(key, member);
    }
    ++next;
  }
  return {};
}

void DocumentTemplate::Plan::add_references(std::vector<std::string>& names) const {
  const auto add = [&](const TextTemplate& from) {
    for (const std::string& name : from.references()) {
      if (std::ranges::find(names, name) == names.end()) names.push_back(name);
    }
  };
  if (text) add(*text);
  for (const Member& member : members) {
    if (member.key) add(*member.key);
    if (member.value) member.value->add_references(names);
  }
}

Result<DocumentTemplate> DocumentTemplate::compile(doc::Value document) {
  DocumentTemplate result;
  std::size_t tags = 0;
  TIPHYS_TRY(result.plan_, Plan::of(document, "", 0, tags));
  result.document_ = std::make_shared<const doc::Value>(std::move(document));
  return result;
}

std::vector<std::string> DocumentTemplate::references() const {
  std::vector<std::string> names;
  if (plan_) plan_->add_references(names);
  return names;
}

Result<doc::Shared> DocumentTemplate::render(const Scope& scope, Unresolved unresolved) const {
  if (!plan_) return document_;
  std::size_t room = kMostRenderedBytes;
  TIPHYS_TRY(doc::Value rendered, plan_->render(*document_, scope, unresolved, "", room));
  return std::make_shared<const doc::Value>(std::move(rendered));
}

}  // namespace tiphys::expr
