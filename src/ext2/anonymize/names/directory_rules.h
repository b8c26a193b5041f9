// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "ext2/anonymize/names/half_md4.h"
#include "ext2/anonymize/names/hash_cells.h"
#include "ext2/anonymize/replacement/candidate_names.h"
#include "ext2/anonymize/replacement/secret.h"

namespace e2qcow::ext2 {

// What the names in all directories depend on.
struct Naming {
  Secret secret;
  NameHash old_hash;  // with the seed that the file system has
  NameHash new_hash;  // with the one that the image gets
};

// What the names in one directory depend on besides. A directory without a tree, whose short names do not
// meet by chance, has none of this.
struct DirectoryRules {
  std::uint32_t inode = 0;
  std::uint32_t flags = 0;  // of the inode
  std::uint8_t hash_version = 0;
  HashCells cells{};

  // Old names are known by their fingerprints, in ascending order.
  struct Number {
    std::uint64_t fingerprint;
    std::uint64_t number;
  };
  std::vector<Number> later{};            // how many of the name's fitting candidates are others' names
  std::vector<Number> numbered{};         // with very many cells: the number of the new name
  std::vector<std::uint64_t> unplaced{};  // no new name is in the right cell
  std::vector<std::uint64_t> tiny{};      // names of fewer than four bytes that must not grow

  // Up to so many cells, each name is drawn until it is in its cell, whatever others there are. With more,
  // that would take too long: names are drawn for all at once, and may change when others come and go.
  static constexpr std::size_t kDrawnCells = 64;
  bool are_numbered() const { return cells.count() > kDrawnCells; }
  // Whether a directory of which nothing is known has the same.
  bool is_plain() const {
    return flags == 0 && later.empty() && numbered.empty() && unplaced.empty() && tiny.empty();
  }
};

// Replaces the names in one directory. Equal names get equal ones, different names different ones.
class DirectoryNamer {
 public:
  // The arguments must outlive it.
  DirectoryNamer(const Naming& naming, const DirectoryRules& rules);

  const DirectoryRules& rules() const { return rules_; }
  const Alphabet& alphabet() const;

  // Whether the name stays: '.', '..', and lost+found in the root.
  bool is_kept(std::string_view name) const;
  // The cells for the new names of all names in a block. Empty if no cells are needed.
  std::vector<std::uint32_t> cells_of(std::span<const std::string_view> names) const;

  struct Replacement {
    std::string name;
    bool is_placed = true;  // found where it is looked for
  };
  // `cell`: 0 if no cells are needed.
  Replacement replacement(std::string_view name, std::uint32_t cell) const;

  // For planning:
  std::uint64_t fingerprint(std::string_view name) const { return secret_.hash(name).first; }
  std::size_t new_length(std::string_view name) const;
  // The candidate for the name that comes after `skipped` others in the cell.
  Replacement draw(std::string_view name, std::uint32_t cell, std::uint64_t skipped) const;
  // Whether the name has to be drawn by itself even in a large directory: some of its bytes stay.
  static bool has_fixed_bytes(std::string_view name);
  NumberedNames numbered_names(std::size_t length) const;
  // 0 if no cells are needed.
  std::uint32_t cell_of_new(std::string_view new_name) const;

 private:
  const DirectoryRules& rules_;
  void put_fixed_bytes(std::string_view name, std::span<char> candidate) const;
  Replacement draw_several(std::string_view name, std::uint32_t cell, std::uint64_t skipped,
                           double most) const;

  Secret secret_;
  NameHash old_hash_;
  NameHash new_hash_;
  HalfMd4 many_hashes_;  // the same as new_hash_, if the directory has this version
};

}  // namespace e2qcow::ext2
