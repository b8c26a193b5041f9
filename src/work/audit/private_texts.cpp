// SPDX-License-Identifier: GPL-2.0-or-later
#include "work/audit/private_texts.h"

#include <algorithm>
#include <cstring>
#include <string_view>

#include "base/hashing.h"
#include "base/stop.h"
#include "ext2/texts/known_words.h"
#include "work/audit/strings.h"

namespace e2qcow::work {
namespace {

constexpr std::size_t kBuffer = 1 << 20;
constexpr std::size_t kSeen = 1 << 20;
constexpr std::size_t kMaxFunctions = 64;
// A string with so many bits is searched for everywhere, however many there are, and once is enough. Of
// shorter ones each directory counts.
constexpr unsigned kSurely = 100;
// Among bytes of no known structure, fewer characters are rarely text: numbers look like them.
constexpr std::size_t kMinUnknown = 6;

bool is_hardly_text(const ext2::Text& text) {
  const bool is_unknown = text.kind == ext2::TextKind::slack || text.kind == ext2::TextKind::journal_text;
  return is_unknown && text.bytes.size() < kMinUnknown;
}

}  // namespace

// As a string is stored, before its bytes.
struct PrivateTexts::Head {
  std::uint64_t owner;
  std::uint64_t inode;
  std::uint64_t offset;
  std::uint16_t length;
  ext2::TextKind kind;
  std::uint8_t unused[5];
};

PrivateTexts::PrivateTexts(std::unique_ptr<File> file) : file_(std::move(file)), seen_(kSeen) {}

void PrivateTexts::add(const ext2::Text& text) {
  if (ext2::is_kept(text)) {
    ++kept_;
    const bool is_function = text.kind == ext2::TextKind::error_function;
    if (is_function && kept_functions_.size() < kMaxFunctions) kept_functions_.emplace(text.view());
    return;
  }
  for_each_string(text, [this](const ext2::Text& string) { add_string(string); });
}

void PrivateTexts::add_string(const ext2::Text& text) {
  if (is_hardly_text(text)) return;
  if (ext2::is_filler(text.view())) {
    ++fillers_;
    return;
  }
  const unsigned strength = bits_in_any_case(text.view());
  if (!is_new(text, strength)) return;
  write(text);
  ++count_;
  ++kinds_[static_cast<std::size_t>(text.kind)];
  bytes_ += text.bytes.size();
  Bits& same = by_bits_[strength];
  ++same.count;
  same.min_length = std::min(same.min_length, text.bytes.size());
}

// Forgets some of those that were added long ago; they are only added twice.
bool PrivateTexts::is_new(const ext2::Text& text, unsigned strength) {
  std::uint64_t hash = std::hash<std::string_view>()(text.view());
  if (strength < kSurely)
    hash = combined_hash(combined_hash(hash, text.owner), text.owner == 0 ? text.offset : 0);
  hash = combined_hash(hash, 1);
  std::uint64_t& slot = seen_[hash % kSeen];
  if (slot == hash) return false;
  slot = hash;
  return true;
}

void PrivateTexts::write(const ext2::Text& text) {
  const Head head{text.owner, text.inode, text.offset, static_cast<std::uint16_t>(text.bytes.size()),
                  text.kind,  {}};
  const auto bytes = std::as_bytes(std::span(&head, 1));
  buffer_.insert(buffer_.end(), bytes.begin(), bytes.end());
  buffer_.insert(buffer_.end(), text.bytes.begin(), text.bytes.end());
  end_ += sizeof head + text.bytes.size();
  if (buffer_.size() >= kBuffer) flush();
}

void PrivateTexts::flush() {
  throw_if_stopped();
  file_->write(end_ - buffer_.size(), buffer_);
  buffer_.clear();
}

void PrivateTexts::finish() {
  flush();
  seen_ = {};
}

PrivateTexts::String PrivateTexts::read(std::uint64_t id) const {
  String result;
  for_each_from(id, [&](const String& string) {
    result = string;
    return false;
  });
  return result;
}

std::uint64_t PrivateTexts::for_each_from(std::uint64_t id,
                                          const std::function<bool(const String&)>& visit) const {
  std::vector<std::byte> buffer;
  std::uint64_t begin = id;  // of the buffer
  std::size_t step = 4096;   // grows, because often only one is wanted
  const auto load = [&](std::size_t needed) {
    if (id + needed <= begin + buffer.size()) return;
    begin = id;
    buffer.resize(std::min<std::uint64_t>(std::max(step, needed), end_ - begin));
    file_->read(begin, buffer);
    step = kBuffer;
  };
  String string;
  while (id < end_) {
    load(sizeof(Head));
    Head head;
    std::memcpy(&head, buffer.data() + (id - begin), sizeof head);
    load(sizeof head + head.length);
    const auto* text = reinterpret_cast<const char*>(buffer.data() + (id - begin) + sizeof head);
    string = {id, head.kind, head.owner, head.inode, head.offset, std::string(text, head.length)};
    id += sizeof head + head.length;
    if (!visit(string)) break;
  }
  return id;
}

}  // namespace e2qcow::work
