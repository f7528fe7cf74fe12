// A container that does nothing but keep a network for others (ContainerSpec::network_of), in engines. It writes no log
// and has no folder (ContainerSpec::dir is ""); removed it ends.
#pragma once

#include <string_view>

namespace tiphys::node {

/// Its image, which the container runtime makes: no registry has it. The number changes with the program in it.
inline constexpr std::string_view kNetworkHolderImage = "localhost/tiphys-network-holder-1";
/// The only file of the image.
inline constexpr std::string_view kNetworkHolderProgram = "/hold";

}  // namespace tiphys::node
