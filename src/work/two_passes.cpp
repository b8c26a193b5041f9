// SPDX-License-Identifier: GPL-2.0-or-later
#include "work/two_passes.h"

#include <e2qcow/error.h>
#include <sodium.h>

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "base/file/ordered_file.h"
#include "base/file/spool_file.h"
#include "base/file/temporary_file.h"

namespace e2qcow::work {
namespace {

class Pass {
 public:
  Pass(std::uint64_t begin, std::uint64_t reach, OrderedFile::Consume consume)
      : front_(temporary_directory()),
        consume_(std::move(consume)),
        file_(front_, begin, reach, [this](std::span<const std::byte> bytes) {
          add(bytes);
          consume_(bytes);
        }) {
    front_.resize(begin);
    ::crypto_generichash_init(&state_, nullptr, 0, digest_.size());
  }

  OrderedFile& file() { return file_; }
  const SpoolFile& front() const { return front_; }

  // Of all bytes after the front; once, when all are written.
  const auto& digest() {
    add(file_.rest());
    ::crypto_generichash_final(&state_, digest_.data(), digest_.size());
    return digest_;
  }

 private:
  void add(std::span<const std::byte> bytes) {
    ::crypto_generichash_update(&state_, reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size());
  }

  SpoolFile front_;
  OrderedFile::Consume consume_;
  OrderedFile file_;
  crypto_generichash_state state_{};
  std::array<unsigned char, crypto_generichash_BYTES> digest_{};
};

bool have_same_bytes(const ReadableFile& a, const ReadableFile& b) {
  constexpr std::size_t kPiece = 1 << 20;
  std::vector<std::byte> of_a(kPiece);
  std::vector<std::byte> of_b(kPiece);
  for (std::uint64_t offset = 0;; offset += kPiece) {
    const std::size_t length = a.read_up_to(offset, of_a);
    if (b.read_up_to(offset, of_b) != length) return false;
    if (!std::equal(of_a.begin(), of_a.begin() + static_cast<std::ptrdiff_t>(length), of_b.begin()))
      return false;
    if (length < kPiece) return true;
  }
}

}  // namespace

void write_in_two_passes(const std::string& name, std::uint64_t begin, std::uint64_t reach, OutputStream& out,
                         const std::function<void(File&)>& write) {
  Pass first(begin, reach, [](std::span<const std::byte>) {});
  write(first.file());
  send(first.front(), out);
  Pass second(begin, reach, [&](std::span<const std::byte> bytes) { out.write(bytes); });
  write(second.file());
  if (second.digest() != first.digest() || !have_same_bytes(first.front(), second.front()))
    fail(Errc::changed, name + ": changed between the two times that it was read; the image on " +
                            out.name() + " is incomplete");
  out.write(second.file().rest());
}

}  // namespace e2qcow::work
