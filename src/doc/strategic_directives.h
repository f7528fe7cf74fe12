// What a strategic merge patch says by names and elements that begin with "$".
#pragma once

#include <string_view>

#include "doc/strategic_list.h"

namespace tiphys::doc::strategic {

constexpr std::string_view kPatch = "$patch";
constexpr std::string_view kRetainKeys = "$retainKeys";
constexpr std::string_view kDeleteFromList = "$deleteFromPrimitiveList";
constexpr std::string_view kElementOrder = "$setElementOrder";

/// The field that a directive in front of "/" is about.
Result<std::string_view> directed_field(std::string_view key, std::string_view directive);

/// Drops the objects that hold a $patch. False when `value` is one.
bool drop_directives(Value& value);

/// Takes $retainKeys off the patch, which may have no other keys then, and drops what it does not name.
Status retain_keys(Object& target, Object& patch);
/// Carries out the elements of a list that hold a $patch and takes them off the patch.
Status apply_special_elements(Array& list, Array& patch, std::string_view key);
/// The patch's elements must all be in the order, and come as they come there. Those with a $patch do not count (but
/// must not be the last, unless they delete).
Status check_order(const Array& patch, const Array& order, std::string_view key);

/// The places to which an order refers: those of what the patch leaves in the list, and behind them, in the room of
/// what it deletes, the first that it adds.
Result<Places> places_before(const Array& list, const Array& patch, std::string_view key);

}  // namespace tiphys::doc::strategic
