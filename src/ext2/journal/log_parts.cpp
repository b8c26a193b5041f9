// SPDX-License-Identifier: GPL-2.0-or-later
#include "ext2/journal/log_parts.h"

#include <limits>

#include "base/bytes.h"
#include "base/stop.h"

namespace e2qcow::ext2 {
namespace {

using BlockType = JournalLog::BlockType;

class Walk {
 public:
  explicit Walk(const JournalLog& log) : log_(log), position_(log.start()), sequence_(log.first_sequence()) {}

  LogParts run() && {
    while (has_more()) {
      throw_if_stopped();
      const auto block = log_.read(position_);
      const bool belongs = block.size() >= JournalLog::kHeaderBytes &&
                           load_be<std::uint32_t>(block, 0) == JournalLog::kMagic &&
                           load_be<std::uint32_t>(block, 8) == sequence_;
      if (!belongs || !add(static_cast<BlockType>(load_be<std::uint32_t>(block, 4)), block)) break;
    }
    return {std::move(parts_), sequence_};
  }

 private:
  bool has_more() const { return passed_ < log_.length(); }

  // Takes the block at the position, if it is on the device.
  LogPart* take(LogPart::Kind kind) {
    const auto block = log_.device_block_of(position_);
    position_ = log_.after(position_);
    ++passed_;
    if (!block) return nullptr;
    parts_.push_back({*block, kind});
    return &parts_.back();
  }

  bool add(BlockType type, std::span<const std::byte> block) {
    if (type == BlockType::revoke) return take(LogPart::Kind::revoke) != nullptr;
    if (type == BlockType::descriptor) return add_descriptor(block);
    if (type != BlockType::commit) return false;
    const auto commit = take(LogPart::Kind::commit);
    if (commit != nullptr) commit->transaction_begin = transaction_begin_;
    transaction_begin_ = parts_.size();
    sequence_ = sequence_ == std::numeric_limits<std::uint32_t>::max() ? 0 : sequence_ + 1;
    return commit != nullptr;
  }

  bool add_descriptor(std::span<const std::byte> block) {
    if (take(LogPart::Kind::descriptor) == nullptr) return false;
    const std::size_t descriptor = parts_.size() - 1;
    for (const JournalLog::Tag& tag : log_.tags_in(block)) {
      if (!has_more()) return false;
      LogPart* copy = take(LogPart::Kind::copy);
      if (copy == nullptr) return false;
      copy->tag = tag;
      ++parts_[descriptor].copies;
    }
    return true;
  }

  const JournalLog& log_;
  std::uint64_t position_;
  std::uint32_t sequence_;
  std::uint64_t passed_ = 0;
  std::size_t transaction_begin_ = 0;
  std::vector<LogPart> parts_;
};

}  // namespace

LogParts parts_of_log(const JournalLog& log) {
  return Walk(log).run();
}

}  // namespace e2qcow::ext2
