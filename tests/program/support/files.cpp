// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/program/support/files.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <fstream>

namespace e2qcow::test {
namespace {

namespace fs = std::filesystem;

constexpr off_t kPiece = 1 << 20;

class OpenFile {
 public:
  explicit OpenFile(const fs::path& path, int flags = O_RDONLY)
      : fd_(::open(path.c_str(), flags | O_CLOEXEC, 0666)) {
    EXPECT_GE(fd_, 0) << path;
  }
  OpenFile(const OpenFile&) = delete;
  OpenFile& operator=(const OpenFile&) = delete;
  ~OpenFile() { ::close(fd_); }

  off_t size() const { return ::lseek(fd_, 0, SEEK_END); }
  void read(off_t offset, char* out, std::size_t length) const {
    EXPECT_EQ(::pread(fd_, out, length, offset), static_cast<ssize_t>(length));
  }
  void write(off_t offset, const std::string& bytes) const {
    EXPECT_EQ(::pwrite(fd_, bytes.data(), bytes.size(), offset), static_cast<ssize_t>(bytes.size()));
  }
  void resize(off_t size) const { EXPECT_EQ(::ftruncate(fd_, size), 0); }

  // Calls visit(offset, length) for what is no hole, in pieces. Devices have no holes.
  template <typename Visit>
  void for_each_data(Visit visit) const {
    const off_t end = size();
    for (off_t offset = 0; offset < end;) {
      const off_t data = ::lseek(fd_, offset, SEEK_DATA);
      if (data < 0 && errno == ENXIO) return;
      if (data > offset) offset = data;
      const off_t hole = ::lseek(fd_, offset, SEEK_HOLE);
      const off_t length = std::min((hole < 0 ? end : hole) - offset, kPiece);
      visit(offset, static_cast<std::size_t>(length));
      offset += length;
    }
  }

 private:
  int fd_;
};

// Where `b` has other bytes than `a` has data, if it does.
std::string difference_in_data(const OpenFile& a, const OpenFile& b) {
  std::string first;
  std::string a_bytes;
  std::string b_bytes;
  a.for_each_data([&](off_t offset, std::size_t length) {
    if (!first.empty()) return;
    a_bytes.resize(length);
    b_bytes.resize(length);
    a.read(offset, a_bytes.data(), length);
    b.read(offset, b_bytes.data(), length);
    if (a_bytes == b_bytes) return;
    const auto at = std::ranges::mismatch(a_bytes, b_bytes).in1 - a_bytes.begin();
    first = "they differ at " + std::to_string(offset + at);
  });
  return first;
}

}  // namespace

std::string read_file(const fs::path& path) {
  const OpenFile file(path);
  std::string bytes(static_cast<std::size_t>(file.size()), '\0');
  file.for_each_data(
      [&](off_t offset, std::size_t length) { file.read(offset, bytes.data() + offset, length); });
  return bytes;
}

std::string read_bytes(const fs::path& path, std::uint64_t offset, std::size_t length) {
  std::string bytes(length, '\0');
  OpenFile(path).read(static_cast<off_t>(offset), bytes.data(), length);
  return bytes;
}

void write_file(const fs::path& path, const std::string& bytes) {
  std::ofstream stream(path, std::ios::binary | std::ios::trunc);
  stream << bytes << std::flush;
  EXPECT_TRUE(stream.good()) << path;
}

void patch_file(const fs::path& path, std::uint64_t offset, const std::string& bytes) {
  OpenFile(path, O_RDWR).write(static_cast<off_t>(offset), bytes);
}

void copy_disk(const fs::path& from, const fs::path& to) {
  const OpenFile source(from);
  const OpenFile target(to, O_RDWR | O_CREAT | O_TRUNC);
  std::string bytes;
  source.for_each_data([&](off_t offset, std::size_t length) {
    bytes.resize(length);
    source.read(offset, bytes.data(), length);
    target.write(offset, bytes);
  });
  target.resize(source.size());
}

std::string difference(const fs::path& a, const fs::path& b) {
  const OpenFile a_file(a);
  const OpenFile b_file(b);
  if (a_file.size() != b_file.size())
    return "the sizes are " + std::to_string(a_file.size()) + " and " + std::to_string(b_file.size());
  const std::string first = difference_in_data(a_file, b_file);
  return first.empty() ? difference_in_data(b_file, a_file) : first;
}

std::vector<std::string> names_in(const fs::path& directory) {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(directory)) names.push_back(entry.path().filename());
  std::ranges::sort(names);
  return names;
}

}  // namespace e2qcow::test
