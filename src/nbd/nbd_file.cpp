// SPDX-License-Identifier: GPL-2.0-or-later
#include "nbd/nbd_file.h"

#include <e2qcow/error.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "base/bytes.h"
#include "base/extents.h"

namespace e2qcow::nbd {
namespace {

constexpr std::uint64_t kUnit = 4096;        // what is read at least
constexpr std::uint64_t kPiece = 256 << 10;  // of reads, so that several are under way
constexpr std::uint64_t kCached = 64 << 20;  // bytes
constexpr std::uint64_t kLongestWrite = 1 << 20;
constexpr std::uint64_t kLongestZero = 128 << 20;  // some servers write it
constexpr std::uint64_t kUnsaidMost = 32 << 20;    // what the protocol allows if a server says nothing
constexpr std::uint64_t kLongestQuestion = (1ULL << 32) - (1 << 20);  // for the allocation
constexpr std::uint64_t kLongAnswer = 256 << 20;
constexpr unsigned kConnections = 4;
constexpr unsigned kMostConnections = 64;
constexpr std::chrono::seconds kForFurther(
    5);  // connections: a server that serves one does not refuse others

Time from_now(std::chrono::seconds time) {
  return std::chrono::steady_clock::now() + time;
}

// Tries each address.
std::unique_ptr<Handle> connect(const Server& server, Time until) {
  for (std::size_t i = 0;; ++i) {
    try {
      return std::make_unique<Handle>(server, i, until);
    } catch (const std::system_error& error) {
      if (error.code() != Errc::connection_lost || i + 1 >= server.uris().size()) throw;
    }
  }
}

std::uint64_t longest_request(const Export& exported, std::uint64_t block) {
  return std::max(block, round_down(exported.most == 0 ? kUnsaidMost : exported.most, block));
}

[[noreturn]] void fail_to_read(const std::string& name, const Request& request) {
  const std::string what = fmt::format("{}: read at {}", name, request.range.offset);
  if (request.error == EIO) fail_errno(EIO, what);
  fail(Errc::refused,
       fmt::format("{}: the server refuses it: {}", what, std::generic_category().message(request.error)));
}

}  // namespace

NbdFile::NbdFile(const std::string& name, Access access, const Options& options)
    : server_(name, from_now(options.timeout)),
      is_writable_(access == Access::write),
      first_(connect(server_, from_now(options.timeout))),
      export_(first_->exported()),
      block_(std::max<std::uint64_t>(1, export_.least)),
      longest_(longest_request(export_, block_)),
      unit_(longest_ < kUnit ? block_ : std::max(block_, kUnit)),
      cache_({.disk_size = export_.size,
              .unit = unit_,
              .piece = std::max(unit_, round_down(std::min(longest_, kPiece), unit_)),
              .limit = kCached}),
      asks_before_reading_(export_.has_allocation && !is_writable_),
      queue_(export_.can_flush) {
  if (is_writable_ && export_.is_read_only)
    fail(Errc::refused, name + ": the server lets nobody write to it");
  connections_.push_back(std::make_unique<Connection>(server_, queue_, options, std::move(first_)));
  add_connections(options);
}

NbdFile::~NbdFile() {
  queue_.end();
}

// What is written over several connections is one disk only if the server says so.
void NbdFile::add_connections(const Options& options) {
  const unsigned most = is_writable_ && !export_.can_share ? 1 : kMostConnections;
  const unsigned wanted = options.connections.value_or(export_.can_share ? kConnections : 1);
  while (connections_.size() < std::min(most, wanted)) {
    std::unique_ptr<Handle> handle;
    try {
      handle = std::make_unique<Handle>(server_, connections_.size(), from_now(kForFurther));
    } catch (const std::system_error& error) {
      if (error.code() == Errc::interrupted) throw;
      return;
    }
    if (handle->exported() != export_)
      fail(Errc::refused, fmt::format("{}: the server has two disks of that name: one of {} bytes, one of {}",
                                      name(), export_.size, handle->exported().size));
    connections_.push_back(std::make_unique<Connection>(server_, queue_, options, std::move(handle)));
  }
}

void NbdFile::start() const {
  std::call_once(started_, [this] {
    for (const auto& connection : connections_) connection->start();
  });
}

void NbdFile::refuse_outside(Extent range) const {
  if (range.offset > size() || range.length > size() - range.offset)
    fail(Errc::truncated,
         fmt::format("{}: {} bytes at {} are past the end", name(), range.length, range.offset));
}

Extent NbdFile::in_blocks(Extent range, std::uint64_t block) const {
  const std::uint64_t begin = round_down(range.offset, block);
  return {begin, std::min(round_up(range.end(), block), size()) - begin};
}

RequestPtr NbdFile::ask(Request::Kind kind, Extent range) const {
  RequestPtr request = new_request(kind, range);
  queue_.add(request, RequestQueue::Urgency::now);
  queue_.wait(request);
  return request;
}

void NbdFile::read(std::uint64_t offset, std::span<std::byte> out) const {
  const Extent range{offset, out.size()};
  refuse_outside(range);
  if (range.empty()) return;
  start();
  if (reads_as_zeros(range)) {
    std::ranges::fill(out, std::byte{0});
    return;
  }
  if (is_writable_) queue_.wait_for_writes(in_blocks(range, unit_));
  const auto reads = cache_.reads_of(range, ReadCache::Need::now, [&](const RequestPtr& request) {
    queue_.add(request, RequestQueue::Urgency::now);
  });
  for (const RequestPtr& read : reads) {
    queue_.wait(read);
    const Extent part = common_part(read->range, range);
    const auto target = out.subspan(part.offset - offset, part.length);
    if (read->error != 0) {  // perhaps only beside what is wanted
      cache_.forget(read->range);
      read_uncached(part, target);
    } else {
      std::memcpy(target.data(), read->bytes.get() + (part.offset - read->range.offset), part.length);
    }
  }
}

void NbdFile::read_uncached(Extent range, std::span<std::byte> out) const {
  const std::uint64_t step = std::max(block_, round_down(std::min(longest_, kPiece), block_));
  for (std::uint64_t offset = range.offset; offset < range.end();) {
    const std::uint64_t begin = round_down(offset, block_);
    const std::uint64_t end = std::min(begin + step, in_blocks(range, block_).end());
    const RequestPtr read = ask(Request::Kind::read, {begin, end - begin});
    if (read->error != 0) fail_to_read(name(), *read);
    const std::uint64_t length = std::min(end, range.end()) - offset;
    std::memcpy(out.data() + (offset - range.offset), read->bytes.get() + (offset - begin), length);
    offset += length;
  }
}

bool NbdFile::can_still_read(std::uint64_t offset) const {
  std::array<std::byte, kSector> sector;
  const Extent range{std::min(offset, size() - kSector), kSector};
  start();
  try {
    read_uncached(range, sector);
    return true;
  } catch (const std::system_error& error) {
    if (error.code() != std::errc::io_error) throw;
    return false;
  }
}

void NbdFile::prefetch(Extent range) const {
  const Extent inside = common_part(range, {0, size()});
  if (inside.empty() || is_writable_) return;
  start();
  const auto known = allocation_.find(inside.offset);
  const bool is_hole = known && !known->data && known->until >= inside.end();
  if (is_hole) return;
  cache_.reads_of(inside, ReadCache::Need::soon,
                  [&](const RequestPtr& request) { queue_.add(request, RequestQueue::Urgency::soon); });
}

std::optional<Extent> NbdFile::next_data(std::uint64_t offset) const {
  if (!export_.has_allocation) return File::next_data(offset);
  start();
  while (offset < size()) {
    const auto known = allocation_.find(offset);
    const KnownAllocation::Found found = known ? *known : learn_allocation(offset);
    if (found.data) return found.data;
    offset = found.until;
  }
  return std::nullopt;
}

// Whether that is known, or worth a question: one for each piece of a disk would cost more than it saves.
bool NbdFile::reads_as_zeros(Extent range) const {
  if (is_writable_) return false;
  auto found = allocation_.find(range.offset);
  if (!found && asks_before_reading_) {
    found = learn_allocation(range.offset);
    asks_before_reading_ = found->until >= size() || found->until - range.offset >= kLongAnswer;
  }
  if (!found) return false;
  return found->data ? found->data->offset >= range.end() : found->until >= range.end();
}

// What the server does not know is data.
KnownAllocation::Found NbdFile::learn_allocation(std::uint64_t offset) const {
  const std::uint64_t begin = round_down(offset, block_);
  const Extent range{begin, std::min(size() - begin, kLongestQuestion)};
  const RequestPtr question = ask(Request::Kind::allocation, range);
  Allocation answer = question->error == 0 ? std::move(question->allocation) : Allocation{range, {range}};
  std::string fault = question->error == 0 ? question->fault : "";
  if (fault.empty() && answer.covered.end() > size())
    fault = fmt::format("a range that ends at {}", answer.covered.end());
  if (!fault.empty())
    fail(Errc::refused,
         fmt::format("{}: the server's answer for where there is data makes no sense: {}, on a "
                     "disk of {} bytes",
                     name(), fault, size()));
  allocation_.add(answer);
  const auto found = allocation_.find(offset);
  return found ? *found : KnownAllocation::Found{std::nullopt, range.end()};
}

void NbdFile::change(const RequestPtr& request) {
  cache_.forget(request->range);
  allocation_.forget();
  queue_.write(request);
}

void NbdFile::write(std::uint64_t offset, std::span<const std::byte> data) {
  if (offset > size() || data.size() > size() - offset)
    fail(Errc::too_small, fmt::format("{}: write at {}: the disk ends there", name(), size()));
  start();
  const std::uint64_t longest = std::max(block_, round_down(std::min(longest_, kLongestWrite), block_));
  while (!data.empty()) {
    const bool is_part = offset % block_ != 0 || data.size() < block_;
    const std::size_t length = is_part ? std::min<std::size_t>(data.size(), block_ - offset % block_)
                                       : round_down(std::min<std::uint64_t>(data.size(), longest), block_);
    if (is_part) {
      write_part_of_block(offset, data.first(length));
    } else {
      const RequestPtr request = new_request(Request::Kind::write, {offset, length});
      std::memcpy(request->bytes.get(), data.data(), length);
      change(request);
    }
    offset += length;
    data = data.subspan(length);
  }
}

void NbdFile::write_part_of_block(std::uint64_t offset, std::span<const std::byte> data) {
  const std::scoped_lock lock(parts_);
  const RequestPtr request = new_request(Request::Kind::write, in_blocks({offset, data.size()}, block_));
  queue_.wait_for_writes(request->range);
  read_uncached(request->range, request->buffer());
  std::memcpy(request->bytes.get() + (offset - request->range.offset), data.data(), data.size());
  change(request);
}

void NbdFile::resize(std::uint64_t new_size) {
  if (new_size > size())
    fail(Errc::too_small, fmt::format("{}: {} bytes are needed, the disk has {}", name(), new_size, size()));
}

// Trimming would not do: what is trimmed may read as anything.
void NbdFile::zero(Extent range, Zeroing how) {
  const std::uint64_t begin = std::min(round_up(range.offset, block_), range.end());
  const std::uint64_t end = std::max(begin, round_down(range.end(), block_));
  if (!export_.can_zero || begin == end) return File::zero(range, how);
  refuse_outside(range);
  start();
  File::zero({range.offset, begin - range.offset}, how);
  const std::uint64_t longest = round_down(kLongestZero, block_);
  for (std::uint64_t offset = begin; offset < end; offset += longest) {
    const RequestPtr request = new_request(Request::Kind::zero, {offset, std::min(longest, end - offset)});
    request->may_punch = how == Zeroing::discard;
    change(request);
  }
  File::zero({end, range.end() - end}, how);
}

void NbdFile::sync() {
  start();
  queue_.sync();
}

}  // namespace e2qcow::nbd
