#include "argo/methods.h"

#include <algorithm>

#include "base/check.h"
#include "base/embedded.h"
#include "base/strings.h"
#include "schema/kubernetes.h"

namespace tiphys::argo {

TIPHYS_EMBED(tiphys_argo_api, TIPHYS_ARGO_API)

namespace {

Route route_of(const doc::Value& route) {
  const doc::Array& parts = route.as_array();
  Route made{.verb = std::string(parts.at(0).as_string()), .path = {}, .body = std::string(parts.at(2).as_string())};
  for (const std::string_view segment : split(std::string_view(parts.at(1).as_string()).substr(1), '/')) {
    made.path.emplace_back(segment);
  }
  return made;
}

/// The file, made ready.
struct Api {
  schema::Types types{&schema::kubernetes_types()};
  std::vector<Method> methods{};

  Api() {
    const auto parsed = doc::parse_json(tiphys_argo_api());
    TIPHYS_CHECK(parsed, "the API is built in");
    const Status added = types.add(parsed->at("schemas").as_object());
    TIPHYS_CHECK(added, "the schemas are built in");
    for (const doc::Value& method : parsed->at("methods").as_array()) add(method);
  }

 private:
  void add(const doc::Value& method) {
    Method made{.service = std::string(doc::find_string(method, "service")),
                .name = std::string(doc::find_string(method, "name")),
                .request = types.find(doc::find_string(method, "request")),
                .response = types.find(doc::find_string(method, "response")),
                .streams = method.at("streams").as_bool()};
    TIPHYS_CHECK(made.request && made.response, "a method has its messages");
    for (const doc::Value& route : method.at("routes").as_array()) made.routes.push_back(route_of(route));
    methods.push_back(std::move(made));
  }
};

const Api& api() {
  static const Api& made = *new Api();
  return made;
}

}  // namespace

std::span<const Method> methods() {
  return api().methods;
}

const Method* find_method(std::string_view service, std::string_view name) {
  const auto found = std::ranges::find_if(
      api().methods, [&](const Method& method) { return method.name == name && method.service == service; });
  return found == api().methods.end() ? nullptr : &*found;
}

const schema::Type* find_message(std::string_view name) {
  return api().types.find(name);
}

}  // namespace tiphys::argo
