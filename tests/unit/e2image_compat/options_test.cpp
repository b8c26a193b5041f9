// SPDX-License-Identifier: GPL-2.0-or-later
#include "e2image_compat/options.h"

#include <gtest/gtest.h>

#include "e2image_compat/complaint.h"

namespace e2qcow::compat {
namespace {

Options parse(std::vector<std::string> words) {
  words.insert(words.begin(), "e2image");
  std::vector<char*> pointers;
  for (std::string& word : words) pointers.push_back(word.data());
  pointers.push_back(nullptr);
  return parse_options(static_cast<int>(words.size()), pointers.data());
}

std::string complaint_about(const std::vector<std::string>& words) {
  try {
    parse(words);
  } catch (const Complaint& complaint) {
    return complaint.what();
  }
  return "";
}

TEST(Options, LettersMayBeCombinedAndFollowTheNames) {
  const Options options = parse({"-rap", "disk", "copy", "-cf"});
  EXPECT_EQ(options.type, ImageType::raw);
  EXPECT_TRUE(options.all_data && options.progress && options.compare && options.force);
  EXPECT_EQ(options.source, "disk");
  EXPECT_EQ(options.target, "copy");
  EXPECT_FALSE(options.move);
}

TEST(Options, NumbersMayBeHexadecimal) {
  EXPECT_EQ(parse({"-ra", "-o", "0x100000", "disk", "copy"}).source_offset, 1 << 20);
}

TEST(Options, AnOffsetAndOneNameIsAMove) {
  const Options options = parse({"-ra", "-O", "1048576", "disk"});
  EXPECT_TRUE(options.move);
  EXPECT_EQ(options.target, "disk");
  EXPECT_EQ(options.target_offset, 1 << 20);
}

TEST(Options, UnknownWordsShowTheUsage) {
  EXPECT_THROW(parse({}), UsageError);
  EXPECT_THROW(parse({"-r", "disk"}), UsageError);
  EXPECT_THROW(parse({"-rQ", "disk", "copy"}), UsageError);
  EXPECT_THROW(parse({"-r", "disk", "copy", "more"}), UsageError);
}

TEST(Options, ConflictsAreReported) {
  EXPECT_EQ(complaint_about({"-a", "disk", "copy"}), "-a option can only be used with raw or QCOW2 images.");
  EXPECT_EQ(complaint_about({"-s", "disk", "copy"}), "-s option can only be used with raw or QCOW2 images.");
  EXPECT_EQ(complaint_about({"-ras", "disk", "copy"}),
            "-s option can not be used with -a: contents of files are not replaced.");
  EXPECT_EQ(complaint_about({"-Q", "-o", "1", "disk", "copy"}), "Offsets are only allowed with raw images.");
  EXPECT_EQ(complaint_about({"-r", "-o", "1", "disk"}), "Move mode requires all data mode.");
  EXPECT_EQ(complaint_about({"-Qp", "disk", "copy"}), "The -p option only supported in raw mode\n");
}

}  // namespace
}  // namespace e2qcow::compat
