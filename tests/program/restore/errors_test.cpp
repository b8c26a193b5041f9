// SPDX-License-Identifier: GPL-2.0-or-later
// Images that are damaged, and targets that cannot take what is in them.
#include "tests/program/support/file_systems.h"

namespace e2qcow::test {
namespace {

namespace fs = std::filesystem;

std::string big_endian(std::uint64_t value, int bytes) {
  std::string text;
  for (int i = bytes - 1; i >= 0; --i) text += static_cast<char>(value >> (8 * i));
  return text;
}

std::uint64_t big_endian_at(const std::string& bytes, std::size_t offset, std::size_t length) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < length; ++i) value = value << 8 | static_cast<unsigned char>(bytes[offset + i]);
  return value;
}

// Where the digests of an image begin: doc/format.md, "The digests".
std::size_t digests_in(const std::string& image) {
  const std::size_t extension = image.find(std::string("e2qd\0\0\0\x08", 8));
  return big_endian_at(image, extension + 8, 8) & 0x00ffffffffffffff;
}

std::size_t end_of_data_in(const std::string& image) {
  return image.find_last_not_of('\0', digests_in(image) - 1) + 1;
}

class RestoreErrors : public FileSystemTest {
 protected:
  void SetUp() override {
    FileSystemTest::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    make_file_system({{"-t", "ext4", "-b", "1024"}});
    fs::create_directory(path("out"));
  }

  void dump(Words options) const {
    options.insert(options.begin(), {"dump", "disk.img", "image.qcow2"});
    EXPECT_EQ(e2qcow(options).status, 0);
  }

  // Whether there is an older file or not.
  void expect_nothing_restored(const Words& texts, const Words& environment = {}, int status = 1) const {
    const Words words{"restore", "image.qcow2", "out/disk.raw"};
    expect_failure(e2qcow(words, environment), texts, status);
    EXPECT_EQ(names_in(path("out")), Words{});
    write_file(path("out/disk.raw"), "the older one");
    expect_failure(e2qcow(words, environment), texts, status);
    EXPECT_EQ(names_in(path("out")), Words{"disk.raw"});
    EXPECT_TRUE(read_file(path("out/disk.raw")) == "the older one");
    fs::remove(path("out/disk.raw"));
  }
};

TEST_F(RestoreErrors, AnImageThatDoesNotExist) {
  expect_nothing_restored({"image.qcow2: open: No such file or directory"});
}

TEST_F(RestoreErrors, SomethingElseThanAnImage) {
  copy_disk(path("disk.img"), path("image.qcow2"));
  expect_nothing_restored({"image.qcow2: ", "not a qcow2 image"});
}

TEST_F(RestoreErrors, TheTargetIsTheImage) {
  dump({});
  copy_disk(path("image.qcow2"), path("before.qcow2"));
  fs::create_symlink("image.qcow2", path("link"));
  fs::create_hard_link(path("image.qcow2"), path("other-name"));
  for (const char* name : {"image.qcow2", "link", "other-name"})
    expect_failure(e2qcow({"restore", "image.qcow2", name}), {name, "would overwrite the input image.qcow2"});
  expect_same_bytes("image.qcow2", "before.qcow2");
}

TEST_F(RestoreErrors, TheDirectoryIsMissing) {
  dump({});
  expect_failure(e2qcow({"restore", "image.qcow2", "absent/disk.raw"}),
                 {"absent/disk.raw: create: No such file or directory"});
}

TEST_F(RestoreErrors, TheTargetIsADirectory) {
  dump({});
  expect_failure(e2qcow({"restore", "image.qcow2", "out"}), {"out: exists and is neither a regular file"});
}

TEST_F(RestoreErrors, AHalfWrittenFileHasNoNameWhicheverWriteFails) {
  dump({"--all"});
  int failures = 0;
  for (int number = 1;; ++number) {
    const Words environment = faulty({"FAULTY_WRITE=" + std::to_string(number)});
    const Outcome outcome = e2qcow({"restore", "image.qcow2", "out/disk.raw"}, environment);
    if (outcome.status == 0) break;
    ++failures;
    expect_failure(outcome, {"out/disk.raw: write at", "No space left on device"}, 4);
    EXPECT_EQ(names_in(path("out")), Words{});
    ASSERT_LT(number, 2000);
  }
  EXPECT_GT(failures, 3);
}

TEST_F(RestoreErrors, AnOlderFileStaysWhenTheDiskIsFull) {
  dump({"--all"});
  expect_nothing_restored({"out/disk.raw: write at", "No space left on device"}, faulty({"FAULTY_WRITE=2"}),
                          4);
}

TEST_F(RestoreErrors, AFailingSyncIsAnError) {
  dump({"--all"});
  expect_nothing_restored({"out/disk.raw: sync: Input/output error"}, faulty({"FAULTY_SYNC=1"}));
}

TEST_F(RestoreErrors, AnUnreadableImageIsAnErrorWithItsPlace) {
  Words options = uncompressed();
  options.emplace_back("--all");
  dump(options);
  const std::uint64_t size = fs::file_size(path("image.qcow2"));
  const std::string ranges = "FAULTY_RANGES=" + std::to_string(size / 2) + ":1";
  expect_nothing_restored({"image.qcow2: read at ", "Input/output error"},
                          faulty({"FAULTY_FILE=" + path("image.qcow2").string(), ranges}));
}

TEST_F(RestoreErrors, ASignalLeavesNothing) {
  dump({"--all"});
  const Words settings{"FAULTY_FILE=" + path("image.qcow2").string(), "FAULTY_SIGNAL=2", "FAULTY_READ=5"};
  expect_nothing_restored({"interrupted"}, faulty(settings), 128 + 2);
}

TEST_F(RestoreErrors, AnImageCutAnywhereIsAnErrorSaveForItsDigests) {
  for (const Words& options : {Words{"--all"}, Words{"--all", "--compress=none"}}) {
    dump(options);
    expect_restored_as_by_qemu("image.qcow2", "whole.raw");
    const std::string whole = read_file(path("image.qcow2"));
    const std::size_t end_of_data = end_of_data_in(whole);
    std::vector<std::size_t> lengths{0, 1, 4, 71, 72, 103, 104, 105, 511, 512, 513, end_of_data - 1};
    for (std::size_t part = 1; part < 16; ++part) lengths.push_back(end_of_data * part / 16);
    for (const std::size_t length : lengths) {
      write_file(path("image.qcow2"), whole.substr(0, length));
      const Outcome outcome = e2qcow({"restore", "image.qcow2", "out/disk.raw"});
      SCOPED_TRACE("cut at " + std::to_string(length) + " of " + std::to_string(whole.size()));
      EXPECT_EQ(outcome.status, 1) << outcome;
      EXPECT_NE(outcome.err.find("e2qcow: image.qcow2: "), std::string::npos) << outcome;
      ASSERT_EQ(names_in(path("out")), Words{});
    }
    write_file(path("image.qcow2"), whole.substr(0, end_of_data));
    if (e2qcow({"restore", "image.qcow2", "out/disk.raw"}).status != 1)
      expect_same_bytes("out/disk.raw", "whole.raw");
    fs::remove(path("out/disk.raw"));
    // All data is there, and nothing can tell whether it is as it was written.
    for (const std::size_t length : {digests_in(whole), digests_in(whole) + 1, whole.size() - 1}) {
      write_file(path("image.qcow2"), whole.substr(0, length));
      const Outcome outcome = e2qcow({"restore", "image.qcow2", "out/disk.raw"});
      EXPECT_EQ(outcome.status, 3) << outcome;
      EXPECT_NE(outcome.err.find("its digests were overwritten or cut off"), std::string::npos) << outcome;
      expect_same_bytes("out/disk.raw", "whole.raw");
      fs::remove(path("out/disk.raw"));
    }
  }
}

// The header's fields, by the qcow2 specification.
TEST_F(RestoreErrors, AHeaderThatIsInvalidIsAnError) {
  dump(uncompressed());
  const std::string whole = read_file(path("image.qcow2"));
  struct Damage {
    std::uint64_t offset;
    std::string bytes;
    std::string text;
  };
  const std::vector<Damage> damages{
      {0, "QFX\xfb", "not a qcow2 image"},              // magic
      {4, big_endian(1, 4), "version"},                 // 1
      {4, big_endian(4, 4), "version"},                 // 4
      {8, big_endian(std::uint64_t{1} << 62, 8), ""},   // a backing file past the end
      {20, big_endian(8, 4), ""},                       // clusters of 256 bytes
      {20, big_endian(22, 4), ""},                      // clusters of 4 MiB
      {20, big_endian(200, 4), ""},                     // clusters of no size at all
      {24, big_endian(std::uint64_t{1} << 63, 8), ""},  // a disk with a negative size
      {24, big_endian(std::uint64_t{1} << 50, 8), ""},  // more than the L1 table can say
      {32, big_endian(1, 4), ""},                       // encrypted
      {36, big_endian(0xffffffff, 4), ""},              // an L1 table of 32 GiB
      {40, big_endian(whole.size(), 8), ""},            // an L1 table past the end
      {40, big_endian(513, 8), ""},                     // one that is not aligned
      {72, big_endian(std::uint64_t{1} << 63, 8), ""},  // an unknown incompatible feature
      {72, big_endian(4, 8), ""},                       // an external data file
      {100, big_endian(40, 4), ""},                     // a header that is too short
      {100, big_endian(0xfffffff8, 4), ""},             // and one past the end
      {104, "\x07", "compression"},                     // an unknown compression type
  };
  for (const Damage& damage : damages) {
    SCOPED_TRACE("at " + std::to_string(damage.offset));
    write_file(path("image.qcow2"), whole);
    patch_file(path("image.qcow2"), damage.offset, damage.bytes);
    expect_nothing_restored({"image.qcow2: ", damage.text});
  }
}

TEST_F(RestoreErrors, AnyByteOfTheHeaderMayBeWrong) {
  dump({});
  const std::string whole = read_file(path("image.qcow2"));
  for (std::size_t offset = 0; offset < 120; ++offset) {
    std::string damaged = whole;
    damaged[offset] = static_cast<char>(~damaged[offset]);
    write_file(path("image.qcow2"), damaged);
    const Outcome outcome = e2qcow({"info", "image.qcow2"});
    EXPECT_TRUE(outcome.status == 0 || outcome.status == 1) << offset << ": " << outcome;
  }
}

TEST_F(RestoreErrors, TablesThatAreInvalidAreAnError) {
  Words options = uncompressed();
  options.emplace_back("--cluster-size=64k");
  dump(options);
  const std::string whole = read_file(path("image.qcow2"));
  const std::uint64_t l1 = big_endian_at(whole, 40, 8);
  const std::uint64_t l2 = big_endian_at(whole, l1, 8) & 0x00fffffffffffe00;
  constexpr std::uint64_t kCopied = std::uint64_t{1} << 63;
  constexpr std::uint64_t kReserved = std::uint64_t{1} << 60;
  constexpr std::uint64_t kUnaligned = 65536 + 512;
  constexpr std::uint64_t kPastTheEnd = 1 << 30;
  for (const std::uint64_t table : {l1, l2})
    for (const std::uint64_t entry : {kUnaligned, kPastTheEnd, kReserved, 0x00fffffffffffe00 - kUnaligned}) {
      SCOPED_TRACE("entry " + std::to_string(entry) + " at " + std::to_string(table));
      write_file(path("image.qcow2"), whole);
      patch_file(path("image.qcow2"), table, big_endian(kCopied | entry, 8));
      expect_nothing_restored({"image.qcow2: "});
    }
}

TEST_F(RestoreErrors, ADamagedCompressedClusterIsAnError) {
  dump({"--all"});
  const std::string whole = read_file(path("image.qcow2"));
  const std::size_t end_of_data = end_of_data_in(whole);
  patch_file(path("image.qcow2"), end_of_data - 1500, std::string(1000, '\xa5'));
  expect_nothing_restored({"image.qcow2: guest offset "});
}

TEST_F(RestoreErrors, ABackingFileIsNeitherOpenedNorIgnored) {
  output_of({"qemu-img", "create", "-q", "-f", "qcow2", "-b", "disk.img", "-F", "raw", "image.qcow2"});
  expect_nothing_restored(
      {"image.qcow2: needs a backing file ('disk.img'); name it with --backing FILE:raw"});
}

TEST_F(RestoreErrors, AnExternalDataFileIsNeitherOpenedNorIgnored) {
  output_of({"qemu-img", "create", "-q", "-f", "qcow2", "-o", "data_file=other.raw", "image.qcow2", "1M"});
  expect_nothing_restored({"image.qcow2: "});
}

TEST_F(RestoreErrors, AnImageOfVersion1IsToBeConverted) {
  output_of({"qemu-img", "convert", "-f", "raw", "-O", "qcow", "disk.img", "image.qcow2"});
  const Words texts{
      "image.qcow2: not a qcow2 image; it is a qcow image of version 1; convert it first (qemu-img convert "};
  expect_nothing_restored(texts);
  for (const char* command : {"info", "check", "map"})
    expect_failure(e2qcow({command, "image.qcow2"}), texts);
  expect_failure(e2qcow({"compare", "image.qcow2", "disk.img"}), texts, 2);
  expect_failure(run({"sh", "-c", "\"$0\" restore - target <image.qcow2", E2QCOW_PROGRAM}),
                 {"standard input: not a qcow2 image; it is a qcow image of version 1; convert it first"});
}

TEST_F(RestoreErrors, AnImageMayComeFromQemu) {
  output_of({"qemu-img", "convert", "-O", "qcow2", "-o", "cluster_size=4k", "disk.img", "image.qcow2"});
  expect_restored_as_by_qemu("image.qcow2", "ours.raw");
  expect_same_bytes("ours.raw", "disk.img");
}

}  // namespace
}  // namespace e2qcow::test
