#include "base/salvaging_file.h"

#include <algorithm>

#include "base/bytes.h"

namespace e2qcow {
namespace {

void rethrow_unless_unreadable(const std::system_error& error) {
  if (error.code() == Errc::interrupted) throw;
}

}  // namespace

void SalvagingFile::read(std::uint64_t offset, std::span<std::byte> out) const {
  if (!is_lost({offset, out.size()})) {
    try {
      return file_.read(offset, out);
    } catch (const std::system_error& error) {
      rethrow_unless_unreadable(error);
    }
  }
  while (!out.empty()) {
    const std::uint64_t block_end = round_down(offset, options_.block_size) + options_.block_size;
    const std::size_t length = std::min<std::uint64_t>(out.size(), block_end - offset);
    read_block(offset, out.first(length));
    offset += length;
    out = out.subspan(length);
  }
}

void SalvagingFile::read_block(std::uint64_t offset, std::span<std::byte> out) const {
  std::size_t length = 0;
  for (unsigned attempt = 0; attempt <= options_.retries && !is_lost({offset, out.size()}); ++attempt) {
    try {
      if (options_.strict) return file_.read(offset, out);
      length = file_.read_up_to(offset, out);
      if (length == out.size()) return;
      break;  // the file ends in the block
    } catch (const std::system_error& error) {
      rethrow_unless_unreadable(error);
      if (options_.strict && attempt == options_.retries) throw;
    }
  }
  std::ranges::fill(out.subspan(length), std::byte{0});
  const std::uint64_t block = round_down(offset, options_.block_size);
  const std::scoped_lock lock(mutex_);
  losses_[block] = options_.block_size;
}

bool SalvagingFile::is_lost(Extent range) const {
  const std::scoped_lock lock(mutex_);
  auto next = losses_.upper_bound(range.offset);
  if (next != losses_.begin() && std::prev(next)->first + std::prev(next)->second > range.offset) return true;
  return next != losses_.end() && next->first < range.end();
}

std::vector<Extent> SalvagingFile::losses() const {
  const std::scoped_lock lock(mutex_);
  std::vector<Extent> joined;
  for (const auto& [offset, length] : losses_) {
    if (!joined.empty() && joined.back().end() == offset)
      joined.back().length += length;
    else
      joined.push_back({offset, length});
  }
  return joined;
}

}  // namespace e2qcow
