// SPDX-License-Identifier: GPL-2.0-or-later
// What --json prints is an interface: testdata/json has its keys, each with the type of its value.
#include "tests/program/support/frozen.h"

namespace e2qcow::test {
namespace {

using nlohmann::json;

json shape_of(const json& value);

// One entry with the members of all.
json shape_of_list(const json& list) {
  if (list.empty()) return list;
  json entry = shape_of(list[0]);
  for (const json& value : list)
    if (entry.is_object()) entry.update(shape_of(value));
  return json::array({entry});
}

// The same with the names of types instead of values.
json shape_of(const json& value) {
  if (value.is_array()) return shape_of_list(value);
  if (!value.is_object()) return value.type_name();
  json shape = json::object();
  for (const auto& [key, member] : value.items()) shape[key] = shape_of(member);
  return shape;
}

class FrozenJson : public FrozenTest {
 protected:
  void SetUp() override {
    FrozenTest::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    for (const char* directory : {"ext", "e2qcow/0.1.0", "corrupt", "ddrescue"}) unpack(directory);
  }
  void expect_shape(const std::string& name, const Words& words) const {
    const json expected = json::parse(read_file(std::string(E2QCOW_TESTDATA) + "/json/" + name + ".json"));
    EXPECT_EQ(shape_of(json_of(words)).dump(2), expected.dump(2)) << name;
  }
};

TEST_F(FrozenJson, OfDump) {
  expect_shape("dump", {"dump", "--json", "--all", "ext4.img", "new.qcow2"});
}

TEST_F(FrozenJson, OfDumpWithFindings) {
  expect_shape("dump-findings", {"dump", "--json", "--all", "damaged.img", "new.qcow2"});
}

TEST_F(FrozenJson, OfReport) {
  e2qcow({"dump", "-q", "--all", "--bad-blocks", "bad.map", "--report", "report.json", "damaged.img",
          "new.qcow2"});
  const json expected = json::parse(read_file(E2QCOW_TESTDATA "/json/report.json"));
  EXPECT_EQ(shape_of(json::parse(read_file(path("report.json")))).dump(2), expected.dump(2));
}

TEST_F(FrozenJson, OfMeasure) {
  expect_shape("measure", {"measure", "--json", "ext4.img"});
}

TEST_F(FrozenJson, OfRestore) {
  expect_shape("restore", {"restore", "--json", "all.qcow2", "new.raw"});
}

TEST_F(FrozenJson, OfInfo) {
  expect_shape("info", {"info", "--json", "losses.qcow2"});
}

TEST_F(FrozenJson, OfVerify) {
  e2qcow({"dump", "-q", "--all", "ext4.img", "new.qcow2"});
  expect_shape("verify", {"verify", "--json", "new.qcow2"});
}

TEST_F(FrozenJson, OfCheck) {
  expect_shape("check", {"check", "--json", "l2-entry-on-l1-table.qcow2"});
}

TEST_F(FrozenJson, OfMap) {
  expect_shape("map", {"map", "--json", "metadata-none.qcow2"});
}

TEST_F(FrozenJson, OfCompare) {
  expect_shape("compare", {"compare", "--json", "all.qcow2:qcow2", "ext4.img:raw"});
  expect_shape("compare-different", {"compare", "--json", "all.qcow2:qcow2", "ext2.img:raw"});
}

}  // namespace
}  // namespace e2qcow::test
