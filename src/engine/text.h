// Strings of the manifest that may hold tags, and how they are rendered in passes.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "expr/expression.h"
#include "expr/text_template.h"

namespace tiphys::engine {

/// A string of the manifest, which must outlive this. Compiled at construction when it holds tags; one that holds none,
/// or is nothing but one simple tag, costs three words.
class Text {
 public:
  Text() = default;
  explicit Text(const std::string& source);

  bool constant() const { return !program_ && !sole_tag_; }
  /// The name in a text that is nothing but one simple tag; "" when it is more or less.
  std::string_view sole_tag() const;
  bool empty() const { return !source_ || source_->empty(); }
  const std::string& source() const;
  /// The compiled text, or why it does not compile. Only when it is neither constant nor a sole tag.
  const Result<expr::TextTemplate>& program() const { return *program_; }

 private:
  const std::string* source_ = nullptr;
  bool sole_tag_ = false;
  std::unique_ptr<const Result<expr::TextTemplate>> program_;
};

/// Where the variables of a text come from. Only those that a text names are asked for: a scope with the outputs of all
/// steps would cost more than the step.
class Variables {
 public:
  virtual ~Variables() = default;
  /// Puts what `name` stands for into `scope`; nothing when it is not known.
  virtual void provide(std::string_view name, expr::Scope& scope) const = 0;
};

/// An expression of the manifest, which must outlive this: compiled once, or anew for what its tags bring. For no text
/// it is empty.
class ExpressionText {
 public:
  ExpressionText() = default;
  explicit ExpressionText(const std::string& source);

  bool empty() const { return text_.empty() && !compiled_; }
  /// The names that it reads; nothing when tags may bring others, or it does not compile.
  const std::vector<std::string>* references() const;
  Result<expr::Expression> filled(const expr::Scope& globals, const Variables& variables) const;

 private:
  Text text_;  ///< when it has tags
  std::optional<Result<expr::Expression>> compiled_;
};

enum class Leftover {
  kKeep,          ///< tags that are not known stay as they are
  kFailSiblings,  ///< a tag of a step or task that is not known is an error
  kFailAll,       ///< any tag that is not known is an error
};

/// Renders until no tag that is known is left, at most `kRenderPasses` times: what a value brings in is rendered again,
/// as in the original, where each pass reads what the one before has written.
inline constexpr int kRenderPasses = 4;
Result<std::string> render(const Text& text, const expr::Scope& globals, const Variables& variables, Leftover leftover);
Result<std::string> render(std::string_view text, const expr::Scope& globals, const Variables& variables,
                           Leftover leftover);
Result<std::string> render(const expr::TextTemplate& program, const expr::Scope& globals, const Variables& variables,
                           Leftover leftover);
/// The same for all strings of a document.
Result<doc::Shared> render(const expr::DocumentTemplate& document, const std::vector<std::string>& references,
                           const expr::Scope& globals, const Variables& variables);

inline bool has_tag(std::string_view text) {
  return text.find("{{") != std::string_view::npos;
}
/// True when some string of the document has a tag.
bool has_tag(const doc::Value& value);

}  // namespace tiphys::engine
