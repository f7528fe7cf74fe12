#include "server/argo/form_file.h"

#include <gtest/gtest.h>

namespace tiphys::server {
namespace {

constexpr std::string_view kType = "multipart/form-data; boundary=XX";

struct FormCase {
  const char* rule;
  std::string_view type, body;
  std::string_view file;  ///< "NAME: CONTENT", or a part of the error
};

TEST(FormFileTest, FilesAreFound) {
  const FormCase cases[] = {
      {"a file alone", kType,
       "--XX\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.csv\"\r\nContent-Type: "
       "text/csv\r\n\r\n1,2\r\n"
       "--XX--\r\n",
       "a.csv: 1,2"},
      {"behind other fields and a preamble", kType,
       "hello\r\n--XX\r\ncontent-disposition: form-data; name=note\r\n\r\nfile\r\n--XX\r\nContent-Disposition: "
       "form-data; name=\"file\"; filename=\"b\"\r\n\r\nx\r\n--XX--",
       "b: x"},
      {"lines and dashes in it", kType,
       "--XX\r\nContent-Disposition: form-data; filename=\"c\"; name=\"file\"\r\n\r\na\r\n--X\r\n\r\n\r\n--XX--",
       "c: a\r\n--X\r\n\r\n"},
      {"empty", kType, "--XX\r\nContent-Disposition: form-data; name=\"file\"; filename=\"c\"\r\n\r\n\r\n--XX--",
       "c: "},
      {"a boundary in quotes", "Multipart/Form-Data; charset=utf-8; Boundary=\"a b\"",
       "--a b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"c\"\r\n\r\n1\r\n--a b--", "c: 1"},
      {"quotes in the name", kType,
       "--XX\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a\\\"b;c=\\\\d\\e\"\r\n\r\n1\r\n--XX--",
       "a\"b;c=\\d\\e: 1"},
      {"a field that is no file", kType, "--XX\r\nContent-Disposition: form-data; name=\"file\"\r\n\r\n1\r\n--XX--",
       "the form has no file \"file\""},
      {"no form", "application/json", "{}", "boundary="},
      {"no boundary", "multipart/form-data", "--XX--", "boundary="},
      {"an empty boundary", "multipart/form-data; boundary=", "----", "boundary="},
      {"another boundary", kType, "--YY\r\n\r\n\r\n--YY--", "its boundary does not come"},
      {"cut in the header", kType, "--XX\r\nContent-Disposition: form-data; name=\"file\"", "it breaks off"},
      {"cut in the file", kType, "--XX\r\nContent-Disposition: form-data; name=\"file\"; filename=\"c\"\r\n\r\nabc",
       "it breaks off"},
      {"cut behind a boundary", kType, "--XX", "it breaks off"},
      {"nothing", kType, "", "its boundary does not come"},
  };
  for (const FormCase& one : cases) {
    const auto found = find_form_file(one.type, one.body, "file");
    if (found) {
      EXPECT_EQ(found->name + ": " + std::string(found->content), one.file) << one.rule;
    } else {
      EXPECT_NE(found.error().message.find(one.file), std::string::npos) << one.rule << ": " << found.error().message;
      EXPECT_EQ(found.error().code, Code::kInvalidArgument) << one.rule;
    }
  }
}

}  // namespace
}  // namespace tiphys::server
