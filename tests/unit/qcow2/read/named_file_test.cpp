// SPDX-License-Identifier: GPL-2.0-or-later
#include "qcow2/read/named_file.h"

#include <gtest/gtest.h>

namespace e2qcow::qcow2 {
namespace {

void expect_named(const std::string& text, const std::string& path, std::optional<DiskFormat> format) {
  EXPECT_EQ(parse_named_file(text).path, path) << text;
  EXPECT_EQ(parse_named_file(text).format, format) << text;
}

TEST(NamedFile, MayEndWithItsFormat) {
  expect_named("disk.img:raw", "disk.img", DiskFormat::raw);
  expect_named("fs.qcow2:qcow2", "fs.qcow2", DiskFormat::qcow2);
}

TEST(NamedFile, WithoutAFormatIsTheWholeText) {
  for (const char* text : {"disk.img", "raw", "qcow2", "a:b", "disk:RAW", "disk:raw2", "disk:raw ", "disk:"})
    expect_named(text, text, std::nullopt);
}

TEST(NamedFile, MayHaveColonsInItsName) {
  expect_named("a:b:raw", "a:b", DiskFormat::raw);
  expect_named("a:raw:qcow2", "a:raw", DiskFormat::qcow2);
  expect_named(":raw", "", DiskFormat::raw);
}

}  // namespace
}  // namespace e2qcow::qcow2
