// SPDX-License-Identifier: GPL-2.0-or-later
// Most of a disk is zeros, and what moves in it is no file system any more. So a few bytes are changed in
// place, where there are some, and every third time in the superblock.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <random>

extern "C" std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size, std::size_t max_size);

namespace {

constexpr std::size_t kSuperblock = 1024;  // its offset and its size
constexpr std::size_t kPiece = 16;

std::size_t used_piece(const std::uint8_t* data, std::size_t size, std::minstd_rand& random) {
  std::size_t piece = 0;
  for (int tries = 0; tries < 200; ++tries) {
    piece = random() % (size / kPiece) * kPiece;
    if (std::any_of(data + piece, data + piece + kPiece, [](std::uint8_t byte) { return byte != 0; })) break;
  }
  return piece;
}

}  // namespace

extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size, std::size_t max_size,
                                               unsigned seed) {
  std::minstd_rand random(seed);
  if (size < 2 * kSuperblock || random() % 20 == 0) return LLVMFuzzerMutate(data, size, max_size);
  const std::size_t piece = random() % 3 == 0 ? kSuperblock + random() % (kSuperblock / kPiece) * kPiece
                                              : used_piece(data, size, random);
  const std::size_t width = std::size_t{1} << random() % 4;  // of numbers, which are aligned
  LLVMFuzzerMutate(data + piece + random() % (kPiece / width) * width, width, width);
  return size;
}
