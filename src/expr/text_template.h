// `{{ }}` substitution, compiled once and rendered many times.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "expr/scope.h"

namespace tiphys::expr {

/// What to do with a tag that the scope does not know. Original: util/template/{simple,expression}_template.go.
enum class Unresolved {
  kKeep,   ///< leave `{{tag}}` as it stands: a later pass may know it
  kError,  ///< an error naming the tag, its column and the nearest known name
  /// As kError for simple tags under `steps.` and `tasks.` (but for artifacts, which are resolved elsewhere) and for
  /// expressions whose variables are all known, or of which one under `steps` or `tasks` is not; else as kKeep. This is
  /// how the arguments of steps and tasks are read.
  kErrorForSiblings,
};

/// One text with its tags `{{name}}`, `{{=expression}}` and nested ones: `{{a.{{b}}}}` becomes `{{a.x}}`, which a later
/// pass reads. Immutable and cheap to share. White space around a simple tag's name does not count.
class TextTemplate {
 public:
  TextTemplate() = default;
  /// Errors: an unclosed tag, an expression that does not parse (with its column).
  static Result<TextTemplate> compile(std::string_view text);

  /// True when the text has no tag: it renders to itself.
  bool constant() const { return !program_; }
  const std::string& text() const { return text_; }
  /// Names of the simple tags, and of the variables that expressions read ("steps.a.outputs.result"), in order of
  /// appearance.
  const std::vector<std::string>& references() const;

  /// Strings are put in as they are, other results of expressions as JSON. Codes of errors: kNotFound for a name that
  /// the scope does not know (yet) or whose value is no string; kFailedPrecondition for a simple tag whose value is
  /// null, the output of a skipped step without a default; kInvalidArgument for an expression that fails. With kKeep
  /// only such values are errors.
  Result<std::string> render(const Scope& scope, Unresolved unresolved) const;

 private:
  friend class DocumentTemplate;
  enum class Unclosed { kError, kText };
  static Result<TextTemplate> compile(std::string_view text, Unclosed unclosed);

  struct Program;
  std::string text_;
  std::shared_ptr<const Program> program_;
};

/// A document whose strings and keys are templates. A `{{` that its string does not close is plain text here.
class DocumentTemplate {
 public:
  DocumentTemplate() = default;
  /// An error names the JSON pointer of the string.
  static Result<DocumentTemplate> compile(doc::Value document);

  bool constant() const { return !plan_; }
  const doc::Shared& document() const { return document_; }
  /// Those of all strings, without repetition.
  std::vector<std::string> references() const;
  /// The document itself, shared, when it is constant; else a copy with every string rendered.
  Result<doc::Shared> render(const Scope& scope, Unresolved unresolved) const;

 private:
  struct Plan;
  doc::Shared document_ = std::make_shared<const doc::Value>();
  std::shared_ptr<const Plan> plan_;  ///< where in the document the templates are
};

}  // namespace tiphys::expr
