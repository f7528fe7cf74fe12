// Brings a document that a client sends into the form of an object of a kind, or says why it is none.
#pragma once

#include "objects/object_api.h"

namespace tiphys::objects {

/// Where a document comes from, as messages say it.
enum class Source { kBody, kPatch };

/// Takes the fields that the kind does not have: told as warnings or refused. 400 for values of the wrong form.
Outcome<void> take_in(const Kind& kind, doc::Value& object, FieldValidation validation, Source source,
                      std::vector<std::string>& warnings);
/// 422 for what the rules of the kind and of all objects refuse; `before` is null for a new object. Fills in defaults.
Outcome<void> complete(const Kind& kind, doc::Value& object, const doc::Value* before);

/// The object as this version of its kind has it.
cluster::Object as_served(const Kind& kind, const cluster::Object& object);
/// An object of the kind as it is stored.
doc::Value to_store(const Kind& kind, doc::Value object);

}  // namespace tiphys::objects
