// What the parts of ObjectApi share: what a request says of itself, what a write leaves alone, and how an object is
// shown. For them alone.
#pragma once

#include <string>
#include <vector>

#include "objects/apply.h"
#include "objects/managed_fields.h"
#include "objects/object_api.h"

namespace tiphys::objects {

using Warnings = std::vector<std::string>;

/// Of what the store says.
Refusal refusal_for(const Target& target, const Error& error);
Refusal not_found(const Target& target);
/// What the object in a request says of itself where the path says it too.
Outcome<void> settle_identity(const Target& target, doc::Value& body);
/// A write of the object leaves its status alone, one of /status everything but.
void keep_other_part(const Target& target, doc::Value& object, const doc::Value& before);
/// Who replaces an object may say which one is meant.
Outcome<void> check_uid(const Target& target, const doc::Value& body, const doc::Value& before);
/// A patch may not make another object of it.
Outcome<void> check_same_place(const Target& target, const doc::Value& object);
/// Fields that nobody knows cannot be owned.
Outcome<void> check_declared(const Target& target, const doc::Value& config);
Outcome<void> check_scale_declared(const doc::Value& config);
/// The same as settle_identity, of a Scale.
Outcome<void> settle_scale(const Target& target, doc::Value& scale);
/// Who writes, for the owners of fields.
FieldWriter scale_writer(const WriteOptions& options, Time now);
FieldWriter writer_of(const Target& target, const WriteOptions& options, const std::string& api_version, Time now);
/// What a write means for the owners of fields. Gives `live` back when nothing else has changed.
void track(const Target& target, const WriteOptions& options, const doc::Value* live, doc::Value& object, Time now);
/// What whoever has written `object` is warned of, by the rules of its kind; `before` is null for a new one.
void warn(const Target& target, const doc::Value& object, const doc::Value* before, Warnings& warnings);
/// /scale: what is read and written is a Scale.
bool is_scale(const Target& target);
/// What a dry run gives, of a new object and of one that is there.
cluster::Object without_version(doc::Value object);
cluster::Object with_version(doc::Value object, const std::string& version);
/// An object as it is shown at the target: of its version, a Scale at /scale.
Outcome<cluster::Object> served(const Target& target, Result<cluster::Object> result);

}  // namespace tiphys::objects
