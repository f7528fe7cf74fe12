// Kinds whose objects are those of another kind, written with other names: events.k8s.io/v1 and v1 have the same
// Events.
#pragma once

#include <span>
#include <string_view>

#include "cluster/resource.h"
#include "doc/value.h"

namespace tiphys::objects {

/// Events as the group events.k8s.io has them. No plane stores them: kEvents are what it has.
extern const cluster::Resource kNewEvents;

/// One member of the two forms.
struct OtherName {
  std::string_view stored, served;
};

struct OtherForm {
  const cluster::Resource* stored;
  std::span<const OtherName> names;
  /// Texts that the stored form has even where they are empty, and the other one has not.
  std::span<const std::string_view> kept_empty;
};

/// null: the objects of a resource are its own.
const OtherForm* other_form(const cluster::Resource& resource);

/// Both keep everything else, and undo each other.
doc::Object serve_form(const OtherForm& form, const doc::Object& stored);
doc::Object store_form(const OtherForm& form, const doc::Object& served);

}  // namespace tiphys::objects
