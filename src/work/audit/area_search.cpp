// SPDX-License-Identifier: GPL-2.0-or-later
#include "work/audit/area_search.h"

#include <algorithm>
#include <mutex>
#include <optional>

#include "base/extents.h"
#include "base/stop.h"
#include "base/threads.h"

namespace e2qcow::work {
namespace {

constexpr std::uint64_t kAreaPiece = 2 << 20;

// Hands out the pieces of extents.
class Pieces {
 public:
  explicit Pieces(const std::vector<Extent>& extents) : extents_(extents) {}

  struct Piece {
    Extent own;       // in which strings begin
    Extent readable;  // these, and what follows
  };
  std::optional<Piece> next() {
    const std::scoped_lock lock(mutex_);
    if (index_ == extents_.size()) return std::nullopt;
    const Extent& extent = extents_[index_];
    const std::uint64_t begin = extent.offset + done_;
    const std::uint64_t length = std::min(kAreaPiece, extent.end() - begin);
    const std::uint64_t after =
        std::min<std::uint64_t>(PatternSearch::kOverlap, extent.end() - begin - length);
    done_ += length;
    if (done_ == extent.length) ++index_, done_ = 0;
    return Piece{{begin, length}, {begin, length + after}};
  }
  void stop() {
    const std::scoped_lock lock(mutex_);
    index_ = extents_.size();
  }

 private:
  const std::vector<Extent>& extents_;
  std::mutex mutex_;
  std::size_t index_ = 0;
  std::uint64_t done_ = 0;  // of the extent
};

}  // namespace

void FirstHits::add(const Hit& hit) {
  ++total_;
  hits_.push_back(hit);
  if (hits_.size() >= 4 * limit_ + 64) cut();
}

void FirstHits::add(const FirstHits& other) {
  total_ += other.total_;
  hits_.insert(hits_.end(), other.hits_.begin(), other.hits_.end());
  cut();
}

void FirstHits::cut() {
  if (hits_.size() <= limit_) return;
  std::ranges::nth_element(hits_, hits_.begin() + static_cast<std::ptrdiff_t>(limit_));
  hits_.resize(limit_);
}

std::vector<Hit> FirstHits::take() && {
  cut();
  std::ranges::sort(hits_);
  return std::move(hits_);
}

std::vector<Extent> data_extents(const ReadableFile& file) {
  std::vector<Extent> extents;
  for (auto data = file.next_data(0); data; data = file.next_data(data->end())) {
    throw_if_stopped();
    add_joined(extents, *data);
    if (data->end() >= file.size()) break;
  }
  return extents;
}

FirstHits search_area(const ReadableFile& file, const std::vector<Extent>& extents,
                      const PatternSearch& patterns, std::size_t limit, const TransferOptions& options) {
  Pieces pieces(extents);
  FirstHits all(limit);
  std::mutex mutex;  // guards all
  const auto work = [&] {
    FirstHits mine(limit);
    std::vector<std::byte> bytes;
    while (const auto piece = pieces.next()) {
      throw_if_stopped();
      bytes.resize(piece->readable.length);
      file.read(piece->readable.offset, bytes);
      patterns.search(bytes, piece->own.length, [&](const PatternSearch::Hit& hit) {
        mine.add({piece->own.offset + hit.offset, hit.id, hit.is_wide ? Form::utf16 : Form::as_it_was});
      });
      if (options.progress != nullptr) options.progress->advance(piece->own.length);
    }
    const std::scoped_lock lock(mutex);
    all.add(mine);
  };
  run_threads(options.threads, work, [&] { pieces.stop(); });
  return all;
}

}  // namespace e2qcow::work
