// SPDX-License-Identifier: GPL-2.0-or-later
#include "qcow2/check/data_check.h"

#include <e2qcow/error.h>

#include <algorithm>
#include <atomic>
#include <mutex>
#include <unordered_set>

#include "base/stop.h"
#include "base/threads.h"
#include "qcow2/read/reader.h"

namespace e2qcow::qcow2 {
namespace {

// Threads take the ranges of L2 tables from one counter.
class DataCheck {
 public:
  explicit DataCheck(const Reader& reader) : reader_(reader), ranges_(reader.mapped_ranges()) {}

  // Guest offsets of the clusters that cannot be decoded, ascending.
  std::vector<std::uint64_t> run(unsigned threads) {
    run_threads(
        threads, [this] { work(); }, [this] { next_ = ranges_.size(); });
    std::ranges::sort(bad_);
    return bad_;
  }

 private:
  void work() {
    for (std::size_t i = next_++; i < ranges_.size(); i = next_++) check(ranges_[i]);
  }

  void check(Extent range) {
    std::vector<std::byte> cluster(reader_.read_unit());
    for (std::uint64_t position = range.offset; position < range.end();) {
      throw_if_stopped();
      const auto mapping = mapping_at(position);
      if (mapping && mapping->kind == Mapping::Kind::compressed && is_new(*mapping))
        decode(position, std::span(cluster).first(mapping->guest.length));
      position = mapping ? mapping->guest.end() : position + reader_.read_unit();
    }
  }

  // A hostile image may name a cluster a million times; each is decoded once. The set is bounded: clusters of
  // valid images come once each.
  bool is_new(const Mapping& mapping) {
    const std::scoped_lock lock(mutex_);
    if (named_.size() == kMaxNamed) named_.clear();
    return named_.insert(*mapping.host_offset).second;
  }

  std::optional<Mapping> mapping_at(std::uint64_t guest_offset) {
    try {
      return reader_.map(guest_offset);
    } catch (const std::system_error& error) {
      if (error.code() != Errc::corrupt && error.code() != Errc::truncated) throw;
      return std::nullopt;  // the tables are wrong here
    }
  }

  void decode(std::uint64_t guest_offset, std::span<std::byte> out) {
    try {
      reader_.read(guest_offset, out);
    } catch (const std::system_error& error) {
      // A cluster that cannot be read is not known to be bad.
      if (error.code() != Errc::corrupt && error.code() != Errc::truncated) throw;
      const std::scoped_lock lock(mutex_);
      bad_.push_back(guest_offset);
    }
  }

  const Reader& reader_;
  const std::vector<Extent> ranges_;
  std::atomic<std::size_t> next_{0};
  std::mutex mutex_;  // guards the members below
  static constexpr std::size_t kMaxNamed = 1 << 18;
  std::unordered_set<std::uint64_t> named_;  // host offsets
  std::vector<std::uint64_t> bad_;
};

}  // namespace

void check_data(ImageCheck& image, unsigned threads) {
  try {
    const Reader reader(image.file);
    for (const std::uint64_t guest_offset : DataCheck(reader).run(threads))
      image.report.corruption({"guest offset", guest_offset},
                              "the compressed cluster cannot be decompressed");
  } catch (const std::system_error& error) {
    // An unusable L1 table was reported by the check of the tables.
    if (error.code() != Errc::corrupt && error.code() != Errc::truncated) throw;
  }
}

}  // namespace e2qcow::qcow2
