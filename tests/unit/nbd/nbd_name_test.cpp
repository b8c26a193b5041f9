// SPDX-License-Identifier: GPL-2.0-or-later
#include "nbd/nbd_name.h"

#include <e2qcow/error.h>
#include <gtest/gtest.h>

#include "tests/support/errors.h"

namespace e2qcow::nbd {
namespace {

using Words = std::vector<std::string>;

TEST(NbdName, IsAUriOfItsSchemesOrACommand) {
  for (const char* name : {"nbd://host", "nbds://host/x", "nbd+unix:///?socket=s", "nbds+unix:///?socket=s",
                           "nbd+vsock://2/", "[ nbdkit memory 1M ]"})
    EXPECT_TRUE(is_nbd_name(name)) << name;
  for (const char* name : {"nbd:file", "./nbd://host", "/dev/nbd0", "http://host/", "[file", "[", "", "disk"})
    EXPECT_FALSE(is_nbd_name(name)) << name;
}

TEST(NbdName, HasTheWordsOfTheCommand) {
  for (const Words& words : {Words{"nbdkit", "file", "/disk"}, Words{"sh", "-c", "a 'b' \"c\" \\d"},
                             Words{"x", ""}, Words{"]", "[", "a b"}}) {
    const std::string name = name_of_command(words);
    EXPECT_TRUE(is_nbd_name(name)) << name;
    EXPECT_EQ(parse_nbd_name(name).command, words) << name;
  }
  EXPECT_EQ(name_of_command(Words{"nbdkit", "file", "/a b"}), "[ nbdkit file '/a b' ]");
}

TEST(NbdName, OfACommandMustBeComplete) {
  EXPECT_EQ(code_of([] { parse_nbd_name("[ nbdkit"); }), Errc::refused);
  EXPECT_EQ(code_of([] { parse_nbd_name("[ ]"); }), Errc::refused);
  EXPECT_EQ(code_of([] { parse_nbd_name(name_of_command({})); }), Errc::refused);
}

TEST(NbdName, HasTheHost) {
  EXPECT_EQ(parse_nbd_name("nbd://host").host, "host");
  EXPECT_EQ(parse_nbd_name("nbd://user@host:10810/a:b?x=y").host, "host");
  EXPECT_EQ(parse_nbd_name("nbds://[::1]:10810/").host, "[::1]");
  EXPECT_EQ(parse_nbd_name("nbd://host?x").host, "host");
  EXPECT_EQ(parse_nbd_name("nbd+unix:///?socket=host").host, "");
  EXPECT_EQ(parse_nbd_name("nbd+vsock://2/").host, "");
}

TEST(NbdName, HasTheFilesOfTls) {
  const NbdName name = parse_nbd_name("nbds://host/?tls-certificates=/a%20b&tls-psk-file=/c%2fd;x=%zz");
  EXPECT_TRUE(name.has_tls);
  EXPECT_EQ(name.tls_files, (Words{"/a b", "/c/d"}));
  EXPECT_FALSE(parse_nbd_name("nbd://host/").has_tls);
  EXPECT_TRUE(parse_nbd_name("nbds+unix:///?socket=s").has_tls);
}

TEST(NbdName, TakesAnAddressForTheHost) {
  EXPECT_EQ(with_address("nbd://user@host:10810/x?y", "127.0.0.1"), "nbd://user@127.0.0.1:10810/x?y");
  EXPECT_EQ(with_address("nbd://host", "[::1]"), "nbd://[::1]");
  EXPECT_EQ(with_address("nbd://[::1]:1/", "127.0.0.1"), "nbd://127.0.0.1:1/");
}

TEST(NbdName, FilesForConnectingAreThoseOfTls) {
  EXPECT_TRUE(files_for_connecting("disk.img").empty());
  EXPECT_TRUE(files_for_connecting("nbd://host/").empty());
  EXPECT_TRUE(files_for_connecting("[ nbdkit memory 1M ]").empty());
  EXPECT_EQ(files_for_connecting("nbds://host/?tls-psk-file=/keys").back(), "/keys");
}

}  // namespace
}  // namespace e2qcow::nbd
