// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include "ext2/structures/geometry.h"
#include "ext2/texts/text.h"

namespace e2qcow::ext2 {

// Structures that have only numbers: what is visited, as slack, is what none of the numbers in use are.

// A block of group descriptors, the one with this number.
void visit_descriptors(const Geometry& geometry, const TextPlace& place, std::uint64_t block,
                       const TextVisitor& visit);

// A block of pointers, in a file system with so many blocks: those that are outside.
void visit_pointers(const TextPlace& place, std::uint64_t blocks, const TextVisitor& visit);

// A block of a quota file.
void visit_quota(const TextPlace& place, const TextVisitor& visit);

// A block of the orphan file, in a file system with so many inodes. What cannot be the number of one is not
// in use.
void visit_orphans(const TextPlace& place, std::uint32_t inodes, const TextVisitor& visit);

}  // namespace e2qcow::ext2
