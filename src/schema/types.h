// Compiles OpenAPI v3 schemas into types, which it owns.
#pragma once

#include <deque>
#include <map>

#include "base/error.h"
#include "schema/type.h"

namespace tiphys::schema {

class Types {
 public:
  /// `base` is what schemas may refer to beside those added here; it outlives this.
  explicit Types(const Types* base = nullptr) : base_(base) {}
  Types(const Types&) = delete;
  Types& operator=(const Types&) = delete;

  /// Adds named schemas, which may refer to each other and to what is there already ("#/components/schemas/NAME").
  /// kInvalidArgument names the schema and the path in it: a reference to nothing, a pattern that RE2 does not take.
  Status add(const doc::Object& schemas);
  /// One schema without a name, as a CustomResourceDefinition has it.
  Result<const Type*> compile(const doc::Value& schema);

  /// nullptr when there is none of this name.
  const Type* find(std::string_view name) const;

 private:
  friend class Compiler;

  const Types* base_;
  std::deque<Type> pool_;
  std::map<std::string, const Type*, std::less<>> named_;
};

}  // namespace tiphys::schema
