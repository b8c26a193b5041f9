// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/printable.h"

#include <gtest/gtest.h>

namespace e2qcow {
namespace {

TEST(Printable, LeavesTextOfAnyLanguageAsItIs) {
  for (const char* text : {"", "lost+found", "a b~!\"", "Äöü", "日本語", "\xf0\x9f\x90\xa7", "\xc2\xa0"})
    EXPECT_EQ(printable(text), text);
}

TEST(Printable, EscapesControlCharacters) {
  EXPECT_EQ(printable(std::string_view("\0\t\n\x1f\x7f", 5)), "\\x00\\x09\\x0a\\x1f\\x7f");
  EXPECT_EQ(printable("\x1b[31mred"), "\\x1b[31mred");
  EXPECT_EQ(printable("\xc2\x9b"
                      "31m"),
            "\\xc2\\x9b31m");  // the control sequence introducer in one character
}

TEST(Printable, EscapesTheBackslashSoThatNothingCanPretendToBeEscaped) {
  EXPECT_EQ(printable("\\x41"), "\\x5cx41");
}

TEST(Printable, EscapesWhatTurnsTheDirectionOfText) {
  EXPECT_EQ(printable("\xe2\x80\xae"), "\\xe2\\x80\\xae");  // U+202E, right-to-left override
  EXPECT_EQ(printable("\xe2\x80\xaa"), "\\xe2\\x80\\xaa");  // U+202A
  EXPECT_EQ(printable("\xe2\x81\xa6"), "\\xe2\\x81\\xa6");  // U+2066, left-to-right isolate
  EXPECT_EQ(printable("\xe2\x81\xa9"), "\\xe2\\x81\\xa9");  // U+2069
}

TEST(Printable, EscapesMarksOfDirection) {
  EXPECT_EQ(printable("\xe2\x80\x8e"), "\\xe2\\x80\\x8e");  // U+200E, left-to-right mark
  EXPECT_EQ(printable("\xe2\x80\x8f"), "\\xe2\\x80\\x8f");  // U+200F, right-to-left mark
  EXPECT_EQ(printable("\xd8\x9c"), "\\xd8\\x9c");           // U+061C, Arabic letter mark
}

TEST(Printable, EscapesWhatIsInvisible) {
  EXPECT_EQ(printable("\xe2\x80\x8b"), "\\xe2\\x80\\x8b");           // U+200B, zero width space
  EXPECT_EQ(printable("\xe2\x81\xaa"), "\\xe2\\x81\\xaa");           // U+206A, deprecated
  EXPECT_EQ(printable("\xef\xbb\xbf"), "\\xef\\xbb\\xbf");           // U+FEFF, byte order mark
  EXPECT_EQ(printable("\xf3\xa0\x81\x81"), "\\xf3\\xa0\\x81\\x81");  // U+E0041, a tag
}

TEST(Printable, EscapesWhatIsNotAssigned) {
  EXPECT_EQ(printable("\xe2\x81\xa5"), "\\xe2\\x81\\xa5");           // U+2065
  EXPECT_EQ(printable("\xef\xbf\xbf"), "\\xef\\xbf\\xbf");           // U+FFFF
  EXPECT_EQ(printable("\xf4\x8f\xbf\xbf"), "\\xf4\\x8f\\xbf\\xbf");  // U+10FFFF
}

TEST(Printable, EscapesLineAndParagraphSeparators) {
  EXPECT_EQ(printable("\xe2\x80\xa8\xe2\x80\xa9"), "\\xe2\\x80\\xa8\\xe2\\x80\\xa9");
}

TEST(Printable, LeavesTheNeighboursOfWhatTurnsTheDirection) {
  for (const char* text : {"\xe2\x80\x90", "\xe2\x80\xa7", "\xe2\x80\xaf", "\xe2\x81\x9f"})
    EXPECT_EQ(printable(text), text);
}

TEST(Printable, EscapesBytesThatAreNoUtf8) {
  EXPECT_EQ(printable("\x80"), "\\x80");           // continues nothing
  EXPECT_EQ(printable("a\xc3"), "a\\xc3");         // ends early
  EXPECT_EQ(printable("\xc3("), "\\xc3(");         // is not continued
  EXPECT_EQ(printable("\xe3\x81"), "\\xe3\\x81");  // ends early
  EXPECT_EQ(printable("\xf0\x9f\x90"), "\\xf0\\x9f\\x90");
  EXPECT_EQ(printable("\xff\xfe"), "\\xff\\xfe");
}

TEST(Printable, EscapesOverlongSurrogateAndTooLargeCharacters) {
  EXPECT_EQ(printable("\xc0\xaf"), "\\xc0\\xaf");
  EXPECT_EQ(printable("\xc1\xbf"), "\\xc1\\xbf");
  EXPECT_EQ(printable("\xe0\x80\xaf"), "\\xe0\\x80\\xaf");
  EXPECT_EQ(printable("\xe0\x9f\xbf"), "\\xe0\\x9f\\xbf");
  EXPECT_EQ(printable("\xf0\x8f\xbf\xbf"), "\\xf0\\x8f\\xbf\\xbf");
  EXPECT_EQ(printable("\xed\xa0\x80"), "\\xed\\xa0\\x80");
  EXPECT_EQ(printable("\xf4\x90\x80\x80"), "\\xf4\\x90\\x80\\x80");
  EXPECT_EQ(printable("\xf5\x80\x80\x80"), "\\xf5\\x80\\x80\\x80");
}

TEST(Printable, LeavesTheFirstAndLastCharacterOfEachLength) {
  for (const char* text : {" ", "~", "\xc2\xa0", "\xdf\xbf", "\xe0\xa0\x80", "\xed\x9f\xbb", "\xee\x80\x80",
                           "\xef\xbf\xbd", "\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbd"})
    EXPECT_EQ(printable(text), text);
}

}  // namespace
}  // namespace e2qcow
