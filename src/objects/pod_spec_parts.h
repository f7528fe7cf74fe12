// Steps of checks, as those of pods' specs take them.
#pragma once

#include "objects/names.h"
#include "podspec/parts.h"

namespace tiphys::objects {

using podspec::check_choice;
using podspec::complain;
using podspec::each_element;
using podspec::if_there;

}  // namespace tiphys::objects
