// SPDX-License-Identifier: GPL-2.0-or-later
// doc/format.md against the code: the numbers in it are written into images.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <regex>
#include <set>

#include "base/bytes.h"
#include "image/block_class.h"
#include "image/finding.h"
#include "qcow2/format/digest_seal.h"
#include "qcow2/format/record_extension.h"
#include "qcow2/write/allocator.h"
#include "tests/support/bytes.h"

namespace e2qcow {
namespace {

std::string document() {
  const auto project = std::filesystem::path(__FILE__).parent_path().parent_path().parent_path();
  std::ifstream file(project / "doc/format.md");
  return {std::istreambuf_iterator<char>(file), {}};
}

// The rows "| number | name |..." of the table with the given first heading.
std::map<unsigned long, std::string> table_of(const std::string& heading) {
  const std::string text = document();
  const auto begin = text.find("| " + heading + " | name |");
  EXPECT_NE(begin, std::string::npos) << heading;
  const std::string table = text.substr(begin, text.find("\n\n", begin) - begin);
  const std::regex row(R"(\n\| (\d+) \| ([^|]+) \|)");
  std::map<unsigned long, std::string> rows;
  for (std::sregex_iterator match(table.begin(), table.end(), row); match != std::sregex_iterator(); ++match)
    EXPECT_TRUE(rows.emplace(std::stoul((*match)[1]), (*match)[2]).second) << match->str();
  return rows;
}

TEST(FormatDocument, NamesEachClassWithItsNumber) {
  std::map<unsigned long, std::string> expected;
  for (std::size_t i = 0; i < kBlockClasses; ++i) expected[i] = class_name(static_cast<BlockClass>(i));
  EXPECT_EQ(table_of("class"), expected);
}

TEST(FormatDocument, NamesEachFindingWithItsNumber) {
  std::map<unsigned long, std::string> expected;
  const auto name_of = [](std::uint8_t number) { return finding_text(static_cast<Finding>(number)).name; };
  for (std::uint8_t i = 0; name_of(i) != "unknown"; ++i) expected[i] = name_of(i);
  EXPECT_EQ(table_of("finding"), expected);
}

// A record with all fields.
DumpRecord largest_record() {
  DumpRecord record;
  record.program_version = std::string(31, 'v');
  for (std::uint8_t i = 0; i < kBlockClasses; ++i) record.classes.push_back({i, ~0ULL});
  for (std::uint8_t i = 0; i < 12; ++i) record.findings.push_back({i, ~0ULL});
  record.end = ~0ULL;
  record.image_version = 3;
  record.anonymized_with.emplace().fill(0xff);
  record.is_strictly_anonymized = true;
  record.pair.emplace().fill(0xee);
  record.capture = CaptureState::thawed_early;
  return record;
}

std::set<unsigned long> tags_in(std::span<const std::byte> data) {
  std::set<unsigned long> tags;
  while (!data.empty()) {
    tags.insert(load_be<std::uint16_t>(data, 0));
    data = data.subspan(4 + load_be<std::uint16_t>(data, 2));
  }
  return tags;
}

TEST(FormatDocument, NamesEachAlgorithmWithItsNumber) {
  std::map<unsigned long, std::string> expected;
  for (unsigned long i = 0; i < 256; ++i)
    if (const auto kind = digest_kind(i)) expected[i] = digest_name(*kind);
  EXPECT_EQ(table_of("algorithm"), expected);
}

// A byte at each place that the document has for it.
TEST(FormatDocument, SaysWhereTheFieldsOfASealAre) {
  qcow2::DigestSeal seal{.cluster_bits = 0xaaaaaaaa, .runs = ~0ULL, .clusters = ~0ULL};
  for (auto* digest : {&seal.table, &seal.contents, &seal.header, &seal.mapping, &seal.refcounts})
    digest->bytes.fill(std::byte{0xbb});
  const auto bytes = qcow2::encode_seal(seal);
  const std::string text = document();
  const std::regex row(R"(\n\| (\d+)-(\d+) \| (the |how |zeros))");
  std::size_t next = 0;
  const auto begin = text.begin() + static_cast<std::ptrdiff_t>(text.find("| bytes of the seal |"));
  for (std::sregex_iterator match(begin, text.end(), row); match != std::sregex_iterator(); ++match) {
    ASSERT_EQ(std::stoul((*match)[1]), next);
    next = std::stoul((*match)[2]) + 1;
    const bool zeros = (*match)[3] == "zeros";
    EXPECT_EQ(is_zero(std::span(bytes).subspan(std::stoul((*match)[1]), next - std::stoul((*match)[1]))),
              zeros);
  }
  EXPECT_EQ(next, bytes.size());
  EXPECT_NE(text.find("magic number `0x6532716364696773` (ASCII \"e2qcdigs\")"), std::string::npos);
  EXPECT_EQ(part_of(bytes, 0, 8), text_bytes("e2qcdigs"));
}

TEST(FormatDocument, ListsTheTagsThatARecordHas) {
  std::set<unsigned long> listed;
  for (const auto& [tag, name] : table_of("tag")) listed.insert(tag);
  listed.erase(5);  // is read, and no longer written
  EXPECT_EQ(listed, tags_in(qcow2::encode_record(largest_record()).data));
}

TEST(FormatDocument, SaysHowMuchRoomARecordTakesAndHas) {
  const std::string text = document();
  const std::size_t taken = qcow2::encode_record(largest_record()).data.size();
  EXPECT_LE(taken, 368U);
  const std::string rest = "368 bytes of data. All classes and 12 kinds of findings\n  take ";
  EXPECT_NE(text.find(rest + std::to_string(taken) + ";"), std::string::npos) << taken;
}

TEST(FormatDocument, SaysTheTypeOfTheExtensionAndTheWayBack) {
  const std::string text = document();
  EXPECT_EQ(qcow2::kDumpRecord, 0x65327163U);
  EXPECT_NE(text.find("type `0x65327163` (ASCII \"e2qc\")"), std::string::npos);
  EXPECT_EQ(qcow2::kDigests, 0x65327164U);
  EXPECT_NE(text.find("type `0x65327164` (ASCII \"e2qd\")"), std::string::npos);
  EXPECT_NE(text.find("at most 8 MiB (" + std::to_string(qcow2::Allocator::kReach) + " bytes)"),
            std::string::npos);
}

}  // namespace
}  // namespace e2qcow
