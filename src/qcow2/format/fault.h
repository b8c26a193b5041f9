// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <string>
#include <string_view>

namespace e2qcow::qcow2 {

// A part of an image that has a fault: a thing and, if there are several, its number, as in "L1 entry 3" or
// "guest offset 65536".
struct Origin {
  static constexpr std::uint64_t kTheOnlyOne = ~0ULL;

  std::string_view what;
  std::uint64_t number = kTheOnlyOne;
  std::uint32_t snapshot = 0;  // from 1; 0 is the active state, or no snapshot
};
std::string text_of(const Origin& origin);

// A contradiction of the format. The checker reports all of them, the reader refuses those that could make it
// return wrong data.
struct Fault {
  enum class Kind {
    harmless,   // nothing that is read depends on it
    corrupt,    // Errc::corrupt
    truncated,  // Errc::truncated: the file ends too early
  };
  using Pattern = fmt::format_string<const std::uint64_t&, const std::string_view&>;

  Kind kind;
  Pattern pattern;
  std::uint64_t number = 0;     // {0} in the pattern
  std::string_view thing = {};  // {1}

  std::string text() const { return fmt::format(pattern, number, thing); }
};

// Throws unless the fault is harmless.
void refuse(const std::string& file_name, const Origin& origin, const Fault& fault);

}  // namespace e2qcow::qcow2
