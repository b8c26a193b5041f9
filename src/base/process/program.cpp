// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/process/program.h"

#include <elf.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <optional>
#include <sstream>

namespace e2qcow {
namespace {

std::string find_in_path(const std::string& name) {
  const char* path = std::getenv("PATH");  // NOLINT(concurrency-mt-unsafe): there is one thread
  std::istringstream directories(path == nullptr ? "/bin:/usr/bin" : path);
  for (std::string directory; std::getline(directories, directory, ':');) {
    const std::string file = (directory.empty() ? "." : directory) + "/" + name;
    if (::access(file.c_str(), X_OK) == 0) return file;
  }
  return "";
}

template <typename T>
std::optional<T> read_at(std::ifstream& file, std::uint64_t offset) {
  T value{};
  file.seekg(static_cast<std::streamoff>(offset));
  if (!file.read(reinterpret_cast<char*>(&value), sizeof value)) return std::nullopt;
  return value;
}

using Identification = std::array<unsigned char, EI_NIDENT>;

bool has_class(const Identification& identification, int elf_class) {
  return std::memcmp(identification.data(), ELFMAG, SELFMAG) == 0 && identification[EI_CLASS] == elf_class;
}

// Only a dynamic program names an interpreter, which loads its libraries.
bool is_static(std::ifstream& file) {
  const auto elf = read_at<Elf64_Ehdr>(file, 0);
  if (!elf || elf->e_phentsize != sizeof(Elf64_Phdr)) return false;
  for (unsigned i = 0; i < elf->e_phnum; ++i) {
    const auto segment = read_at<Elf64_Phdr>(file, elf->e_phoff + i * sizeof(Elf64_Phdr));
    if (!segment || segment->p_type == PT_INTERP) return false;
  }
  return true;
}

// On a system of 64 bits; elsewhere, programs of either kind are left to the system.
std::string why_file_fails(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  const auto identification = read_at<Identification>(file, 0);
  if (!identification || sizeof(void*) != 8) return "";
  if (has_class(*identification, ELFCLASS32)) return "is a 32-bit program";
  return has_class(*identification, ELFCLASS64) && is_static(file) ? "is linked statically" : "";
}

}  // namespace

std::string why_preloading_fails(const std::string& command) {
  const std::string path = command.find('/') == std::string::npos ? find_in_path(command) : command;
  struct stat status {};
  if (path.empty() || ::stat(path.c_str(), &status) != 0 || !S_ISREG(status.st_mode)) return "";
  if ((status.st_mode & (S_ISUID | S_ISGID)) != 0) return "is setuid or setgid";
  return why_file_fails(path);
}

}  // namespace e2qcow
