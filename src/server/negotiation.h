// In which form a client sends and wants its documents.
#pragma once

#include <string_view>

#include "doc/value.h"
#include "objects/refusal.h"

namespace tiphys::server {

struct Form {
  enum class As { kObject, kTable, kPartial };

  As as = As::kObject;
  bool yaml = false;
  bool aggregated = false;  ///< discovery in one document
};

/// The first form of an Accept header that can be given; 406 when there is none.
objects::Outcome<Form> accepted_form(std::string_view accept);

/// Whether a body of this type, or of none, is JSON.
bool is_json(std::string_view content_type);
/// Reads a body as its Content-Type says: JSON (also without one), YAML or Kubernetes' protobuf. 415 for others, 400
/// for a body that cannot be read.
objects::Outcome<doc::Value> read_document(std::string_view content_type, std::string_view body);

/// The media type of a header without its parameters, in lower case.
std::string media_type(std::string_view header);

}  // namespace tiphys::server
