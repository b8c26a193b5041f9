// SPDX-License-Identifier: GPL-2.0-or-later
#include "work/audit/strings.h"

#include <algorithm>

#include "base/pattern_search.h"

namespace e2qcow::work {
namespace {

using ext2::Text;
using ext2::TextKind;

constexpr std::size_t kMinRun = 3;  // bytes of text among others
constexpr std::size_t kLong = 64;   // longer ones are cut, so that a part of one is found as well
constexpr std::size_t kVector = 32;
constexpr unsigned kMaxBits = 255;

bool is_printable(unsigned char byte) {
  return byte >= 0x20 && byte < 0x7f;
}

// The length of a character of UTF-8 of more than one byte; 0 if there is none.
std::size_t wide_character(std::string_view text) {
  const auto first = static_cast<unsigned char>(text.front());
  const std::size_t length = first >= 0xf0 && first < 0xf5   ? 4
                             : first >= 0xe0 && first < 0xf0 ? 3
                             : first >= 0xc2 && first < 0xe0 ? 2
                                                             : 0;
  if (length == 0 || length > text.size()) return 0;
  const auto continues = [](char c) { return (static_cast<unsigned char>(c) & 0xc0) == 0x80; };
  return std::ranges::all_of(text.substr(1, length - 1), continues) ? length : 0;
}

std::size_t character(std::string_view text) {
  return is_printable(static_cast<unsigned char>(text.front())) ? 1 : wide_character(text);
}

bool is_text(std::string_view text) {
  while (!text.empty()) {
    const std::size_t length = character(text);
    if (length == 0) return false;
    text.remove_prefix(length);
  }
  return true;
}

Text part_of(const Text& text, std::size_t begin, std::size_t length) {
  Text part = text;
  part.offset += begin;
  part.bytes = text.bytes.subspan(begin, length);
  return part;
}

// Equal numbers one after the other, as the times of an inode, are no text, whatever their bytes are.
bool repeats_itself(std::string_view text) {
  constexpr std::size_t kNumber = 4;
  if (text.size() < 2 * kNumber) return false;
  return std::equal(text.begin() + kNumber, text.end(), text.begin());
}

void visit_pieces(const Text& text, const ext2::TextVisitor& visit) {
  if (text.bytes.size() <= kLong) return visit(text);
  for (std::size_t begin = 0; begin < text.bytes.size(); begin += kVector)
    visit(part_of(text, begin, std::min(kVector, text.bytes.size() - begin)));
}

void visit_runs(const Text& text, const ext2::TextVisitor& visit) {
  const std::string_view view = text.view();
  std::size_t begin = 0;
  const auto end_run = [&](std::size_t end) {
    const bool counts = end - begin >= kMinRun && !repeats_itself(view.substr(begin, end - begin));
    if (counts) visit_pieces(part_of(text, begin, end - begin), visit);
  };
  std::size_t position = 0;
  while (position < view.size()) {
    const std::size_t length = character(view.substr(position));
    if (length == 0) {
      end_run(position);
      begin = position + 1;
    }
    position += std::max<std::size_t>(1, length);
  }
  end_run(view.size());
}

void visit_components(const Text& text, const ext2::TextVisitor& visit) {
  const std::string_view view = text.view();
  for (std::size_t begin = 0; begin < view.size();) {
    const std::size_t end = std::min(view.find('/', begin), view.size());
    const std::string_view component = view.substr(begin, end - begin);
    const bool is_all = component.size() == view.size();
    const bool is_name = !component.empty() && component != "." && component != "..";
    if (is_name && !is_all) visit(part_of(text, begin, component.size()));
    begin = end + 1;
  }
}

void visit_path(const Text& text, const ext2::TextVisitor& visit) {
  visit_pieces(text, visit);
  visit_components(text, visit);
}

// Values often end with a zero.
void visit_value(const Text& text, const ext2::TextVisitor& visit) {
  const std::string_view view = text.view();
  const std::size_t last = view.find_last_not_of('\0');
  if (last == view.npos) return;
  const std::size_t length = last + 1;
  const Text value = part_of(text, 0, length);
  if (is_text(value.view())) return visit_pieces(value, visit);
  if (length <= PatternSearch::kMaxLength) visit(value);
  visit_runs(value, visit);
}

// Bytes that are next to ones like them are no surprise: paddings, bit maps.
bool is_like_neighbour(std::string_view text, std::size_t index) {
  return (index >= 1 && text[index] == text[index - 1]) || (index >= 4 && text[index] == text[index - 4]);
}

unsigned bits_of(char c, unsigned of_letters) {
  const auto byte = static_cast<unsigned char>(c);
  if (byte < 0x20) return 1;
  const bool is_letter = (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z');
  if (is_letter) return byte >= 'a' ? 5 : of_letters;
  if (byte >= '0' && byte <= '9') return byte <= '5' ? 5 : 6;
  return byte == '_' || byte == '-' ? 6 : 7;
}

unsigned sum_of_bits(std::string_view text, unsigned of_letters) {
  unsigned sum = 0;
  for (std::size_t i = 0; i < text.size(); ++i)
    sum += is_like_neighbour(text, i) ? 1 : bits_of(text[i], of_letters);
  return std::min(sum, kMaxBits);
}

}  // namespace

void for_each_string(const Text& text, const ext2::TextVisitor& visit) {
  if (text.bytes.empty()) return;
  switch (text.kind) {
    case TextKind::link_target:
    case TextKind::last_mount:
      return visit_path(text, visit);
    case TextKind::xattr_value:
      return visit_value(text, visit);
    case TextKind::inline_data:
    case TextKind::slack:
    case TextKind::journal_text:
      return visit_runs(text, visit);
    default:
      if (text.bytes.size() <= PatternSearch::kMaxLength) visit(text);
  }
}

unsigned bits_in_any_case(std::string_view text) {
  return sum_of_bits(text, 5);
}

unsigned bits(std::string_view text) {
  return sum_of_bits(text, 6);
}

}  // namespace e2qcow::work
