// What the API does with objects of a kind beyond their schema: what it fills in and what it refuses.
#pragma once

#include <string>
#include <vector>

#include "cluster/resource.h"
#include "doc/value.h"
#include "schema/field_error.h"

namespace tiphys::objects {

struct KindRules {
  /// Fills in what a new or changed object leaves out.
  void (*fill)(doc::Object& object) = nullptr;
  void (*check)(const doc::Value& object, schema::FieldErrors& errors) = nullptr;
  void (*check_update)(const doc::Value& before, const doc::Value& after, schema::FieldErrors& errors) = nullptr;
  /// Of a new object alone.
  void (*check_new)(const doc::Value& object, schema::FieldErrors& errors) = nullptr;
  /// Has an update's object, filled in, keep of the one before what nobody may set.
  void (*carry)(const doc::Value& before, doc::Object& object) = nullptr;
  /// What whoever makes one is warned of.
  std::string_view warning{};
  /// What whoever writes `object` is warned of; `before` is null for a new one.
  void (*warn)(const doc::Value& object, const doc::Value* before, std::vector<std::string>& warnings) = nullptr;
};

const KindRules& rules_of(const cluster::Resource& resource);

/// Names, labels, annotations, owners and finalizers of any object.
void check_metadata(const cluster::Resource& resource, const doc::Value& object, schema::FieldErrors& errors);
/// That nobody changes what is given once: name, namespace, uid, ...
void check_metadata_update(const doc::Value& before, const doc::Value& after, schema::FieldErrors& errors);

/// An object's spec; an empty object when it has none.
const doc::Value& spec_of(const doc::Value& object);

}  // namespace tiphys::objects
