// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/file/pipe_buffer.h"

#include <algorithm>
#include <system_error>

#include "base/bytes.h"
#include "base/file/temporary_file.h"

namespace e2qcow {

void PipeBuffer::append(std::span<const std::byte> data) {
  while (!data.empty()) {
    const std::uint64_t inside = size_ % kChunkBytes;
    const auto part = data.first(std::min<std::size_t>(data.size(), kChunkBytes - inside));
    if (file_ && !is_zero(part)) file_->write(size_, part);
    if (!file_) {
      if (chunks_.size() <= size_ / kChunkBytes) chunks_.emplace_back();
      if (chunks_.back() || !is_zero(part)) std::ranges::copy(part, room_in(inside, part.size()).begin());
    }
    size_ += part.size();
    data = data.subspan(part.size());
    if (memory_used_ > memory_limit_) spill();
  }
}

std::span<std::byte> PipeBuffer::room_in(std::uint64_t offset, std::size_t length) {
  std::unique_ptr<Chunk>& chunk = chunks_.back();
  if (!chunk) {
    chunk = std::make_unique<Chunk>(kChunkBytes);
    memory_used_ += kChunkBytes;
  }
  return std::span(*chunk).subspan(offset, length);
}

void PipeBuffer::prepare_to_spill() {
  try {
    spare_ = open_temporary_file();
  } catch (const std::system_error&) {
    spare_.reset();  // it may never be needed
  }
}

void PipeBuffer::spill() {
  file_ = spare_ ? std::move(spare_) : open_temporary_file();
  for (std::size_t i = 0; i < chunks_.size(); ++i)
    if (chunks_[i]) file_->write(i * kChunkBytes, *chunks_[i]);
  chunks_.clear();
  memory_used_ = 0;
}

void PipeBuffer::read(std::uint64_t offset, std::span<std::byte> out) const {
  if (file_) {
    const std::uint64_t stored = std::min(file_->size(), offset + out.size());
    const std::size_t length = stored > offset ? stored - offset : 0;
    file_->read(offset, out.first(length));
    std::ranges::fill(out.subspan(length), std::byte{0});
    return;
  }
  while (!out.empty()) {
    const std::uint64_t inside = offset % kChunkBytes;
    const auto part = out.first(std::min<std::size_t>(out.size(), kChunkBytes - inside));
    const auto& chunk = chunks_[offset / kChunkBytes];
    if (chunk)
      std::ranges::copy(std::span(*chunk).subspan(inside, part.size()), part.begin());
    else
      std::ranges::fill(part, std::byte{0});
    offset += part.size();
    out = out.subspan(part.size());
  }
}

}  // namespace e2qcow
