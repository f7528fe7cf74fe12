// The syntax tree of an expr-lang expression.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "doc/value.h"
#include "expr/held.h"

namespace re2 {
class RE2;
}

namespace tiphys::expr {

struct Function;

enum class Op : std::uint8_t {
  kNone,
  kNot,
  kNegate,
  kPlus,
  kOr,
  kAnd,
  kEqual,
  kNotEqual,
  kLess,
  kGreater,
  kLessOrEqual,
  kGreaterOrEqual,
  kIn,
  kMatches,
  kContains,
  kStartsWith,
  kEndsWith,
  kRange,
  kAdd,
  kSubtract,
  kMultiply,
  kDivide,
  kModulo,
  kPower,
  kCoalesce,
};
std::string_view op_text(Op op);

struct Node {
  enum class Kind : std::uint8_t {
    kLiteral,
    kPath,      ///< a variable of the scope and the members after it; `parts`
    kEnv,       ///< all variables, `$env`
    kVariable,  ///< of a let; `slot`
    kPointer,   ///< # in a predicate; `text` "", "index" or "acc"
    kUnary,     ///< `op`
    kBinary,    ///< `op`
    kConditional,
    kMember,  ///< a base and a property, `optional`
    kChain,   ///< where a ?. that finds nothing stops
    kSlice,   ///< a base, from and to; each may be a null pointer
    kArray,
    kMap,       ///< keys and values by turns
    kLet,       ///< the value of `slot`, and the expression that may use it
    kSequence,  ///< gives the last
    kPredicate,
    kCall,       ///< `function`
    kMethod,     ///< `text` of the first child, the others its arguments; `optional`
    kCollect,    ///< a function over an array with a predicate: `text`
    kUndefined,  ///< a call of what is no function, named `text`
  };
  Kind kind = Kind::kLiteral;
  Op op = Op::kNone;
  bool optional = false;
  bool constant = false;     ///< `literal` is what it gives in every scope; `given` holds it
  std::uint16_t depth = 1;   ///< of the tree below
  std::uint32_t offset = 0;  ///< of its place in the text
  std::uint32_t begin = 0;   ///< of its whole text
  std::uint32_t end = 0;
  std::uint32_t slot = 0;  ///< kPath: the place in Tree::variables
  std::uint32_t size = 1;  ///< nodes of the tree below, this one among them
  Held given;
  std::string text;
  doc::Value literal;
  std::vector<const Node*> children;
  std::vector<std::string> parts;      ///< kPath: the names from the root on
  std::vector<std::string> names;      ///< kPath: the same as dotted names: "a", "a.b", "a.b.c"
  std::vector<std::uint32_t> offsets;  ///< kPath: of each part
  const Function* function = nullptr;
  std::shared_ptr<const re2::RE2> pattern;  ///< of matches, when it is constant
};

/// A path that an expression reads.
struct TreeVariable {
  std::string_view name;  ///< the whole
  std::string_view root;  ///< its first part
  std::size_t hash = 0;   ///< of the name, as Scope::find takes it
};

struct Tree {
  std::string text;
  std::deque<Node> nodes;
  const Node* root = nullptr;
  std::vector<Node*> paths;  ///< those that the parser has begun; some have become something else
  std::vector<TreeVariable> variables;
  /// Of the kinds of variables with which it was last found well-typed.
  mutable std::atomic<std::uint64_t> checked = 0;
  std::uint32_t slots = 0;  ///< variables of lets, at most as many at once
};

}  // namespace tiphys::expr
