// The texts that outputs are declared with: of the original's templates all tags are filled in before anything runs.
#pragma once

#include "engine/text.h"
#include "engine/variables.h"

namespace tiphys::engine {

/// A text whose tags cannot be filled in stays as it is.
void fill_text(std::string& text, const expr::Scope& globals, const Variables& variables);

/// All of an output parameter's but its value.
void fill_declaration(api::Parameter& parameter, const expr::Scope& globals, const Variables& variables);

}  // namespace tiphys::engine
