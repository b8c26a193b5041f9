// SPDX-License-Identifier: GPL-2.0-or-later
#include "qcow2/format/entry_rules.h"

#include <gtest/gtest.h>

namespace e2qcow::qcow2 {
namespace {

using enum Fault::Kind;

constexpr std::uint64_t kEntriesCluster = 65536;
constexpr std::uint64_t kEntriesFileSize = 10 * kEntriesCluster;
constexpr std::uint64_t kCopied = 1ULL << 63;
constexpr std::uint64_t kCompressed = 1ULL << 62;
constexpr ImageLimits kVersion3{.geometry = {}, .version = 3, .file_size = kEntriesFileSize};
constexpr ImageLimits kVersion2{.geometry = {}, .version = 2, .file_size = kEntriesFileSize};
constexpr ImageLimits kExtended{
    .geometry = {.extended_l2 = true}, .version = 3, .file_size = kEntriesFileSize};
// qcow2 spec, "Extended L2 Entries": 32 subclusters, the first in bit 0.
constexpr std::uint64_t kSubcluster = kEntriesCluster / 32;

using Found = std::vector<std::pair<Fault::Kind, std::string>>;

Found found(const Faults& faults) {
  Found kinds_and_texts;
  for (const Fault& fault : faults) kinds_and_texts.emplace_back(fault.kind, fault.text());
  return kinds_and_texts;
}

Found found_in(std::uint64_t entry, const ImageLimits& limits = kVersion3,
               std::uint64_t disk_bytes = kEntriesCluster) {
  return found(faults_of({L2Entry(entry), Subclusters(0)}, disk_bytes, limits));
}

Found found_in_extended(std::uint64_t entry, std::uint64_t subclusters,
                        std::uint64_t disk_bytes = kEntriesCluster) {
  return found(faults_of({L2Entry(entry), Subclusters(subclusters)}, disk_bytes, kExtended));
}

TEST(EntryRules, AcceptEachWayOfStoringACluster) {
  for (const std::uint64_t entry :
       {std::uint64_t{0}, kEntriesCluster, kCopied | kEntriesCluster, std::uint64_t{1},
        kCopied | kEntriesCluster | 1, kCompressed | (kEntriesCluster + 100),
        kCopied | (kEntriesFileSize - kEntriesCluster)})
    EXPECT_EQ(found_in(entry), Found{}) << entry;
}

TEST(EntryRules, NameAllThatIsWrongWithAnEntry) {
  EXPECT_EQ(found_in(kEntriesCluster | 2 | 512 | 1, kVersion2),
            (Found{{corrupt, "L2 entry 0x10203 has reserved bits set"},
                   {corrupt, "a zero cluster in a version 2 image"},
                   {corrupt, "the data at 66048 is not aligned to a cluster"}}));
}

// QEMU reads both as clusters without data.
TEST(EntryRules, AcceptTheFlagForCopiedWithoutAClusterInZerosAlone) {
  EXPECT_EQ(found_in(kCopied | 1), Found{});
  EXPECT_EQ(found_in(kCopied), (Found{{corrupt, "it is marked as copied, but has no cluster"}}));
}

TEST(EntryRules, WantAllOfAClusterThatIsRead) {
  const ImageLimits cut{.geometry = {}, .version = 3, .file_size = kEntriesFileSize - 100};
  const std::uint64_t last = kEntriesFileSize - kEntriesCluster;
  const Found past{{truncated, "the data at 589824 runs past the end of the file"}};
  EXPECT_EQ(found_in(last, cut), past);
  EXPECT_EQ(found_in(last, cut, kEntriesCluster - 99), past);
  EXPECT_EQ(found_in(last, cut, kEntriesCluster - 100), Found{});
  EXPECT_EQ(found_in(last | 1, cut), Found{});
}

TEST(EntryRules, WantTheBeginningOfAClusterThatIsNotRead) {
  const Found past{{harmless, "the data at 655360 runs past the end of the file"}};
  EXPECT_EQ(found_in(kEntriesFileSize | 1), past);
  EXPECT_EQ(found_in(kEntriesFileSize, kVersion3, 0), past);
  EXPECT_EQ(found_in((kEntriesFileSize - kEntriesCluster) | 1), Found{});
}

TEST(EntryRules, WantAllSubclustersThatAreAllocated) {
  const ImageLimits cut{
      .geometry = {.extended_l2 = true}, .version = 3, .file_size = kEntriesFileSize - kSubcluster};
  const std::uint64_t last = kEntriesFileSize - kEntriesCluster;
  for (const std::uint64_t subclusters :
       {0x0000'0000ULL, 0x0000'0001ULL, 0x7fff'ffffULL, 0x8000'0000'0000'0000ULL})
    EXPECT_EQ(found(faults_of({L2Entry(last), Subclusters(subclusters)}, kEntriesCluster, cut)), Found{});
  EXPECT_EQ(found(faults_of({L2Entry(last), Subclusters(0x8000'0000)}, kEntriesCluster, cut)),
            (Found{{truncated, "the data at 589824 runs past the end of the file"}}));
}

TEST(EntryRules, RefuseSubclustersThatContradictTheirEntry) {
  EXPECT_EQ(found_in_extended(kEntriesCluster, 0x1'0000'0001),
            (Found{{corrupt, "subclusters 0x100000001 are allocated and zero at once"}}));
  EXPECT_EQ(found_in_extended(0, 2), (Found{{corrupt, "subclusters 0x2 are allocated in no cluster"}}));
  EXPECT_EQ(found_in_extended(kCompressed | kEntriesCluster, 1ULL << 32),
            (Found{{corrupt, "a compressed cluster has subclusters (0x100000000)"}}));
  EXPECT_EQ(found_in_extended(0, 1ULL << 32), Found{});
}

TEST(EntryRules, LetTheFileEndWithCompressedData) {
  const ImageLimits cut{.geometry = {}, .version = 3, .file_size = kEntriesFileSize - 100};
  EXPECT_EQ(found_in(kCompressed | (kEntriesFileSize - 101), cut), Found{});
  EXPECT_EQ(found_in(kCompressed | (kEntriesFileSize - 100), cut),
            (Found{{truncated, "the compressed data at 655260 runs past the end of the file"}}));
  const std::uint64_t one_more_sector = 1ULL << 54;  // qcow2 spec, "Compressed Clusters Descriptor"
  EXPECT_EQ(found_in(kCompressed | one_more_sector | (kEntriesFileSize - 101), cut),
            (Found{{truncated, "the compressed data at 655259 runs past the end of the file"}}));
  EXPECT_EQ(found_in(kCopied | kCompressed | kEntriesCluster),
            (Found{{harmless, "a compressed cluster is marked as copied"}}));
}

TEST(EntryRules, RefuseL1EntriesThatNameNoTable) {
  EXPECT_EQ(found(faults_of(L1Entry(0))), Found{});
  EXPECT_EQ(found(faults_of(L1Entry(kCopied | kEntriesCluster))), Found{});
  EXPECT_EQ(found(faults_of(L1Entry(kCopied))),
            (Found{{corrupt, "it is marked as copied, but has no L2 table"}}));
  EXPECT_EQ(found(faults_of(L1Entry(1))), (Found{{corrupt, "0x1 has reserved bits set"}}));
}

TEST(EntryRules, WantTablesInWholeClustersInsideTheFile) {
  const auto found_in_table = [](Extent host) -> Found {
    const auto fault = fault_of_table(ClusterUse::l2_table, host, kVersion3);
    return fault ? found({*fault}) : Found{};
  };
  EXPECT_EQ(found_in_table({kEntriesFileSize - kEntriesCluster, kEntriesCluster}), Found{});
  EXPECT_EQ(found_in_table({512, kEntriesCluster}),
            (Found{{corrupt, "the L2 table at 512 is not aligned to a cluster"}}));
  for (const Extent host :
       {Extent{kEntriesFileSize, 1}, Extent{kEntriesFileSize - kEntriesCluster, kEntriesCluster + 1},
        Extent{~0ULL - kEntriesCluster + 1, kEntriesCluster}})
    EXPECT_EQ(found_in_table(host), (Found{{truncated, "the L2 table at " + std::to_string(host.offset) +
                                                           " runs past the end of the file"}}));
}

TEST(Fault, NamesIfItIs) {
  EXPECT_EQ(text_of({"bitmap directory"}), "bitmap directory");
  EXPECT_EQ(text_of({"L1 entry", 3}), "L1 entry 3");
  EXPECT_EQ(text_of({"L1 entry", 3, 2}), "snapshot 2: L1 entry 3");
}

}  // namespace
}  // namespace e2qcow::qcow2
