// SPDX-License-Identifier: GPL-2.0-or-later
#include "work/refusals.h"

#include <e2qcow/error.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "qcow2/format/record_extension.h"
#include "tests/support/errors.h"
#include "tests/unit/qcow2/test_image.h"
#include "tests/unit/work/work_files.h"

namespace e2qcow::work {
namespace {

class Refusals : public testing::Test, protected WorkFiles {
 protected:
  std::error_code code_for(const std::vector<qcow2::Extension>& extensions) const {
    const qcow2::TestImage image(3, extensions);
    const auto& bytes = image.file.data();
    const std::string file = write("image", {reinterpret_cast<const char*>(bytes.data()), bytes.size()});
    const Image opened = ImageFiles({.path = file}).read(1);
    return code_of([&] { refuse_metadata_only(opened, "/dev/sdx1"); });
  }
};

TEST_F(Refusals, OfAnOutputThatIsTheInputByAnotherName) {
  const std::string input = write("input", "x");
  std::filesystem::create_symlink(input, path("link"));
  const Ending ending =
      ending_of([&] { refuse_overwriting(stored_output(path("link")), stored_input(input)); });
  EXPECT_EQ(ending.code, Errc::overwrites_input);
  EXPECT_EQ(ending.text, path("link") + ": would overwrite the input " + input);
}

TEST_F(Refusals, LetOtherFilesBe) {
  const Stored input = stored_input(write("input", "x"));
  EXPECT_NO_THROW(refuse_output_on_input(write("other", "x"), input));
  EXPECT_NO_THROW(refuse_output_on_input(path("new"), input));
  EXPECT_NO_THROW(refuse_mounted_target(path("new")));
  EXPECT_NO_THROW(refuse_mounted_target(path("other")));
}

TEST_F(Refusals, OfAnImageWithoutTheContentsOfFiles) {
  DumpRecord record;
  record.kind = DumpKind::metadata;
  EXPECT_EQ(code_for({qcow2::encode_record(record)}), Errc::metadata_only);
  record.kind = DumpKind::all;
  EXPECT_EQ(code_for({qcow2::encode_record(record)}), std::error_code());
}

TEST_F(Refusals, OfAnImageWhoseRecordCannotBeRead) {
  EXPECT_EQ(code_for({{qcow2::kDumpRecord, Bytes(3)}}), Errc::metadata_only);
}

TEST_F(Refusals, LetImagesOfOtherProgramsBe) {
  EXPECT_EQ(code_for({}), std::error_code());
}

}  // namespace
}  // namespace e2qcow::work
