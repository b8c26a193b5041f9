// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/process/program.h"

#include <elf.h>
#include <gtest/gtest.h>

#include <cstring>
#include <filesystem>

#include "tests/support/temp_dir.h"

namespace e2qcow {
namespace {

class PreloadedProgram : public testing::Test {
 protected:
  // An ELF file with one segment.
  std::string program(std::uint32_t segment_type,
                      std::size_t size = sizeof(Elf64_Ehdr) + sizeof(Elf64_Phdr)) {
    Elf64_Ehdr header{};
    std::memcpy(header.e_ident, ELFMAG, SELFMAG);
    header.e_ident[EI_CLASS] = ELFCLASS64;
    header.e_phoff = sizeof header;
    header.e_phnum = 1;
    header.e_phentsize = sizeof(Elf64_Phdr);
    Elf64_Phdr segment{};
    segment.p_type = segment_type;
    std::string bytes(reinterpret_cast<const char*>(&header), sizeof header);
    bytes.append(reinterpret_cast<const char*>(&segment), sizeof segment);
    return file(bytes.substr(0, size));
  }
  std::string program_of_32_bits() {
    Elf32_Ehdr header{};
    std::memcpy(header.e_ident, ELFMAG, SELFMAG);
    header.e_ident[EI_CLASS] = ELFCLASS32;
    return file({reinterpret_cast<const char*>(&header), sizeof header});
  }
  std::string file(const std::string& text) {
    write_text(directory_.file("program"), text);
    return directory_.file("program");
  }

  TempDir directory_;
};

TEST_F(PreloadedProgram, IsNotAStaticOne) {
  EXPECT_EQ(why_preloading_fails(program(PT_LOAD)), "is linked statically");
  EXPECT_EQ(why_preloading_fails(program(PT_INTERP)), "");
}

TEST_F(PreloadedProgram, IsNotOneOf32Bits) {
  EXPECT_EQ(why_preloading_fails(program_of_32_bits()), sizeof(void*) == 8 ? "is a 32-bit program" : "");
}

TEST_F(PreloadedProgram, IsNotOneWithOtherRights) {
  const std::string path = program(PT_INTERP);
  namespace fs = std::filesystem;
  for (const fs::perms right : {fs::perms::set_uid, fs::perms::set_gid}) {
    fs::permissions(path, fs::perms::owner_all | right);
    EXPECT_EQ(why_preloading_fails(path), "is setuid or setgid");
  }
}

TEST_F(PreloadedProgram, MayBeAScriptOrSomethingElse) {
  EXPECT_EQ(why_preloading_fails(file("#!/bin/sh\n")), "");
  EXPECT_EQ(why_preloading_fails(file("")), "");
  EXPECT_EQ(why_preloading_fails(program(PT_LOAD, sizeof(Elf64_Ehdr) + 3)), "");
  EXPECT_EQ(why_preloading_fails(directory_.file("missing")), "");
  EXPECT_EQ(why_preloading_fails("e2qcow-no-such-program"), "");
  EXPECT_EQ(why_preloading_fails("/"), "");
  EXPECT_EQ(why_preloading_fails("sh"), "");  // found in PATH
}

}  // namespace
}  // namespace e2qcow
