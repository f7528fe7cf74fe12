#include "server/kubeconfig.h"

#include <fmt/format.h>

#include "base/encoding.h"
#include "doc/yaml.h"

namespace tiphys::server {

std::string kubeconfig(std::string_view address, std::string_view authority, std::string_view token) {
  doc::Object cluster{{"server", fmt::format("https://{}", address)}};
  if (!authority.empty()) cluster["certificate-authority-data"] = encode_base64(authority);
  const doc::Object context{{"cluster", "tiphys"}, {"user", "tiphys"}, {"namespace", "default"}};
  return doc::to_yaml(
      doc::Object{{"apiVersion", "v1"},
                  {"kind", "Config"},
                  {"clusters", doc::Array{doc::Object{{"name", "tiphys"}, {"cluster", cluster}}}},
                  {"users", doc::Array{doc::Object{{"name", "tiphys"}, {"user", doc::Object{{"token", token}}}}}},
                  {"contexts", doc::Array{doc::Object{{"name", "tiphys"}, {"context", context}}}},
                  {"current-context", "tiphys"}});
}

}  // namespace tiphys::server
