#include "expr/text_template.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/strings.h"
#include "expr/expression.h"
#include "expr/go_json.h"
#include "expr/go_text.h"
#include "expr/go_value.h"
#include "expr/position.h"
#include "expr/text_bounds.h"
#include "expr/variables.h"

namespace tiphys::expr {
namespace {

constexpr std::string_view kOpen = "{{";
constexpr std::string_view kClose = "}}";

/// Variables that a later pass brings: an expression that names one waits for it.
constexpr std::array<std::string_view, 8> kLateVariables = {
    "item",
    "retries",
    "lastRetry.exitCode",
    "lastRetry.status",
    "lastRetry.duration",
    "lastRetry.message",
    "workflow.status",
    "workflow.failures",
};

bool is_sibling(std::string_view name) {
  for (const std::string_view root : {"steps", "tasks"}) {
    if (name.starts_with(root) && (name.size() == root.size() || name[root.size()] == '.')) return true;
  }
  return false;
}

}  // namespace

/// A tag, and the plain text before it.
struct Tag {
  enum class Kind { kSimple, kNested, kExpression } kind = Kind::kSimple;
  std::size_t text_begin = 0;
  std::size_t begin = 0;  ///< of the `{{`
  std::size_t end = 0;    ///< after the `}}`
  std::string name;
  std::size_t inner = 0;   ///< kNested: of the second `{{`; the outer tag stays open, for a later pass
  std::string inner_name;  ///< kNested: spaces count here
  Expression expression;
};

struct TextTemplate::Program {
  std::vector<Tag> tags;
  std::size_t tail = 0;  ///< where the plain text after the last tag begins
  std::vector<std::string> references;
};

namespace {

/// Reads the tag that opens at `tag.begin` and whose first `}}` is at `close`.
Status read_tag(std::string_view text, std::size_t close, bool in_document, Tag& tag) {
  const auto name_of = [in_document](std::string_view name) {
    if (!in_document) return std::string(trim(name));
    // The original reads the tags of a document in its JSON text: a line break there is no white space.
    std::string escaped;
    append_go_json_string(name, true, escaped);
    return std::string(trim(std::string_view(escaped).substr(1, escaped.size() - 2)));
  };
  const std::string_view body = text.substr(tag.begin + kOpen.size(), close - tag.begin - kOpen.size());
  tag.end = close + kClose.size();
  if (body.starts_with('=')) {
    tag.kind = Tag::Kind::kExpression;
    auto expression = Expression::compile(body.substr(1));
    if (!expression) {
      return std::unexpected(
          expression.error().in("failed to evaluate expression at " + place(text, tag.begin + kOpen.size() + 1)));
    }
    tag.expression = std::move(*expression);
    return {};
  }
  tag.name = name_of(body);
  const std::size_t inner = body.rfind(kOpen);
  if (inner == std::string_view::npos || inner == 0) return {};
  tag.kind = Tag::Kind::kNested;
  tag.inner = tag.begin + kOpen.size() + inner;
  tag.inner_name = body.substr(inner + kOpen.size());
  return {};
}

class Renderer {
 public:
  Renderer(std::string_view text, const Scope& scope, Unresolved unresolved, const Trace& trace)
      : text_(text), scope_(scope), unresolved_(unresolved), trace_(trace) {
    out_.reserve(text.size() + 64);
  }

  Status add(const Tag& tag) {
    out_ += text_.substr(tag.text_begin, tag.begin - tag.text_begin);
    const std::size_t before = out_.size();
    TIPHYS_CHECK_OK(add_value(tag));
    if (out_.size() > kMostRenderedBytes) return too_large();
    if (trace_) trace_(raw(tag), doc::Value(std::string_view(out_).substr(before)));
    return {};
  }
  Result<std::string> finish(std::size_t tail) {
    out_ += text_.substr(tail);
    if (out_.size() > kMostRenderedBytes) return too_large();
    return std::move(out_);
  }

 private:
  Status add_value(const Tag& tag) {
    switch (tag.kind) {
      case Tag::Kind::kSimple:
        return add_simple(tag);
      case Tag::Kind::kNested:
        return add_nested(tag);
      case Tag::Kind::kExpression:
        return add_expression(tag);
    }
    return {};
  }

  static std::unexpected<Error> too_large() {
    return fail(
        Code::kResourceExhausted,
        fmt::format("what its tags give is larger than {} MiB: does a value name itself?", kMostRenderedBytes >> 20));
  }

  std::string_view raw(const Tag& tag) const { return text_.substr(tag.begin, tag.end - tag.begin); }

  Status add_simple(const Tag& tag) {
    if (const std::string* value = scope_.text(tag.name)) {
      out_ += *value;
      return {};
    }
    TIPHYS_TRY(const std::string_view value, string_value(tag, tag.name));
    out_ += value;
    return {};
  }

  /// What stands for a name that has no text: its value when that is a string, the tag when the name is not known.
  Result<std::string_view> string_value(const Tag& tag, std::string_view name) const {
    const doc::Value* value = scope_.value(name);
    if (value && value->is_string()) return std::string_view(value->get_string());
    if (value && value->is_null()) {
      return fail(Code::kFailedPrecondition,
                  "unable to substitute {{" + std::string(name) + "}} at " + place(text_, tag.begin) +
                      ": output is an absent optional (skipped/omitted node with no default)");
    }
    // An artifact is none of the texts: its name stays.
    if (value && name.find("outputs.artifacts.") == std::string_view::npos) {
      return fail(Code::kNotFound,
                  "failed to resolve {{" + std::string(name) + "}} to string at " + place(text_, tag.begin));
    }
    if (must_resolve(name)) {
      return fail(Code::kNotFound, "failed to resolve {{" + std::string(name) + "}} at " + place(text_, tag.begin) +
                                       suggest_variable(scope_, name));
    }
    return raw(tag);
  }

  bool must_resolve(std::string_view name) const {
    if (unresolved_ != Unresolved::kErrorForSiblings) return unresolved_ == Unresolved::kError;
    return is_sibling(name) && name.find(".outputs.artifacts.") == std::string_view::npos;
  }

  Status add_nested(const Tag& tag) {
    const std::string* text = scope_.text(tag.inner_name);
    const doc::Value* value = text ? nullptr : scope_.value(tag.inner_name);
    if (!text && (!value || !(value->is_string() || value->is_null()))) return add_simple(tag);
    out_ += text_.substr(tag.begin, tag.inner - tag.begin);
    if (text) {
      out_ += *text;
      return {};
    }
    TIPHYS_TRY(const std::string_view string, string_value(tag, tag.inner_name));
    out_ += string;
    return {};
  }

  /// The first name that the expression needs and the scope does not know, among those that `matter`.
  template <typename Matter>
  const std::string* missing(const Tag& tag, Matter matter) const {
    for (const std::string& name : tag.expression.required()) {
      if (matter(name) && !knows(scope_, name)) return &name;
    }
    return nullptr;
  }

  Status add_expression(const Tag& tag) {
    bool keep = unresolved_ == Unresolved::kKeep;
    if (!keep) {
      const bool all = unresolved_ == Unresolved::kError;
      if (const auto* name = missing(tag, [&](std::string_view n) { return all || is_sibling(n); })) {
        return fail(Code::kNotFound, "failed to evaluate expression: " + *name + " is missing at " +
                                         place(text_, tag.begin) + suggest_variable(scope_, *name));
      }
      keep = missing(tag, [](std::string_view) { return true; }) != nullptr;
    }
    if (keep &&
        missing(tag, [](std::string_view n) { return std::ranges::find(kLateVariables, n) != kLateVariables.end(); })) {
      out_ += raw(tag);
      return {};
    }
    auto result = tag.expression.eval(scope_, trace_);
    if (result) {
      if (auto writable = check_go_json(*result); !writable) result = std::unexpected(std::move(writable).error());
    }
    if (keep && (!result || result->is_null())) {
      out_ += raw(tag);
      return {};
    }
    if (!result) {
      return std::unexpected(result.error().in("failed to evaluate expression at " + place(text_, tag.begin)));
    }
    if (result->is_null()) {
      return fail(Code::kInvalidArgument, "failed to evaluate expression " + std::string(raw(tag)) + " at " +
                                              place(text_, tag.begin) + ": its value is nil");
    }
    *result = go_value_plain(*result);
    if (result->is_string()) {
      out_ += std::string_view(result->get_string());
    } else {
      append_go_json(*result, out_);
    }
    return {};
  }

  std::string_view text_;
  const Scope& scope_;
  Unresolved unresolved_;
  const Trace& trace_;
  std::string out_;
};

}  // namespace

Result<TextTemplate> TextTemplate::compile(std::string_view text) {
  return compile(text, Unclosed::kError);
}

Result<TextTemplate> TextTemplate::compile(std::string_view text, Unclosed unclosed) {
  TextTemplate result;
  result.text_ = text;
  std::size_t begin = text.find(kOpen);
  if (begin == std::string_view::npos) return result;

  auto program = std::make_shared<Program>();
  while (begin != std::string_view::npos) {
    const std::size_t close = text.find(kClose, begin + kOpen.size());
    if (close == std::string_view::npos) {
      if (unclosed == Unclosed::kText) break;
      return fail(Code::kInvalidArgument, "the tag opened by {{ at " + place(text, begin) + " has no closing }}");
    }
    if (program->tags.size() == kMostTags)
      return fail(Code::kResourceExhausted, fmt::format("more than {} tags", kMostTags));
    Tag& tag = program->tags.emplace_back();
    tag.text_begin = program->tail;
    tag.begin = begin;
    TIPHYS_CHECK_OK(read_tag(text, close, unclosed == Unclosed::kText, tag));
    program->tail = tag.end;
    begin = text.find(kOpen, tag.end);
    if (tag.kind == Tag::Kind::kExpression) {
      const auto& names = tag.expression.references();
      program->references.insert(program->references.end(), names.begin(), names.end());
    } else {
      program->references.push_back(tag.kind == Tag::Kind::kNested ? tag.inner_name : tag.name);
    }
  }
  if (!program->tags.empty()) result.program_ = std::move(program);
  return result;
}

const std::vector<std::string>& TextTemplate::references() const {
  static const std::vector<std::string> none;
  return program_ ? program_->references : none;
}

Result<std::string> TextTemplate::render(const Scope& scope, Unresolved unresolved, const Trace& trace) const {
  if (!program_) return text_;
  Renderer renderer(text_, scope, unresolved, trace);
  for (const Tag& tag : program_->tags) TIPHYS_CHECK_OK(renderer.add(tag));
  return renderer.finish(program_->tail);
}

}  // namespace tiphys::expr
