#include "api/fields.h"

namespace tiphys::api {
namespace {

constexpr Field<ValueFrom> kValueFromFields[] = {
    field<&ValueFrom::path>("path"),
    field<&ValueFrom::json_path>("jsonPath"),
    field<&ValueFrom::jq_filter>("jqFilter"),
    field<&ValueFrom::parameter>("parameter"),
    field<&ValueFrom::expression>("expression"),
    {"supplied", Handling::kRead, [](const Place& place, ValueFrom& out) { out.supplied = expect_object(place); }},
    any_string_field<&ValueFrom::default_value>("default"),
    {"event", Handling::kLater},
    {"configMapKeyRef", Handling::kLater},
};

constexpr Field<Parameter> kParameterFields[] = {
    field<&Parameter::name>("name"),
    any_string_field<&Parameter::value>("value"),
    any_string_field<&Parameter::default_value>("default"),
    {"valueFrom", Handling::kRead,
     [](const Place& place, Parameter& out) {
       read_object<ValueFrom>(place, out.value_from.emplace(), kValueFromFields);
     }},
    field<&Parameter::global_name>("globalName"),
    any_string_field<&Parameter::description>("description"),
    {"enum", Handling::kRead,
     [](const Place& place, Parameter& out) {
       if (!expect_array(place)) return;
       const doc::Array& values = place.value().get_array();
       for (std::size_t i = 0; i < values.size(); ++i) {
         out.enum_values.push_back(read_any_string(place.element(i, values[i])));
       }
       if (values.empty()) place.error(place.name() + " should contain at least one value");
     }},
};

constexpr Field<Artifact> kTarFields[] = {
    {"compressionLevel", Handling::kRead,
     [](const Place& place, Artifact& out) {
       read(place, out.compression_level.emplace());
       if (*out.compression_level < -1 || *out.compression_level > 9) {
         place.error(place.name() + " must be between -1 and 9");
       }
     }},
};

constexpr Field<Artifact> kArchiveFields[] = {
    {"tar", Handling::kRead, [](const Place& place, Artifact& out) { read_object<Artifact>(place, out, kTarFields); }},
    {"none", Handling::kRead,
     [](const Place& place, Artifact& out) {
       if (expect_object(place)) out.archive = Artifact::Archive::kNone;
     }},
    {"zip", Handling::kRead,
     [](const Place& place, Artifact& out) {
       if (expect_object(place)) out.archive = Artifact::Archive::kZip;
     }},
};

constexpr Field<Unread> kRawFields[] = {
    {"data", Handling::kRead,
     [](const Place& place, Unread&) {
       std::string text;
       read(place, text);
     }},
};

/// Of S3 only the key: the bytes lie in the plane's own repository.
constexpr Field<Unread> kS3Fields[] = {
    {"key", Handling::kRead,
     [](const Place& place, Unread&) {
       std::string text;
       read(place, text);
     }},
    {"endpoint", Handling::kLater},
    {"bucket", Handling::kLater},
    {"region", Handling::kLater},
    {"insecure", Handling::kLater},
    {"accessKeySecret", Handling::kLater},
    {"secretKeySecret", Handling::kLater},
    {"sessionTokenSecret", Handling::kLater},
    {"roleARN", Handling::kLater},
    {"useSDKCreds", Handling::kLater},
    {"createBucketIfNotPresent", Handling::kLater},
    {"encryptionOptions", Handling::kLater},
    {"caSecret", Handling::kLater},
    {"addressingStyle", Handling::kLater},
};

constexpr Field<Artifact> kArtifactFields[] = {
    field<&Artifact::name>("name"),
    field<&Artifact::path>("path"),
    field<&Artifact::from>("from"),
    field<&Artifact::from_expression>("fromExpression"),
    field<&Artifact::sub_path>("subPath"),
    field<&Artifact::global_name>("globalName"),
    field<&Artifact::mode>("mode"),
    field<&Artifact::recurse_mode>("recurseMode"),
    field<&Artifact::optional>("optional"),
    {"archive", Handling::kRead,
     [](const Place& place, Artifact& out) { read_object<Artifact>(place, out, kArchiveFields); }},
    {"raw", Handling::kRead,
     [](const Place& place, Artifact& out) {
       check_object(place, kRawFields);
       out.location["raw"] = place.value();
     }},
    {"s3", Handling::kRead,
     [](const Place& place, Artifact& out) {
       check_object(place, kS3Fields);
       out.location["s3"] = place.value();
     }},
    {"archiveLogs"},
    {"deleted"},
    {"artifactGC", Handling::kLater},
    {"git", Handling::kLater},
    {"http", Handling::kLater},
    {"artifactory", Handling::kLater},
    {"hdfs", Handling::kLater},
    {"oss", Handling::kLater},
    {"gcs", Handling::kLater},
    {"azure", Handling::kLater},
    {"plugin", Handling::kLater},
};

constexpr Field<Inputs> kInputsFields[] = {
    field<&Inputs::parameters>("parameters"),
    field<&Inputs::artifacts>("artifacts"),
};

constexpr Field<Outputs> kOutputsFields[] = {
    field<&Outputs::parameters>("parameters"),
    field<&Outputs::artifacts>("artifacts"),
    field<&Outputs::result>("result"),
    field<&Outputs::exit_code>("exitCode"),
};

}  // namespace

void read(const Place& place, Parameter& out) {
  read_object<Parameter>(place, out, kParameterFields);
}

void read(const Place& place, Artifact& out) {
  read_object<Artifact>(place, out, kArtifactFields);
  if (const doc::Object* object = place.value().if_object()) out.raw = *object;
}

void read(const Place& place, Inputs& out) {
  read_object<Inputs>(place, out, kInputsFields);
}

void read(const Place& place, Outputs& out) {
  read_object<Outputs>(place, out, kOutputsFields);
}

}  // namespace tiphys::api
