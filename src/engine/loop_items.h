// The items of loops: their texts, their part in names, and sequences.
#pragma once

#include "base/error.h"
#include "engine/frame.h"
#include "engine/node_outputs.h"

namespace tiphys::engine {

/// What {{item}} and {{item.key}} stand for, and what the turn is called.
LoopItem make_loop_item(const doc::Value& value);
/// The same of an item as it is written: its numbers keep their digits.
LoopItem make_written_item(const doc::Value& value, std::string_view json);

/// The items of withSequence; empty texts are absent fields. At most `api::kLongestLoop` items.
Result<doc::Array> make_sequence(const std::string& count, const std::string& start, const std::string& end,
                                 const std::string& format);

/// Outputs of a loop's turns as the original aggregates them: those that succeeded, by index.
Aggregate aggregate_outputs(const std::vector<const NodeOutputs*>& outputs);

}  // namespace tiphys::engine
