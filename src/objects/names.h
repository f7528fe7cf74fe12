// The forms of names, as objects are held to them.
#pragma once

#include "podspec/names.h"

namespace tiphys::objects {

using podspec::Complaints;
using podspec::config_key;
using podspec::dns_1035_label;
using podspec::dns_label;
using podspec::dns_subdomain;
using podspec::env_name;
using podspec::has_dots;
using podspec::label_value;
using podspec::path_segment;
using podspec::port_name;
using podspec::qualified_name;

}  // namespace tiphys::objects
