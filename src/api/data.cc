// The data template: a list of artifacts, transformed. It stays a document, as its texts are substituted.
#include "api/fields.h"

namespace tiphys::api {
namespace {

constexpr Field<Unread> kSourceFields[] = {
    {"artifactPaths", Handling::kRead, check_as<Artifact>,
     "The keys of all files below a key: \"s3: {key: FOLDER}\"; without a key of all there are.",
     &kObject<kArtifactTable>, "DataRunnerTest.ListsAFolderOfTheRepository"},
};
constexpr FieldTable kSourceTable("DataSource", kSourceFields);

constexpr Field<Unread> kStepFields[] = {
    {"expression", Handling::kRead, check_as<std::string>,
     "What becomes of the list so far: \"filter(data, {# endsWith '.csv'})\".", &kString,
     "DataRunnerTest.TransformationsFollowEachOther"},
};
constexpr FieldTable kStepTable("TransformationStep", kStepFields);

void check_steps(const Place& place, Unread&) {
  if (!expect_array(place)) return;
  const doc::Array& array = place.value().get_array();
  for (std::size_t i = 0; i < array.size(); ++i) check_object(place.element(i, array[i]), kStepFields);
}

constexpr Field<Unread> kDataFields[] = {
    {"source", Handling::kRead, [](const Place& place, Unread&) { check_object(place, kSourceFields); },
     "Where the list comes from.", &kObject<kSourceTable>, "test_data_of_artifacts"},
    {"transformation", Handling::kRead, check_steps,
     "Expressions, one after the other; `data` is what there is so far.", &kObject<kStepTable, Shape::Around::kList>,
     "test_data_of_artifacts"},
};

}  // namespace

constexpr FieldTable kDataTable("Data", kDataFields);

void check_data(const Place& place) {
  check_object(place, kDataFields);
}

}  // namespace tiphys::api
