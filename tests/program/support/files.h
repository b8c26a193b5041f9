// SPDX-License-Identifier: GPL-2.0-or-later
// Files of the tests. Disks are mostly holes, which cost no time here.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace e2qcow::test {

std::string read_file(const std::filesystem::path& path);
std::string read_bytes(const std::filesystem::path& path, std::uint64_t offset, std::size_t length);
void write_file(const std::filesystem::path& path, const std::string& bytes);
// Replaces bytes inside a file.
void patch_file(const std::filesystem::path& path, std::uint64_t offset, const std::string& bytes);
// Holes stay holes. Replaces an older file.
void copy_disk(const std::filesystem::path& from, const std::filesystem::path& to);
// Where the bytes of two files or devices differ, in words; empty if they are the same.
std::string difference(const std::filesystem::path& a, const std::filesystem::path& b);
// The names in a directory, sorted.
std::vector<std::string> names_in(const std::filesystem::path& directory);

}  // namespace e2qcow::test
